/** What came of reading a text: a value, or what is wrong with the text. */
export type Reading<T> = { readonly value: T } | { readonly problem: string };

/** One setting: how its text is read, what it is when its variable is absent, and what it means. */
export class Setting<T> {
  /** For whoever operates the worker; without one it is in no table. */
  readonly description: string | undefined;
  readonly #read: (raw: unknown) => Reading<T>;
  readonly #absent: T | (() => T);

  /**
   * @param read - reads the variable's text, or what a program gives instead of it.
   * @param absent - the value when the variable is absent, or how to find it.
   */
  constructor(read: (raw: unknown) => Reading<T>, absent: T | (() => T), description: string | undefined) {
    this.#read = read;
    this.#absent = absent;
    this.description = description;
  }

  /** The value when the variable is absent. */
  get absent(): T {
    return typeof this.#absent === 'function' ? (this.#absent as () => T)() : this.#absent;
  }

  read(raw: unknown): Reading<T> {
    return raw === undefined ? { value: this.absent } : this.#read(raw);
  }
}
