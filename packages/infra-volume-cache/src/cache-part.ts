import type { CachePart } from '@flash/worker-core';
import type { BytePath } from './byte-path.ts';

/** What package tools have downloaded: of use only to an installation, and often the larger part. */
const ofPackageTools = ['uv/', 'pip/', 'apt/', 'flash/resolutions/'];

const profiles = ['flash/imports/'];

/** The part of the cache that a path belongs to. */
export function partOf(path: BytePath): CachePart {
  const isBelow = (prefix: string): boolean => path.startsWith(prefix) || `${path}/` === prefix;
  if (profiles.some(isBelow)) return 'profiles';
  return ofPackageTools.some(isBelow) ? 'packages' : 'data';
}
