import { SecretRedactor } from '@flash/worker-core';

const secretNames = ['RUNPOD_AI_API_KEY', 'RUNPOD_API_KEY', 'HF_TOKEN'];

/** Keeps the values of this environment's secrets out of logs and errors (contract, section 4). */
export function secretsOf(env: NodeJS.ProcessEnv): SecretRedactor {
  return new SecretRedactor(secretNames.map((name) => env[name]));
}
