import { setFlagsFromString } from 'node:v8';

/**
 * Has V8 collect early instead of letting the heap grow. For the whole process, so it is an app's choice and not the library's; call
 * it first.
 *
 * Under load the heap of this worker holds little that lives: without this, RSS went from 97 to 244 MB for it, with it to 108 MB, at
 * the same throughput.
 */
export function keepHeapSmall(): void {
  setFlagsFromString('--optimize-for-size');
  setFlagsFromString('--semi-space-growth-factor=1');
}
