import { enableCompileCache } from 'node:module';
import { tmpdir } from 'node:os';
import { isInProc } from '@flash/settings';

/** What was compiled once is not compiled again by the next start (NODE_COMPILE_CACHE, NODE_DISABLE_COMPILE_CACHE). For the whole process. */
export function keepCompiledCode(): void {
  // Node would try to make its directory there for ever.
  if (!isInProc(tmpdir())) enableCompileCache();
}
