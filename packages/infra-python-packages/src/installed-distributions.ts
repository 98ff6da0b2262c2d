import { readdir, readFile, stat } from 'node:fs/promises';
import { join } from 'node:path';
import { normalizeName, sourceOf } from './requirement.ts';

/** One installed distribution. */
export interface Distribution {
  readonly name: string;
  readonly version: string;
  /** Its `.dist-info` directory. */
  readonly path: string;
}

/** What a distribution's own metadata says that matters here. */
export interface DistributionMetadata {
  /** `Requires-Dist` lines. */
  readonly requires: readonly string[];
  /** Where it was installed from, when that was no index. */
  readonly sourceUrl: string | undefined;
}

interface DirectorySnapshot {
  readonly mtimeMs: number;
  readonly distributions: readonly Distribution[];
}

const distInfo = /^(.+?)-([^-]+)\.dist-info$/;
const eggInfo = /^(.+?)-([^-]+?)(?:-py[\d.]+)?\.egg-info$/;

/** Reads what is installed from the names of metadata directories; a directory is read again only when it has changed. */
export class InstalledDistributions {
  readonly #snapshots = new Map<string, DirectorySnapshot>();
  readonly #metadata = new Map<string, DistributionMetadata>();

  /** Installed distributions by normalized name; the first directory that has one wins, as on Python's search path. */
  async read(directories: readonly string[]): Promise<ReadonlyMap<string, Distribution>> {
    const found = new Map<string, Distribution>();
    for (const snapshot of await Promise.all(directories.map((directory) => this.#snapshot(directory)))) {
      for (const distribution of snapshot.distributions) {
        if (!found.has(distribution.name)) found.set(distribution.name, distribution);
      }
    }
    return found;
  }

  async metadata({ path }: Distribution): Promise<DistributionMetadata> {
    const known = this.#metadata.get(path);
    if (known !== undefined) return known;
    const [text, directUrl] = await Promise.all([
      readText(join(path, 'METADATA')),
      readText(join(path, 'direct_url.json')),
    ]);
    const head = text.split('\n\n', 1)[0] ?? '';
    const requires = [...head.matchAll(/^Requires-Dist: *(.+)$/gm)].map((match) => (match[1] ?? '').trim());
    const metadata = { requires, sourceUrl: sourceUrl(directUrl) };
    this.#metadata.set(path, metadata);
    return metadata;
  }

  /** Top-level import names of a distribution, from its list of files. */
  async topLevelModules({ path }: Distribution): Promise<readonly string[]> {
    const record = await readText(join(path, 'RECORD'));
    const roots = record.split('\n').map((line) => line.split(',', 1)[0]?.split('/', 1)[0] ?? '');
    const modules = roots
      .filter(
        (root) =>
          root !== '' && !root.startsWith('.') && !root.includes('.dist-info') && root !== '__pycache__',
      )
      .map((root) => root.split('.', 1)[0] ?? '');
    return [...new Set(modules)];
  }

  async #snapshot(directory: string): Promise<DirectorySnapshot> {
    const mtimeMs = await stat(directory).then(
      (status) => status.mtimeMs,
      () => -1,
    );
    const known = this.#snapshots.get(directory);
    if (known?.mtimeMs === mtimeMs) return known;
    const names = mtimeMs === -1 ? [] : await readdir(directory).catch((): string[] => []);
    const snapshot = { mtimeMs, distributions: names.flatMap((name) => distributionOf(directory, name)) };
    this.#snapshots.set(directory, snapshot);
    this.#metadata.clear();
    return snapshot;
  }
}

function distributionOf(directory: string, entry: string): Distribution[] {
  const match = distInfo.exec(entry) ?? eggInfo.exec(entry);
  if (match === null) return [];
  return [{ name: normalizeName(match[1] ?? ''), version: match[2] ?? '', path: join(directory, entry) }];
}

function sourceUrl(directUrl: string): string | undefined {
  if (directUrl === '') return undefined;
  try {
    const {
      url,
      vcs_info: vcs,
      subdirectory,
    } = JSON.parse(directUrl) as {
      url: string;
      vcs_info?: { vcs: string; requested_revision?: string };
      subdirectory?: string;
    };
    const fragment = subdirectory ? `#subdirectory=${subdirectory}` : '';
    if (vcs === undefined) return sourceOf(url + fragment);
    const revision = vcs.requested_revision ? `@${vcs.requested_revision}` : '';
    return sourceOf(`${vcs.vcs}+${url}${revision}${fragment}`);
  } catch {
    return undefined;
  }
}

function readText(path: string): Promise<string> {
  return readFile(path, 'utf8').catch(() => '');
}
