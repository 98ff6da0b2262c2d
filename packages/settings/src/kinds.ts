import * as z from 'zod';
import { Setting } from './setting.ts';

/** Longest time that a timer of Node takes. */
const longestMs = 2_147_483_647;

/** What is used when the variable is absent: a value, or how to find it. */
type Absent<T> = T | (() => T);

/** Any text. */
export function text<D extends string | undefined>(
  absent: Absent<D>,
  description?: string,
): Setting<string | D> {
  return read<string | D>(() => z.string(), absent, description);
}

/** A whole number between two bounds, which may themselves be. */
export function integer<D extends number | undefined>(
  [least, most]: readonly [number, number],
  absent: Absent<D>,
  description: string,
): Setting<number | D> {
  return read<number | D>(() => z.coerce.number().int().min(least).max(most), absent, description);
}

/** A whole number from 1. */
export function count<D extends number | undefined>(
  absent: Absent<D>,
  description: string,
): Setting<number | D> {
  return integer([1, Number.MAX_SAFE_INTEGER], absent, description);
}

/** A whole number from 0, which mostly stands for "none" or "no bound". */
export function countOrNone<D extends number | undefined>(
  absent: Absent<D>,
  description: string,
): Setting<number | D> {
  return integer([0, Number.MAX_SAFE_INTEGER], absent, description);
}

/** A time from 0 milliseconds. */
export function milliseconds(absent: number, description: string): Setting<number> {
  return integer([0, longestMs], absent, description);
}

/** A time from 1 millisecond. */
export function positiveMilliseconds(absent: number, description: string): Setting<number> {
  return integer([1, longestMs], absent, description);
}

/** 1, true and yes, in any case, are true; all else is false. */
export function flag(absent: boolean, description: string): Setting<boolean> {
  return read(
    () => z.string().transform((word) => ['1', 'true', 'yes'].includes(word.toLowerCase())),
    absent,
    description,
  );
}

/** One of some words. */
export function choice<const W extends string>(
  words: readonly [W, ...W[]],
  absent: NoInfer<W>,
  description: string,
): Setting<W> {
  return read<W>(() => z.enum(words), absent, description);
}

/** What a schema of the setting's own reads. */
export function read<T>(
  makeSchema: () => z.ZodType<T>,
  absent: Absent<T>,
  description: string | undefined,
): Setting<T> {
  return new Setting(makeSchema, absent, description);
}
