import type * as z from 'zod';

/** One setting: how its text is read, what it is when its variable is absent, and what it means. */
export class Setting<T> {
  /** For whoever operates the worker; without one it is in no table. */
  readonly description: string | undefined;
  readonly #makeSchema: () => z.ZodType<T>;
  readonly #absent: T | (() => T);
  #schema: z.ZodType<T> | undefined;

  /**
   * @param makeSchema - called when the first text is read, not before: to make a schema takes longer than all else about a setting.
   * @param absent - the value when the variable is absent, or how to find it.
   */
  constructor(makeSchema: () => z.ZodType<T>, absent: T | (() => T), description: string | undefined) {
    this.#makeSchema = makeSchema;
    this.#absent = absent;
    this.description = description;
  }

  /** The value when the variable is absent. */
  get absent(): T {
    return typeof this.#absent === 'function' ? (this.#absent as () => T)() : this.#absent;
  }

  /** What reads the variable's text. */
  get schema(): z.ZodType<T> {
    this.#schema ??= this.#makeSchema();
    return this.#schema;
  }
}
