import { readFileSync } from 'node:fs';

const counters = [
  { path: '/sys/fs/cgroup/memory.events', pattern: /^oom_kill (\d+)$/m },
  { path: '/sys/fs/cgroup/memory/memory.oom_control', pattern: /^oom_kill (\d+)$/m },
];

/** Tells whether the kernel killed something in this container because memory ran out. */
export class MemoryKills {
  #seen = count();

  /** True when there was such a kill since the last look. Reads a file; call it only after a kill nobody here asked for. */
  happened(): boolean {
    const before = this.#seen;
    this.#seen = count();
    return this.#seen > before;
  }
}

function count(): number {
  for (const { path, pattern } of counters) {
    try {
      return Number(pattern.exec(readFileSync(path, 'utf8'))?.[1] ?? 0);
    } catch {
      // not this kind of cgroup
    }
  }
  return 0;
}
