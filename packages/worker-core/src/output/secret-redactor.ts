const placeholder = '[redacted]';

/** Takes secrets and credentials in URLs out of text that goes to a log or an error (docs/reference/protocol.md, Environment variables). */
export class SecretRedactor {
  readonly #secrets: readonly string[];

  /** @param secrets - values to hide; those under 6 characters are ignored, as hiding them would blank out ordinary words. */
  constructor(secrets: readonly (string | undefined)[]) {
    this.#secrets = secrets
      .filter((secret): secret is string => secret !== undefined && secret.length >= 6)
      .toSorted((a, b) => b.length - a.length);
  }

  redact(text: string): string {
    let clean = text;
    for (const secret of this.#secrets) {
      if (clean.includes(secret)) clean = clean.replaceAll(secret, placeholder);
    }
    return clean.includes('://') ? clean.replace(/(\w:\/\/)[^\s/@]+@/g, `$1${placeholder}@`) : clean;
  }
}
