/** `@flash/http-body`: bodies of HTTP requests, bounded in size and in time. */
export { BodyError } from './body-error.ts';
export { explainClientErrors } from './explain-client-errors.ts';
export { discardBody, readBody } from './read-body.ts';
export { serverTimeouts } from './server-timeouts.ts';
export { type BodySettings, bodySettingsSchema } from './settings.ts';
