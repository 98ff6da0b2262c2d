import { mkdir, readFile, rename, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import * as z from 'zod';

/** Most modules that are remembered for one environment. */
const mostModules = 200;
const writeAfterMs = 200;

const profileSchema = z.lazy(() =>
  z.object({
    /** Milliseconds that user code waited for the import of each, in the order in which they were first imported. */
    imports: z.record(z.string(), z.number()),
    /** Reasons, by the names of modules that must not be imported ahead. */
    unfit: z.record(z.string(), z.string()),
  }),
);

type Profile = z.output<typeof profileSchema>;

/**
 * What user code imports in each environment, and what it costs. Kept in the cache directory, and with it on the volume, so that a worker
 * that starts knows what is worth being imported ahead.
 */
export class ImportProfiles {
  readonly #directory: string;
  /** What was learned here and is not written yet, by environment. */
  readonly #news = new Map<string, Profile>();
  #writing: Promise<void> = Promise.resolve();
  #timer: NodeJS.Timeout | undefined;
  #writes = 0;

  constructor(cacheDirectory: string) {
    this.#directory = join(cacheDirectory, 'flash/imports');
  }

  /** Modules to import ahead, in their order. Never rejects: without a profile there are none. */
  async worthImporting(environment: string): Promise<readonly string[]> {
    const { imports, unfit } = await this.#read(environment);
    return Object.keys(imports).filter((name) => !Object.hasOwn(unfit, name));
  }

  noteImports(environment: string, imports: Readonly<Record<string, number>>): void {
    Object.assign(this.#newsOf(environment).imports, imports);
  }

  noteUnfit(environment: string, module: string, reason: string): void {
    this.#newsOf(environment).unfit[module] = reason;
  }

  async close(): Promise<void> {
    clearTimeout(this.#timer);
    this.#write();
    await this.#writing;
  }

  #newsOf(environment: string): Profile {
    const news = this.#news.get(environment) ?? { imports: {}, unfit: {} };
    this.#news.set(environment, news);
    // Written by a timer, so that no request waits for the disk.
    this.#timer ??= setTimeout(() => this.#write(), writeAfterMs).unref();
    return news;
  }

  #write(): void {
    this.#timer = undefined;
    const news = new Map(this.#news);
    this.#news.clear();
    this.#writing = this.#writing.then(async () => {
      for (const [environment, profile] of news) await this.#merge(environment, profile);
    });
  }

  /** Other workers write the same file: what they have learned stays, as far as it was there a moment ago. */
  async #merge(environment: string, news: Profile): Promise<void> {
    const known = await this.#read(environment);
    const imports = Object.entries({ ...known.imports, ...news.imports }).slice(-mostModules);
    const merged: Profile = {
      imports: Object.fromEntries(imports),
      unfit: { ...known.unfit, ...news.unfit },
    };
    const text = JSON.stringify(merged);
    if (text === JSON.stringify(known)) return;
    const aside = join(this.#directory, `.${environment}.${process.pid}.${this.#writes++}`);
    try {
      await mkdir(this.#directory, { recursive: true });
      await writeFile(aside, text);
      await rename(aside, this.#path(environment));
    } catch {
      // A later worker then imports less ahead; nothing else depends on the file.
    }
  }

  async #read(environment: string): Promise<Profile> {
    try {
      const text = await readFile(this.#path(environment), 'utf8');
      return profileSchema.parse(JSON.parse(text));
    } catch {
      return { imports: {}, unfit: {} };
    }
  }

  #path(environment: string): string {
    return join(this.#directory, `${environment}.json`);
  }
}
