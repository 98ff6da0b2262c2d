import { createRequire } from 'node:module';
import { isatty } from 'node:tty';
import { type DestinationStream, destination } from 'pino';

/** JSON lines; on a terminal readable, coloured ones. */
export function openLogDestination(descriptor: number): DestinationStream {
  if (!isatty(descriptor)) return destination({ dest: descriptor, sync: true });
  // Loaded only for a person: a worker in a container never needs it.
  const pretty = createRequire(import.meta.url)('pino-pretty') as (options: object) => DestinationStream;
  return pretty({ destination: descriptor, sync: true, ignore: 'pid,hostname', translateTime: 'HH:MM:ss' });
}
