import type { ServerOptions } from 'node:http';
import type { BodySettings } from './settings.ts';

/** How much longer than `readBody` Node waits: it ends requests whose bodies no route reads. */
const graceMs = 2000;
const longestCheckMs = 1000;

/**
 * Options of a server that ends on time what its clients leave unfinished. Node looks for such connections every 30 seconds by default, which is
 * how late it would be.
 */
export function serverTimeouts(
  settings: Pick<BodySettings, 'FLASH_HEADERS_TIMEOUT_MS' | 'FLASH_REQUEST_TIMEOUT_MS'>,
): Pick<ServerOptions, 'headersTimeout' | 'requestTimeout' | 'connectionsCheckingInterval'> {
  const { FLASH_HEADERS_TIMEOUT_MS: headersMs, FLASH_REQUEST_TIMEOUT_MS: requestMs } = settings;
  // 0 is no bound; Node refuses headers that may take longer than the whole.
  const bounds = [headersMs, requestMs].filter((ms) => ms > 0);
  const headersTimeout = bounds.length === 0 ? 0 : Math.min(...bounds);
  return {
    headersTimeout,
    requestTimeout: requestMs === 0 ? 0 : requestMs + graceMs,
    connectionsCheckingInterval:
      headersTimeout === 0
        ? longestCheckMs
        : Math.max(50, Math.min(longestCheckMs, Math.ceil(headersTimeout / 8))),
  };
}
