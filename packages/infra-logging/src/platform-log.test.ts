import { SecretRedactor } from '@flash/worker-core';
import { describe, expect, it } from '@jest/globals';
import { PlatformLog } from './platform-log.ts';

interface Line {
  readonly requestId: string | null;
  readonly message: string;
  readonly level: string;
}

function recorded(level: 'debug' | 'info' | 'warn' | 'silent' = 'info'): { log: PlatformLog; lines: Line[] } {
  const lines: Line[] = [];
  const destination = { write: (text: string) => void lines.push(JSON.parse(text)) };
  return {
    log: new PlatformLog({ level, destination, redactor: new SecretRedactor(['top-secret']) }),
    lines,
  };
}

describe('PlatformLog', () => {
  it('writes what the platform reads, and nothing else', () => {
    const { log, lines } = recorded();
    log.write('info', 'hello', { requestId: 'r1', source: 'user' });
    log.write('warn', 'of a job', { jobId: 'j1', attempt: 2, reason: 'no answer', nothing: undefined });
    log.write('error', 'of no request', { source: 'zygote' });
    expect(lines).toEqual([
      { requestId: 'r1', message: 'hello', level: 'INFO' },
      { requestId: 'j1', message: 'of a job (attempt=2 reason=no answer)', level: 'WARN' },
      { requestId: null, message: 'of no request (source=zygote)', level: 'ERROR' },
    ]);
  });

  it('shows an error with its cause', () => {
    const { log, lines } = recorded();
    log.write('error', 'it failed', { error: new Error('outer', { cause: new Error('inner') }) });
    expect(lines[0]?.message).toMatch(/^it failed\nError: outer\n.*Caused by: Error: inner/s);
  });

  it.each([4096, 4097, 100_000])('keeps head and tail of a message of %i characters', (length) => {
    const { log, lines } = recorded();
    log.write('info', `head${'x'.repeat(length - 8)}tail`);
    const message = lines[0]?.message ?? '';
    expect(message).toHaveLength(4096);
    expect(message).toMatch(/^head.*tail$/s);
    expect(message.includes('characters cut')).toBe(length > 4096);
  });

  it('takes secrets out, also where the cut would hide half of one', () => {
    const { log, lines } = recorded();
    log.write('info', `${'x'.repeat(2030)}top-secret${'x'.repeat(5000)}`, { key: 'top-secret' });
    expect(JSON.stringify(lines)).not.toMatch(/top-s|ecret/);
  });

  it.each([
    ['debug', 4],
    ['info', 3],
    ['warn', 2],
    ['silent', 0],
  ] as const)('at level %s writes %i of four lines', (least, count) => {
    const { log, lines } = recorded(least);
    for (const level of ['debug', 'info', 'warn', 'error'] as const) log.write(level, level);
    expect(lines).toHaveLength(count);
  });
});
