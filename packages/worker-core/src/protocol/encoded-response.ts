import type { FunctionResponse, InstanceInfo } from './function-response.ts';

const encoder = new TextEncoder();
const decoder = new TextDecoder();

/** The value a run produced, still encoded: base64 of a pickle, or JSON text. */
export type EncodedResult =
  | { readonly format: 'cloudpickle'; readonly base64: Uint8Array }
  | { readonly format: 'json'; readonly json: Uint8Array };

/** What an answer is made of. */
export interface ResponseParts {
  readonly success: boolean;
  readonly result?: EncodedResult | undefined;
  readonly error?: string | undefined;
  readonly stdout?: string | undefined;
  readonly instanceId?: string | undefined;
  readonly instanceInfo?: InstanceInfo | undefined;
}

/**
 * A FunctionResponse that keeps its result as the bytes Python sent, so that a result of megabytes is neither parsed nor
 * printed again on its way to the client (docs/reference/protocol.md, FunctionResponse).
 */
export class EncodedResponse {
  readonly #parts: ResponseParts;

  constructor(parts: ResponseParts) {
    this.#parts = parts;
  }

  get success(): boolean {
    return this.#parts.success;
  }

  get error(): string | null {
    return this.#parts.error || null;
  }

  /** The answer as an object with wire names. */
  toObject(): FunctionResponse {
    const { success, result, instanceId, instanceInfo } = this.#parts;
    return {
      success,
      result: result?.format === 'cloudpickle' ? decoder.decode(result.base64) : null,
      json_result: result?.format === 'json' ? JSON.parse(decoder.decode(result.json)) : null,
      error: this.error,
      stdout: this.#parts.stdout || null,
      instance_id: instanceId ?? null,
      instance_info: instanceInfo ?? null,
    };
  }

  /** Size of the encoded result in bytes; the rest of an answer is bounded by the limits on output and errors. */
  get resultBytes(): number {
    const { result } = this.#parts;
    if (result === undefined) return 0;
    return result.format === 'json' ? result.json.length : result.base64.length;
  }

  /** The answer as JSON text; for small ones, see {@link resultBytes}. */
  toJson(): string {
    const { result } = this.#parts;
    const [head, tail] = this.#frame(true);
    return result === undefined ? head + tail : head + decoder.decode(encodedBytes(result)) + tail;
  }

  /**
   * The answer as UTF-8 JSON in pieces, to be written one after the other.
   *
   * @param options - `error: "lifted"` leaves `error` out, as the queue reports it beside the output (docs/reference/protocol.md, Result).
   */
  toJsonChunks(options: { readonly error: 'included' | 'lifted' } = { error: 'included' }): Uint8Array[] {
    const { result } = this.#parts;
    const [head, tail] = this.#frame(options.error === 'included');
    if (result === undefined) return [encoder.encode(head + tail)];
    return [encoder.encode(head), encodedBytes(result), encoder.encode(tail)];
  }

  /** What stands before and after the encoded result. */
  #frame(withError: boolean): readonly [string, string] {
    const { result, success } = this.#parts;
    const rest = this.#tail(withError);
    if (result?.format === 'cloudpickle')
      return ['{"success":true,"result":"', `","json_result":null,${rest}`];
    if (result?.format === 'json') return ['{"success":true,"result":null,"json_result":', `,${rest}`];
    return [`{"success":${success},"result":null,"json_result":null,`, rest];
  }

  #tail(withError: boolean): string {
    const { stdout, instanceId, instanceInfo } = this.#parts;
    const error = withError ? `"error":${json(this.error)},` : '';
    return `${error}"stdout":${json(stdout || null)},"instance_id":${json(instanceId ?? null)},"instance_info":${json(instanceInfo ?? null)}}`;
  }
}

function encodedBytes(result: EncodedResult): Uint8Array {
  return result.format === 'json' ? result.json : result.base64;
}

function json(value: unknown): string {
  return value === null ? 'null' : JSON.stringify(value);
}
