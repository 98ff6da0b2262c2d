/** `@flash/settings`: settings by the environment variable that sets each. */
export {
  choice,
  count,
  countOrNone,
  flag,
  httpUrl,
  integer,
  milliseconds,
  positiveMilliseconds,
  read,
  share,
  text,
  wordFor,
} from './kinds.ts';
export { Setting } from './setting.ts';
export {
  defineSettings,
  type SettingsOf,
  type SettingsResult,
  type SettingsSchema,
  type SettingsShape,
} from './settings-schema.ts';
