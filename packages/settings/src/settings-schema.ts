import type { Setting } from './setting.ts';

/** Settings by the environment variable that sets each. */
export type SettingsShape = Readonly<Record<string, Setting<unknown>>>;

/** The values of settings. */
export type SettingsOf<T extends SettingsSchema<SettingsShape>> = ValuesOf<T['shape']>;

type ValuesOf<S extends SettingsShape> = {
  -readonly [Name in keyof S]: S[Name] extends Setting<infer T> ? T : never;
};

/** The outcome of reading: the values, or what is wrong with which variables. */
export type SettingsResult<T> =
  | { readonly success: true; readonly data: T }
  | { readonly success: false; readonly problems: readonly string[] };

/** A group of settings, which reads them out of an environment. */
export class SettingsSchema<S extends SettingsShape> {
  readonly shape: S;

  constructor(shape: S) {
    this.shape = shape;
  }

  /** Reads what is set; never throws. */
  safeParse(given: Readonly<Record<string, unknown>>): SettingsResult<ValuesOf<S>> {
    const data: Record<string, unknown> = {};
    const problems: string[] = [];
    for (const [name, setting] of Object.entries(this.shape)) {
      const reading = setting.read(given[name]);
      if ('value' in reading) data[name] = reading.value;
      else problems.push(`${name}: ${reading.problem}`);
    }
    return problems.length > 0 ? { success: false, problems } : { success: true, data: data as ValuesOf<S> };
  }

  /** @throws TypeError naming each variable that is wrong, and what is wrong with it. */
  parse(given: Readonly<Record<string, unknown>>): ValuesOf<S> {
    const read = this.safeParse(given);
    if (!read.success) throw new TypeError(`wrong settings: ${read.problems.join('; ')}`);
    return read.data;
  }
}

/** Declares a group of settings. */
export function defineSettings<S extends SettingsShape>(shape: S): SettingsSchema<S> {
  return new SettingsSchema(shape);
}
