import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { expect, it } from '@jest/globals';

const root = fileURLToPath(new URL('../../..', import.meta.url));
/** The message of a line of level warn or error, or of one that has such a level in some cases. */
const said = /\.write\(\s*(?:'(?:warn|error)'|[^,]+ \? [^,]*'(?:warn|error)'[^,]*),\s*'([^']+)'/g;

/** What the worker's own code warns of; queue-gateway is no part of a worker. */
function warnings(): readonly string[] {
  const sources = ['packages', 'apps']
    .flatMap((directory) =>
      readdirSync(join(root, directory), { recursive: true, encoding: 'utf8' }).map((file) =>
        join(directory, file),
      ),
    )
    .filter(
      (file) =>
        /\/src\/.*\.ts$/.test(file) &&
        !/\.test\.|testing\/|queue-gateway|apps\/gateway|node_modules/.test(file),
    );
  return sources.flatMap((file) =>
    [...readFileSync(join(root, file), 'utf8').matchAll(said)].map((match) => match[1] as string),
  );
}

it('the guide for operators explains every warning and error of the log', () => {
  const guide = readFileSync(join(root, 'docs/guides/operate.md'), 'utf8');
  const all = warnings();
  expect(all.length).toBeGreaterThan(40);
  expect(all.filter((line) => !guide.includes(line))).toEqual([]);
});
