import { existsSync } from 'node:fs';
import { fileURLToPath } from 'node:url';

const path = (relative: string): string => fileURLToPath(new URL(relative, import.meta.url));

/**
 * A Python for tests that has the real clients (runpod, runpod_flash) and what users' apps need (fastapi, uvicorn):
 * FLASH_TEST_CLIENTS_PYTHON, else that of .venv-dev.
 *
 * @throws Error saying what to run when it is not there.
 */
export function clientsPython(): string {
  const given = process.env.FLASH_TEST_CLIENTS_PYTHON;
  const python = given ?? path('../../.venv-dev/bin/python');
  if (existsSync(python)) return python;
  throw new Error(
    given === undefined
      ? 'this test needs .venv-dev, which is not there: run "npm run setup -- --dev" (npm test does so by itself)'
      : `FLASH_TEST_CLIENTS_PYTHON is ${given}, which does not exist`,
  );
}
