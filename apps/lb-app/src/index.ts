/** `@flash/lb-app`: the HTTP entry, for hosts that want to run it in their own process. */
export { AppFrontDoor } from './app-front-door.ts';
export { LbServer } from './lb-server.ts';
export { type LbSettings, lbSettingsSchema } from './settings.ts';
