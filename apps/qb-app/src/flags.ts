import { parseArgs } from 'node:util';
import { InvalidRequestError } from '@flash/worker-core';

/** What the command line asks for; the flags are those of the platform's Python SDK (docs/reference/protocol.md, Command line). */
export interface Flags {
  /** A job as JSON text. */
  readonly testInput: string | undefined;
  /** The expected result as JSON text. */
  readonly testOutput: string | undefined;
  readonly logLevel: string | undefined;
  readonly serveApi: boolean;
  readonly apiHost: string;
  readonly apiPort: number;
  readonly apiConcurrency: number;
  /** Flags this worker does not know; ignored, as the SDK does. */
  readonly unknown: readonly string[];
}

const options = {
  test_input: { type: 'string' },
  test_output: { type: 'string' },
  rp_log_level: { type: 'string' },
  rp_debugger: { type: 'boolean' },
  rp_serve_api: { type: 'boolean' },
  rp_api_host: { type: 'string' },
  rp_api_port: { type: 'string' },
  rp_api_concurrency: { type: 'string' },
} as const;

/** @throws InvalidRequestError naming the flag whose value can't be used. */
export function readFlags(args: readonly string[]): Flags {
  const { values } = parseArgs({ args: [...args], options, strict: false, allowPositionals: true });
  const text = (name: keyof typeof options): string | undefined => {
    const value = values[name];
    if (value === true && options[name].type === 'string')
      throw new InvalidRequestError(`--${name} needs a value`);
    return typeof value === 'string' ? value : undefined;
  };
  const number = (name: keyof typeof options, fallback: number, least: number): number => {
    const value = Number(text(name) ?? fallback);
    if (!Number.isInteger(value) || value < least || value > 65_535) {
      throw new InvalidRequestError(`--${name} must be a whole number from ${least} to 65535`);
    }
    return value;
  };
  return {
    testInput: text('test_input'),
    testOutput: text('test_output'),
    logLevel: text('rp_log_level'),
    serveApi: values.rp_serve_api === true,
    apiHost: text('rp_api_host') ?? 'localhost',
    apiPort: number('rp_api_port', 8000, 0),
    apiConcurrency: number('rp_api_concurrency', 1, 1),
    unknown: Object.keys(values).filter((name) => !(name in options)),
  };
}
