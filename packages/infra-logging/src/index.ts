/** `@flash/infra-logging`: the Log port on pino. */
export { type LoggingModuleOptions, loggingModule, openLog } from './module.ts';
export { PinoLog, type PinoLogOptions } from './pino-log.ts';
export { PlatformLog, type PlatformLogOptions } from './platform-log.ts';
export { type LoggingSettings, loggingSettingsSchema } from './settings.ts';
