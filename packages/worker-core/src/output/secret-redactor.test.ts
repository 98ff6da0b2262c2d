import { describe, expect, it } from '@jest/globals';
import { SecretRedactor } from './secret-redactor.ts';

describe('SecretRedactor', () => {
  const redactor = new SecretRedactor(['rp_secret_key', 'rp_secret_key_long', undefined, 'abc']);

  it('takes secrets out, longer ones first', () => {
    expect(redactor.redact('a rp_secret_key_long b rp_secret_key c')).toBe('a [redacted] b [redacted] c');
  });

  it('takes credentials out of URLs', () => {
    expect(redactor.redact('from https://user:pass@index.example/simple')).toBe(
      'from https://[redacted]@index.example/simple',
    );
  });

  it('leaves other text alone, short values too', () => {
    expect(redactor.redact('abc is https://example.com/@scope')).toBe('abc is https://example.com/@scope');
  });
});
