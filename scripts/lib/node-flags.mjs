import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { root } from './run.mjs';

/** What Node is started with in images and archives: the line of docker/flash-worker. */
export const nodeFlags = /^node_flags='(.*)'$/m
  .exec(readFileSync(join(root, 'docker/flash-worker'), 'utf8'))[1]
  .split(' ');
