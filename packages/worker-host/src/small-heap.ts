import { setFlagsFromString } from 'node:v8';

/**
 * What a worker loads of Node before it is ready, and Node loads for it. Node brings it compiled, and V8 takes what was compiled for it only under the
 * flags that it was compiled with: loaded later, it would be compiled anew, which takes 20 to 30 ms.
 */
const builtins = [
  ...['child_process', 'cluster', 'dns', 'fs/promises', 'http', 'net', 'os'],
  ...['stream/promises', 'timers/promises', 'tty'],
];

/**
 * Has V8 keep what a request leaves behind where it is collected soon. For the whole process, so it is an app's choice and not the library's.
 *
 * To be called before anything else is loaded but Node's own.
 *
 * - V8 puts objects that often lived long among the old ones at once. What decoding a request makes is of that kind at the start and not later:
 *   2.5 KB of each request were garbage that only a full collection finds. With one the hidden classes of headers are lost, and whatever was
 *   optimised for them is compiled anew: p99 was 2.5 times as long.
 * - What the lower tier of the optimising compiler allocates while it compiles is never given back. Without that tier everything waited for the
 *   upper one, which by default comes after 3000 calls: requests 5000 to 10000 of a worker took nearly twice the time that they take now.
 *
 * The size of the space for new objects can't be set here: `docker/flash-worker` does it. `--optimize-for-size` is of no use in either place: each
 * full collection shrinks that space, and its growth is the reason of the next one.
 */
export function keepHeapSmall(): void {
  for (const name of builtins) process.getBuiltinModule(`node:${name}`);
  setFlagsFromString('--no-allocation-site-pretenuring');
  setFlagsFromString('--no-maglev');
  setFlagsFromString('--invocation-count-for-turbofan=500');
  // Node's own pattern for IPv6 addresses takes 4 ms to be tried out and then compiled, 1 ms to be compiled at once.
  setFlagsFromString('--no-regexp-tier-up');
}
