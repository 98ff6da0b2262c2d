import { SecretRedactor } from '@flash/worker-core';
import { describe, expect, it } from '@jest/globals';
import { PinoLog } from './pino-log.ts';

function recorded(level: 'debug' | 'info' | 'warn'): { log: PinoLog; lines: Record<string, unknown>[] } {
  const lines: Record<string, unknown>[] = [];
  const destination = { write: (line: string) => void lines.push(JSON.parse(line)) };
  return { log: new PinoLog({ level, destination, redactor: new SecretRedactor(['top-secret']) }), lines };
}

describe('PinoLog', () => {
  it('writes one JSON object a line, with the fields beside the message', () => {
    const { log, lines } = recorded('info');
    log.write('info', 'hello', { requestId: 'r1' });
    expect(lines).toEqual([{ level: 30, time: expect.any(Number), requestId: 'r1', msg: 'hello' }]);
  });

  it('leaves out what is below its level', () => {
    const { log, lines } = recorded('warn');
    for (const level of ['debug', 'info', 'warn', 'error'] as const) log.write(level, level);
    expect(lines.map(({ msg }) => msg)).toEqual(['warn', 'error']);
  });

  it('takes secrets out wherever they stand, errors and their causes included', () => {
    const { log, lines } = recorded('info');
    const error = new Error('with top-secret', { cause: new Error('https://user:word@host/ failed') });
    log.write('error', 'says top-secret', { key: 'top-secret', error });
    const text = JSON.stringify(lines);
    expect(text).toContain('[redacted]');
    expect(text).not.toMatch(/top-secret|user:word/);
  });
});
