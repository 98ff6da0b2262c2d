import type * as z from 'zod';
import { isInProc } from './proc-directory.ts';
import { type Reading, Setting } from './setting.ts';

const unbounded = Number.MAX_SAFE_INTEGER;
const trueWords = ['1', 'true', 'yes'];

/** Longest time that a timer of Node takes. */
const longestMs = 2_147_483_647;

/** The value when the variable is absent, or a function that finds it. */
type Default<T> = T | (() => T);

/** Any text. */
export function text<D extends string | undefined>(
  defaultValue: Default<D>,
  description?: string,
): Setting<string | D> {
  return new Setting<string | D>(
    (raw) => (typeof raw === 'string' ? { value: raw } : { problem: 'expected a text' }),
    defaultValue,
    description,
  );
}

/** A directory that the worker makes. Also a default is checked: it may come from HOME or TMPDIR. */
export function directory<D extends string | undefined>(
  defaultValue: Default<D>,
  description: string,
): Setting<string | D> {
  return new DirectorySetting<D>(defaultValue, description);
}

class DirectorySetting<D extends string | undefined> extends Setting<string | D> {
  constructor(defaultValue: Default<D>, description: string) {
    super(
      (raw) => (typeof raw === 'string' ? { value: raw } : { problem: 'expected a text' }),
      defaultValue,
      description,
    );
  }

  override read(raw: unknown): Reading<string | D> {
    const reading = super.read(raw);
    if (!('value' in reading) || reading.value === undefined || !isInProc(reading.value)) return reading;
    const advice =
      raw === undefined
        ? 'set it, or what it comes from (HOME, TMPDIR), to another place'
        : 'name another place';
    return { problem: `${reading.value} is in /proc, where no directory can be made: ${advice}` };
  }
}

/** A whole number from the one bound to the other. */
export function integer<D extends number | undefined>(
  [least, most]: readonly [number, number],
  defaultValue: Default<D>,
  description: string,
): Setting<number | D> {
  const read = (raw: unknown): Reading<number> => {
    const value = Number(raw);
    return Number.isInteger(value) && value >= least && value <= most
      ? { value }
      : {
          problem: `expected a whole number ${most === unbounded ? `from ${least}` : `from ${least} to ${most}`}`,
        };
  };
  return new Setting<number | D>(read, defaultValue, description);
}

/** A whole number from 1. */
export function positiveInteger<D extends number | undefined>(
  defaultValue: Default<D>,
  description: string,
): Setting<number | D> {
  return integer([1, unbounded], defaultValue, description);
}

/** A whole number from 0, which mostly stands for "none" or "no bound". */
export function nonNegativeInteger<D extends number | undefined>(
  defaultValue: Default<D>,
  description: string,
): Setting<number | D> {
  return integer([0, unbounded], defaultValue, description);
}

/** A part of a whole: a number from 0 to 1. */
export function share<D extends number | undefined>(
  defaultValue: Default<D>,
  description: string,
): Setting<number | D> {
  const read = (raw: unknown): Reading<number> => {
    const value = raw === '' ? Number.NaN : Number(raw);
    return value >= 0 && value <= 1 ? { value } : { problem: 'expected a number from 0 to 1' };
  };
  return new Setting<number | D>(read, defaultValue, description);
}

/** An address that begins with http:// or https://. */
export function httpUrl<D extends string | undefined>(
  defaultValue: Default<D>,
  description: string,
): Setting<string | D> {
  const read = (raw: unknown): Reading<string> => {
    const value = String(raw);
    return /^https?:\/\//i.test(value) && URL.canParse(value)
      ? { value }
      : { problem: 'expected a URL that begins with http:// or https://' };
  };
  return new Setting<string | D>(read, defaultValue, description);
}

/** A time from 0 milliseconds. */
export function milliseconds(defaultValue: number, description: string): Setting<number> {
  return integer([0, longestMs], defaultValue, description);
}

/** A time from 1 millisecond. */
export function positiveMilliseconds(defaultValue: number, description: string): Setting<number> {
  return integer([1, longestMs], defaultValue, description);
}

/** 1, true and yes, in any case, are true; all else is false. */
export function flag(defaultValue: boolean, description: string): Setting<boolean> {
  return new Setting(
    (raw) => ({ value: trueWords.includes(String(raw).toLowerCase()) }),
    defaultValue,
    description,
  );
}

/** One of some words. */
export function choice<const W extends string>(
  words: readonly [W, ...W[]],
  defaultValue: NoInfer<W>,
  description: string,
): Setting<W> {
  const read = (raw: unknown): Reading<W> =>
    words.includes(raw as W) ? { value: raw as W } : notOneOf(words);
  return new Setting(read, defaultValue, description);
}

/**
 * One of some words in any case, and what it stands for.
 *
 * @param meanings - by the word in capital letters.
 */
export function keyword<T, D extends T | undefined>(
  meanings: Readonly<Record<string, T>>,
  defaultValue: Default<D>,
  description: string,
): Setting<T | D> {
  const read = (raw: unknown): Reading<T> => {
    const word = String(raw).toUpperCase();
    return Object.hasOwn(meanings, word) ? { value: meanings[word] as T } : notOneOf(Object.keys(meanings));
  };
  return new Setting<T | D>(read, defaultValue, description);
}

function notOneOf(words: readonly string[]): { readonly problem: string } {
  return { problem: `expected one of ${words.join(', ')}` };
}

/**
 * What a schema of the setting's own reads.
 *
 * @param makeSchema - called when the first text is read, not before: to load zod and to make a schema takes a worker longer than all else
 * about its settings, and it has a hundred of which a handful are set.
 */
export function read<T>(
  makeSchema: () => z.ZodType<T>,
  defaultValue: Default<T>,
  description: string | undefined,
): Setting<T> {
  let schema: z.ZodType<T> | undefined;
  const readText = (raw: unknown): Reading<T> => {
    schema ??= makeSchema();
    // Read once: to generate code for it takes longer than to do without.
    const parsed = schema.safeParse(raw, { jitless: true });
    if (parsed.success) return { value: parsed.data };
    return { problem: parsed.error.issues.map(({ message }) => message).join(', ') };
  };
  return new Setting(readText, defaultValue, description);
}
