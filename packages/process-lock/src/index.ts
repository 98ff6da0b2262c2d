/** `@flash/process-lock`: processes that share a directory, and whether they still run. */
export { isRunning, type ProcessIdentity, readIdentity, thisProcess } from './process-identity.ts';
export { isTagRunning, processTag, processTagPattern } from './process-tag.ts';
export { withLock } from './with-lock.ts';
