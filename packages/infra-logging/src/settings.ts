import * as z from 'zod';

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

const levelSchema = z
  .string()
  .transform((name) => name.toUpperCase())
  .pipe(z.enum(Object.keys(levels) as [keyof typeof levels]))
  .transform((name) => levels[name]);

/** Settings of logging by the environment variable that sets each. */
export const loggingSettingsSchema = z.object({
  RUNPOD_LOG_LEVEL: levelSchema.optional().describe('Least level that is logged; wins over LOG_LEVEL'),
  LOG_LEVEL: levelSchema.optional().describe('Least level that is logged; default INFO'),
  RUNPOD_ENDPOINT_ID: z
    .string()
    .optional()
    .describe('Endpoint this worker belongs to; when set, logs have the platform’s JSON format'),
});

export type LoggingSettings = z.output<typeof loggingSettingsSchema>;
