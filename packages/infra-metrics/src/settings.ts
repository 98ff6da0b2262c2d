import { defineSettings, integer, type SettingsOf, text } from '@flash/settings';

/** Settings of metrics by the environment variable that sets each. */
export const metricsSettingsSchema = defineSettings({
  FLASH_METRICS_PORT: integer(
    [0, 65_535],
    undefined,
    'Port of its own for GET /metrics; 0: any free one; absent: none, and lb-app serves it beside /execute',
  ),
  FLASH_METRICS_HOST: text('0.0.0.0', 'Address of that port'),
});

export type MetricsSettings = SettingsOf<typeof metricsSettingsSchema>;
