import { SecretRedactor } from '@flash/worker-core';

const secretNames = ['RUNPOD_AI_API_KEY', 'RUNPOD_API_KEY', 'HF_TOKEN'];

/** Keeps the values of this environment's secrets out of logs and errors (docs/reference/protocol.md, Environment variables). */
export function secretsOf(env: NodeJS.ProcessEnv): SecretRedactor {
  // A collector of traces may take them only with a key.
  const headers = env.OTEL_EXPORTER_OTLP_HEADERS?.split(',').map((pair) =>
    pair.slice(pair.indexOf('=') + 1).trim(),
  );
  return new SecretRedactor([...secretNames.map((name) => env[name]), ...(headers ?? [])]);
}
