/** `@flash/lb-app`: the HTTP entry, for hosts that want to run it in their own process. */
export { LbServer } from './lb-server.ts';
export { type LbSettings, lbSettingsSchema } from './settings.ts';
