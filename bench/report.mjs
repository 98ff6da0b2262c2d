import { execFileSync } from 'node:child_process';
import { existsSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { cpus } from 'node:os';
import { join } from 'node:path';
import { root } from '../scripts/lib/run.mjs';
import { chart } from './chart.mjs';
import { median } from './figures.mjs';

const directory = join(root, 'bench/results');
const resultsPath = join(directory, 'latest.json');
const readmePath = join(root, 'README.md');
const figuresInReadme = /(<!-- figures -->)[\s\S]*?(<!-- end of figures -->)/;
/** A ratio that moved by less than this part is the machine's mood. */
const noise = 0.1;

/** Collects what was measured, prints it, and keeps it in bench/results/ beside a chart. */
export class Report {
  #rows = [];

  constructor(rounds) {
    this.machine = `${cpus().length} × ${cpus()[0].model}, Node ${process.version}`;
    console.log(`${this.machine}, ${rounds} rounds\n`);
  }

  /**
   * @param row - `id` stays the same for ever; `unit`; `ours` and, where there is something to compare with, `theirs`: a value per round;
   * `isRate`: more is better; `limit`: most, or for rates least, of the ratio; `most`: of the figure itself.
   */
  add({ id, title, unit, ours, theirs, isRate = false, limit, most }) {
    const row = {
      id,
      title,
      unit,
      isRate,
      limit,
      most,
      ours: summary(ours),
      theirs: theirs && summary(theirs),
    };
    if (row.theirs !== undefined) row.ratio = row.ours.median / row.theirs.median;
    this.#rows.push(row);
    const beside = row.theirs ? ` / ${show(row.theirs)} = ${row.ratio.toFixed(2)}` : '';
    const bound = limit ?? most;
    const verdict = bound === undefined ? '' : ` (limit ${bound}${isMet(row) ? '' : ': NOT MET'})`;
    console.log(`${title}: ${show(row.ours)}${beside} ${unit}${verdict}`);
  }

  /** Compares with the last results that were committed, and writes these. */
  finish() {
    const last = lastCommitted();
    for (const row of this.#rows) {
      const before = last?.rows.find(({ id }) => id === row.id);
      const [now, then] = [row.ratio ?? row.ours.median, before?.ratio ?? before?.ours.median];
      if (then === undefined || Math.abs(now / then - 1) < noise) continue;
      const isBetter = now > then === row.isRate;
      console.log(
        `${isBetter ? 'better' : 'WORSE'} than ${last.commit}: ${row.title}: ${then.toFixed(3)} → ${now.toFixed(3)}`,
      );
    }
    // What was not measured this time stays as it was.
    const kept = existsSync(resultsPath) ? JSON.parse(readFileSync(resultsPath, 'utf8')).rows : [];
    const measured = new Map(this.#rows.map((row) => [row.id, row]));
    const known = new Set(kept.map(({ id }) => id));
    const rows = [
      ...kept.map((row) => measured.get(row.id) ?? row),
      ...this.#rows.filter(({ id }) => !known.has(id)),
    ];
    const results = {
      machine: this.machine,
      at: new Date().toISOString().slice(0, 10),
      commit: head(),
      rows,
    };
    mkdirSync(directory, { recursive: true });
    writeFileSync(resultsPath, `${JSON.stringify(results, undefined, 2)}\n`);
    writeFileSync(join(directory, 'latest.svg'), chart(results));
    const readme = readFileSync(readmePath, 'utf8');
    writeFileSync(
      readmePath,
      readme.replace(figuresInReadme, (_, begin, end) => `${begin}\n\n${table(results)}\n\n${end}`),
    );
    execFileSync(join(root, 'node_modules/.bin/biome'), ['format', '--write', readmePath], {
      stdio: 'ignore',
    });
  }
}

/** Whether a row keeps its limit. */
function isMet({ ours, ratio, limit, most, isRate }) {
  if (most !== undefined && ours.median > most) return false;
  return limit === undefined || (isRate ? ratio >= limit : ratio <= limit);
}

function table({ machine, at, rows }) {
  const lines = rows.map(({ title, unit, ours, theirs, ratio }) => {
    const cells = [
      title,
      `${show(ours)} ${unit}`,
      theirs ? `${show(theirs)} ${unit}` : '',
      ratio?.toPrecision(2) ?? '',
    ];
    return `| ${cells.join(' | ')} |`;
  });
  return [
    `${machine}, ${at}: median (least–most).`,
    '',
    '| | worker | comparator | ratio |',
    '| --- | --- | --- | --- |',
    ...lines,
  ].join('\n');
}

function summary(values) {
  return { median: median(values), least: Math.min(...values), most: Math.max(...values) };
}

function show({ median: middle, least, most }) {
  const digits = middle >= 100 ? 0 : middle >= 10 ? 1 : 3;
  const [a, b, c] = [middle, least, most].map((value) => value.toFixed(digits));
  return least === most ? a : `${a} (${b}–${c})`;
}

function lastCommitted() {
  try {
    const text = git('show', 'HEAD:bench/results/latest.json');
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}

function head() {
  try {
    return git('rev-parse', '--short', 'HEAD').trim();
  } catch {
    return 'unknown';
  }
}

function git(...args) {
  return execFileSync('git', args, { cwd: root, encoding: 'utf8', stdio: ['ignore', 'pipe', 'ignore'] });
}
