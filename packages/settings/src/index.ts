/** `@flash/settings`: settings by the environment variable that sets each. */
export {
  choice,
  directory,
  positiveInteger,
  nonNegativeInteger,
  flag,
  httpUrl,
  integer,
  milliseconds,
  positiveMilliseconds,
  read,
  share,
  text,
  keyword,
} from './kinds.ts';
export { isInProc } from './proc-directory.ts';
export { Setting } from './setting.ts';
export {
  defineSettings,
  type SettingsOf,
  type SettingsResult,
  type SettingsSchema,
  type SettingsShape,
} from './settings-schema.ts';
