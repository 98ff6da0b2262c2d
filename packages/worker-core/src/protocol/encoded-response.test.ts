import { describe, expect, it } from '@jest/globals';
import { EncodedResponse, type ResponseParts } from './encoded-response.ts';

const encoder = new TextEncoder();
const everyKey = ['success', 'result', 'json_result', 'error', 'stdout', 'instance_id', 'instance_info'];
const info = {
  class_name: 'C',
  created_at: '2026-01-01T00:00:00.000Z',
  last_used: '2026-01-01T00:00:00.000Z',
  method_calls: 2,
};

const cases: [string, ResponseParts][] = [
  [
    'a pickled result',
    {
      success: true,
      result: { format: 'cloudpickle', base64: encoder.encode('gAVLBS4=') },
      stdout: 'hi\n"ü"',
    },
  ],
  [
    'a JSON result',
    { success: true, result: { format: 'json', json: encoder.encode('{"a":[1,null,"ü"]}') } },
  ],
  ['a failure', { success: false, error: 'boom\nTraceback "x"', stdout: 'so far' }],
  [
    'an instance',
    {
      success: true,
      result: { format: 'json', json: encoder.encode('1') },
      instanceId: 'C_1',
      instanceInfo: info,
    },
  ],
];

describe('EncodedResponse', () => {
  it.each(cases)('says the same as text, as pieces and as an object: %s', (_, parts) => {
    const response = new EncodedResponse(parts);
    const object = response.toObject();
    expect(JSON.parse(response.toJson())).toEqual(object);
    expect(JSON.parse(Buffer.concat(response.toJsonChunks()).toString())).toEqual(object);
    expect(Object.keys(object)).toEqual(everyKey);
  });

  it('has null for what is empty', () => {
    expect(new EncodedResponse({ success: true, stdout: '', error: '' }).toObject()).toEqual({
      success: true,
      result: null,
      json_result: null,
      error: null,
      stdout: null,
      instance_id: null,
      instance_info: null,
    });
  });

  it('leaves the error out when it is lifted, and keeps every other key', () => {
    const response = new EncodedResponse({ success: false, error: 'boom' });
    const lifted = JSON.parse(Buffer.concat(response.toJsonChunks({ error: 'lifted' })).toString());
    expect(Object.keys(lifted)).toEqual(everyKey.filter((key) => key !== 'error'));
  });

  it('does not copy a result', () => {
    const base64 = encoder.encode('A'.repeat(1000));
    const response = new EncodedResponse({ success: true, result: { format: 'cloudpickle', base64 } });
    expect(response.toJsonChunks()[1]).toBe(base64);
  });
});
