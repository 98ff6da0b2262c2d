import { describe, expect, it } from '@jest/globals';
import { InvalidRequestError } from '../errors/invalid-request-error.ts';
import { decodeFunctionCall, functionCallOfJob } from './decode-function-call.ts';
import { parseJson, withoutByteOrderMark } from './parse-json.ts';
import { parseQueueJob } from './queue-job.ts';

const bytes = (text: string): Uint8Array => new TextEncoder().encode(text);
const nested = (levels: number): string => `{"a":${'['.repeat(levels - 1)}${']'.repeat(levels - 1)}}`;

describe('parseJson', () => {
  it.each([
    [
      'a byte order mark',
      bytes('\ufeff{"a":1}'),
      /begins with a byte order mark \(EF BB BF\).*UTF-8 without it/,
    ],
    ['UTF-16', Buffer.from('\ufeff{"a":1}', 'utf16le'), /byte order mark \(FF FE, UTF-16\)/],
    ['UTF-16, the other end first', Buffer.from('feff007b007d', 'hex'), /\(FE FF, UTF-16\)/],
    ['what is no UTF-8', Buffer.from('{"a":"ÿ"}', 'latin1'), /the text is not JSON: it is not UTF-8/],
    ['what is cut', bytes('{"a":'), /the text is not JSON: Unexpected end/],
    ['what is nested deep', bytes(nested(901)), /more than 900 levels deep/],
    ['what is nested very deep', bytes('[{"b":'.repeat(250_000)), /more than 900 levels deep/],
  ])('refuses %s and says why', (_, given, reason) => {
    const parse = () => parseJson(given, 'the text');
    expect(parse).toThrow(InvalidRequestError);
    expect(parse).toThrow(reason);
    expect(parse).toThrow(expect.objectContaining({ malformed: true }));
  });

  it('takes what is nested as deep as may be', () => {
    expect(parseJson(bytes(nested(900)), 'x')).toHaveProperty('a');
  });

  it('is what requests and jobs are read with', () => {
    const deep = bytes(`{"function_name":"f","kwargs":${nested(2000)}}`);
    expect(() => decodeFunctionCall(deep)).toThrow(/the body is nested/);
    expect(() => parseQueueJob(bytes('\ufeff{"input":1}'))).toThrow(/the job begins with a byte order mark/);
    const body = { input: { function_name: 'f' } };
    expect(() => functionCallOfJob({ bytes: deep, body })).toThrow(/the job is nested/);
  });

  it('can do without the mark where a server puts one', () => {
    expect(new TextDecoder().decode(withoutByteOrderMark(bytes('\ufeff{}')))).toBe('{}');
    expect(withoutByteOrderMark(bytes('{}'))).toHaveLength(2);
  });
});
