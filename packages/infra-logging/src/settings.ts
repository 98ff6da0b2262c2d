import { defineSettings, type SettingsOf, text, keyword } from '@flash/settings';

const levels = {
  DEBUG: 'debug',
  INFO: 'info',
  WARN: 'warn',
  WARNING: 'warn',
  ERROR: 'error',
  CRITICAL: 'error',
  FATAL: 'error',
  NOTSET: 'debug',
  TRACE: 'debug',
} as const;

const level = (description: string) => keyword(levels, undefined, description);

/** Settings of logging by the environment variable that sets each. */
export const loggingSettingsSchema = defineSettings({
  RUNPOD_LOG_LEVEL: level('Least level that is logged; wins over LOG_LEVEL'),
  LOG_LEVEL: level('Least level that is logged; default INFO'),
  RUNPOD_ENDPOINT_ID: text(
    undefined,
    'Endpoint this worker belongs to; when set, logs have the platform’s JSON format',
  ),
});

export type LoggingSettings = SettingsOf<typeof loggingSettingsSchema>;
