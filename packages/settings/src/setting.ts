/** The outcome of reading a text: a value, or what is wrong with the text. */
export type Reading<T> = { readonly value: T } | { readonly problem: string };

/** One setting: how its text is read, what it is when its variable is absent, and what it means. */
export class Setting<T> {
  /** Tells operators what the setting does; a setting without a description is in no table. */
  readonly description: string | undefined;
  readonly #read: (raw: unknown) => Reading<T>;
  readonly #default: T | (() => T);

  /**
   * @param read - reads the variable's text, or what a program gives instead of it.
   * @param defaultValue - the value when the variable is absent, or how to find it.
   */
  constructor(
    read: (raw: unknown) => Reading<T>,
    defaultValue: T | (() => T),
    description: string | undefined,
  ) {
    this.#read = read;
    this.#default = defaultValue;
    this.description = description;
  }

  /** The value when the variable is absent. */
  get default(): T {
    return typeof this.#default === 'function' ? (this.#default as () => T)() : this.#default;
  }

  read(raw: unknown): Reading<T> {
    return raw === undefined ? { value: this.default } : this.#read(raw);
  }
}
