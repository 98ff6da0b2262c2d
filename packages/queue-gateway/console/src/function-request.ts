import type { Draft } from './samples.ts';

/** A field of the form that can't be sent as it is. */
export class DraftError extends Error {
  readonly field: keyof Draft;

  constructor(field: keyof Draft, message: string) {
    super(message);
    this.field = field;
  }
}

/** The FunctionRequest a draft stands for (docs/reference/protocol.md, FunctionRequest). @throws DraftError naming the field that is wrong. */
export function functionRequestOf(draft: Draft): Record<string, unknown> {
  const name = draft.functionName.trim();
  if (name === '') throw new DraftError('functionName', 'name the function to call');
  if (draft.code.trim() === '') throw new DraftError('code', 'there is no code');
  return {
    execution_type: 'function',
    function_name: name,
    function_code: draft.code,
    args: parsed('args', draft.args, 'a JSON array, such as [2, 3]', Array.isArray),
    kwargs: parsed('kwargs', draft.kwargs, 'a JSON object, such as {"a": 2}', isObject),
    dependencies: draft.dependencies
      .split('\n')
      .map((line) => line.trim())
      .filter((line) => line !== ''),
    serialization_format: 'json',
  };
}

function parsed(
  field: keyof Draft,
  text: string,
  wanted: string,
  isWanted: (value: unknown) => boolean,
): unknown {
  let value: unknown;
  try {
    value = JSON.parse(text);
  } catch (error) {
    throw new DraftError(field, `give ${wanted}: ${(error as Error).message}`);
  }
  if (!isWanted(value)) throw new DraftError(field, `give ${wanted}`);
  return value;
}

function isObject(value: unknown): boolean {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}
