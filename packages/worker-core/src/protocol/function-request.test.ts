import { describe, expect, it } from '@jest/globals';
import { InvalidRequestError } from '../errors/invalid-request-error.ts';
import { decodeFunctionCall, functionCallFrom } from './decode-function-call.ts';
import { functionRequestSchema } from './function-request.ts';

const bytes = (value: unknown): Uint8Array => new TextEncoder().encode(JSON.stringify(value));
const minimal = { function_name: 'f', function_code: 'def f(): pass' };

describe('FunctionRequest', () => {
  it('has the defaults of the protocol reference', () => {
    expect(functionRequestSchema.parse({ function_name: 'f' })).toEqual({
      execution_type: 'function',
      function_name: 'f',
      method_name: '__call__',
      args: [],
      kwargs: {},
      constructor_args: [],
      constructor_kwargs: {},
      create_new_instance: true,
      dependencies: [],
      system_dependencies: [],
      accelerate_downloads: true,
      modules: {},
      serialization_format: 'cloudpickle',
    });
  });

  it('takes null as absent in every optional field', () => {
    const nulls = Object.fromEntries(
      Object.keys(functionRequestSchema.unwrap().shape).map((field) => [field, null]),
    );
    const parsed = functionRequestSchema.parse({ ...nulls, function_name: 'f' });
    expect(parsed).toMatchObject({
      args: [],
      kwargs: {},
      dependencies: [],
      create_new_instance: true,
      modules: {},
    });
  });

  it('ignores fields it does not know', () => {
    expect(functionRequestSchema.parse({ ...minimal, from_the_future: 1 })).not.toHaveProperty(
      'from_the_future',
    );
  });

  it.each([
    [{}, 'function_name'],
    [{ execution_type: 'class' }, 'class_name'],
    [{ ...minimal, execution_type: 'script' }, 'execution_type'],
    [{ ...minimal, serialization_format: 'yaml' }, 'serialization_format'],
    [{ ...minimal, args: [1] }, 'args.0: expected a base64 cloudpickle string'],
    [{ ...minimal, constructor_kwargs: { a: {} } }, 'constructor_kwargs.a'],
    [{ ...minimal, dependencies: 'numpy' }, 'dependencies'],
    [{ ...minimal, dependencies: [1] }, 'dependencies.0'],
    [{ ...minimal, create_new_instance: 'yes' }, 'create_new_instance'],
    [{ ...minimal, modules: { 'a.py': 1 } }, 'modules.a.py'],
    [{ ...minimal, modules: { '../a.py': '' } }, '..'],
    [{ ...minimal, modules: { '/a.py': '' } }, 'relative'],
    [{ ...minimal, modules: { 'a\\b.py': '' } }, 'relative'],
    [{ ...minimal, modules: { 'a//b.py': '' } }, 'empty'],
    [{ ...minimal, modules: { 'a.txt': '' } }, '.py'],
    [{ ...minimal, modules: { 'a\ud801.py': '' } }, 'a half of a surrogate pair'],
    [
      { ...minimal, modules: { 'a.py': 'x = "\udfff"' } },
      'modules.a.py: it holds a half of a surrogate pair',
    ],
    [{ ...minimal, function_code: '# \udc80' }, 'function_code: it holds a half of a surrogate pair'],
    [{ ...minimal, class_code: '\ud83d' }, 'class_code: it holds'],
  ])('refuses %j and names what is wrong', (body, named) => {
    expect(() => decodeFunctionCall(bytes(body))).toThrow(InvalidRequestError);
    expect(() => decodeFunctionCall(bytes(body))).toThrow(named as string);
  });

  it('takes plain values with the json format', () => {
    expect(
      functionCallFrom({ ...minimal, args: [1, { a: 2 }], serialization_format: 'json' }).serializationFormat,
    ).toBe('json');
  });
});

describe('decodeFunctionCall', () => {
  it('takes a request as it is, and inside "input"', () => {
    expect(decodeFunctionCall(bytes(minimal)).payload.requestAt).toBe('root');
    const wrapped = decodeFunctionCall(bytes({ id: 'job', input: minimal, webhook: 'x' }));
    expect(wrapped).toMatchObject({ kind: 'function', functionName: 'f', payload: { requestAt: 'input' } });
  });

  it('keeps the bytes it was given', () => {
    const given = bytes(minimal);
    expect(decodeFunctionCall(given).payload.bytes).toBe(given);
  });

  it('maps a class call', () => {
    const call = functionCallFrom({
      execution_type: 'class',
      class_name: 'C',
      class_code: 'class C: pass',
      method_name: 'm',
      instance_id: 'i',
      create_new_instance: false,
      dependencies: ['six'],
      system_dependencies: ['jq'],
      accelerate_downloads: false,
    });
    expect(call).toMatchObject({
      kind: 'class',
      className: 'C',
      code: 'class C: pass',
      methodName: 'm',
      instanceId: 'i',
      createNewInstance: false,
      dependencies: ['six'],
      systemDependencies: ['jq'],
      accelerateDownloads: false,
    });
  });

  it('takes empty code as absent', () => {
    expect(functionCallFrom({ function_name: 'f', function_code: '' }).code).toBeUndefined();
  });

  it.each(['', 'no json', '[]', '"text"', 'null', '3'])('refuses %j as malformed', (text) => {
    const decode = (): unknown => decodeFunctionCall(new TextEncoder().encode(text));
    expect(decode).toThrow(expect.objectContaining({ code: 'INVALID_REQUEST', malformed: true }));
  });

  it('refuses bytes that are no UTF-8', () => {
    expect(() => decodeFunctionCall(Uint8Array.of(0x7b, 0xff, 0x7d))).toThrow(InvalidRequestError);
  });
});
