/** What a symbol is. Those of the protocol are fields of a wire form, settings, and metrics. */
export type SymbolKind =
  | 'class'
  | 'interface'
  | 'type'
  | 'enum'
  | 'function'
  | 'method'
  | 'property'
  | 'variable'
  | 'field'
  | 'setting'
  | 'metric';

/** One thing with a name in the repository. */
export interface CodeSymbol {
  readonly name: string;
  readonly kind: SymbolKind;
  /** From the root of the repository. */
  readonly file: string;
  /** From 1. */
  readonly line: number;
  /** The class, interface or schema it belongs to. */
  readonly parent?: string | undefined;
  /** How it is written, without its body; one line. */
  readonly signature: string;
  /** First paragraph of its documentation. */
  readonly doc?: string | undefined;
  /** Names of its decorators. */
  readonly decorators?: readonly string[] | undefined;
  readonly isExported: boolean;
}
