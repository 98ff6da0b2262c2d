import { readdirSync, readFileSync } from 'node:fs';

/** Memory of a process and all below it, in MB: the sum of their proportional shares (PSS). */
export function memoryOf(pid) {
  return family(pid).reduce((sum, member) => sum + pssOf(member), 0) / 1024;
}

function family(pid) {
  const parents = new Map();
  for (const name of readdirSync('/proc').filter((entry) => /^\d+$/.test(entry))) {
    const parent = Number(read(`/proc/${name}/stat`).split(') ').at(-1)?.split(' ')[1]);
    parents.set(Number(name), parent);
  }
  const members = [pid];
  for (const member of members)
    for (const [child, parent] of parents) if (parent === member) members.push(child);
  return members;
}

function pssOf(pid) {
  return Number(/^Pss:\s+(\d+)/m.exec(read(`/proc/${pid}/smaps_rollup`))?.[1] ?? 0);
}

function read(path) {
  try {
    return readFileSync(path, 'utf8');
  } catch {
    // The process has ended.
    return '';
  }
}
