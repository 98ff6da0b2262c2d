import { mkdirSync, rmSync } from 'node:fs';
import { dirname } from 'node:path';
import { DatabaseSync, type SQLInputValue } from 'node:sqlite';
import type { CodeSymbol } from './code-symbol.ts';

const mostAnswers = 50;

/** The index, as a SQLite file. */
export class SymbolIndex {
  readonly #database: DatabaseSync;

  /** Makes a new one of these symbols. What was there before is replaced. */
  static create(path: string, symbols: Iterable<CodeSymbol>): SymbolIndex {
    mkdirSync(dirname(path), { recursive: true });
    rmSync(path, { force: true });
    const database = new DatabaseSync(path);
    database.exec(`
      CREATE TABLE symbols (
        id INTEGER PRIMARY KEY, name TEXT NOT NULL, kind TEXT NOT NULL, file TEXT NOT NULL, line INTEGER NOT NULL,
        parent TEXT, signature TEXT NOT NULL, doc TEXT, isExported INTEGER NOT NULL
      );
      CREATE TABLE decorators (symbol INTEGER NOT NULL REFERENCES symbols, name TEXT NOT NULL);
      CREATE INDEX by_name ON symbols (name COLLATE NOCASE);
      CREATE INDEX by_file ON symbols (file);
      CREATE INDEX by_parent ON symbols (parent);
      CREATE INDEX by_decorator ON decorators (name);
      BEGIN`);
    const insert = database.prepare('INSERT INTO symbols VALUES (NULL, ?, ?, ?, ?, ?, ?, ?, ?)');
    const decorate = database.prepare('INSERT INTO decorators VALUES (?, ?)');
    for (const { name, kind, file, line, parent, signature, doc, decorators, isExported } of symbols) {
      const row = [name, kind, file, line, parent ?? null, signature, doc ?? null, isExported ? 1 : 0];
      const { lastInsertRowid } = insert.run(...row);
      for (const decorator of decorators ?? []) decorate.run(lastInsertRowid, decorator);
    }
    database.exec('COMMIT');
    return new SymbolIndex(database);
  }

  /** Opens one that was made before. */
  static open(path: string): SymbolIndex {
    return new SymbolIndex(new DatabaseSync(path, { readOnly: true }));
  }

  private constructor(database: DatabaseSync) {
    this.#database = database;
  }

  get size(): number {
    return this.#rows('SELECT count(*) AS count FROM symbols')[0]?.count as number;
  }

  /** Symbols by name: exact matches first, then names that begin with it, then those that contain it. */
  find(name: string, kind?: string): readonly object[] {
    const order = 'CASE WHEN name = $name THEN 0 WHEN name LIKE $name || $any THEN 1 ELSE 2 END';
    const ofKind = kind === undefined ? '' : 'AND kind = $kind';
    const given = { $name: name, $any: '%', ...(kind !== undefined && { $kind: kind }) };
    return this.#rows(
      `${select} WHERE name LIKE $any || $name || $any ${ofKind} ORDER BY ${order}, isExported DESC, name, file LIMIT ${mostAnswers}`,
      given,
    );
  }

  /** Classes of a directory. */
  classes(directory: string): readonly object[] {
    const given = { $file: directory, $any: '%' };
    return this.#rows(
      `${select} WHERE kind = 'class' AND file LIKE $file || $any ORDER BY file, line`,
      given,
    );
  }

  /** A class or an interface with its members; one entry for each of that name. */
  interfaceOf(name: string): readonly object[] {
    const owners = this.#rows(`${select} WHERE name = $name AND kind IN ('class', 'interface')`, {
      $name: name,
    });
    const members = `${select} WHERE parent = $name AND file = $file ORDER BY line`;
    return owners.map((owner) => ({
      ...owner,
      members: this.#rows(members, { $name: name, $file: owner.file as string }).filter(
        (member) => !(member.name as string).startsWith('#') && !/^_(?!_)/.test(member.name as string),
      ),
    }));
  }

  /** All of a file, in its order. */
  ofFile(file: string): readonly object[] {
    return this.#rows(`${select} WHERE file = $file ORDER BY line`, { $file: file });
  }

  /** Symbols that have the decorator. */
  decoratedWith(decorator: string): readonly object[] {
    const given = { $name: decorator.replace(/^@/, '') };
    return this.#rows(
      `${select} WHERE id IN (SELECT symbol FROM decorators WHERE name = $name) ORDER BY file, line`,
      given,
    );
  }

  close(): void {
    this.#database.close();
  }

  #rows(sql: string, given: Record<string, SQLInputValue> = {}): Record<string, unknown>[] {
    const rows = this.#database.prepare(sql).all(given);
    return rows.map((row) =>
      Object.fromEntries(
        Object.entries(row)
          .filter(([, value]) => value !== null)
          .map(([key, value]) => [key, key === 'isExported' ? value === 1 : value]),
      ),
    );
  }
}

const select = 'SELECT name, kind, file, line, parent, signature, doc, isExported FROM symbols';
