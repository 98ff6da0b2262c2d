import { parseArgs } from 'node:util';
import { SettingsError, validationMessage } from '@flash/worker-core';
import { faultKinds } from '@flash/queue-gateway';
import * as z from 'zod';

const list = (text: string): string[] => text.split(',').filter((item) => item !== '');

const flagsSchema = z.object({
  host: z.string().default('127.0.0.1'),
  port: z.coerce.number().int().min(0).max(65_535).default(8000),
  'fault-rate': z.coerce.number().min(0).max(1).default(0),
  'fault-kinds': z
    .string()
    .default(faultKinds.join(','))
    .transform(list)
    .pipe(z.array(z.enum(faultKinds))),
  'fault-statuses': z
    .string()
    .default('500,502,503,429')
    .transform((text) => list(text).map(Number))
    .pipe(z.array(z.number().int().min(400).max(599)).min(1)),
  'fault-latency-ms': z.coerce.number().int().nonnegative().default(500),
});

export type GatewayFlags = z.output<typeof flagsSchema>;

/** What `--help` prints. */
export const usage = `The platform's queue API on this machine: clients submit jobs, workers take them.

  --host NAME             address to listen on (127.0.0.1)
  --port NUMBER           port to listen on (8000); 0: any free one
  --fault-rate SHARE      share of the workers' calls that go wrong on purpose, 0 to 1 (0)
  --fault-kinds LIST      of ${faultKinds.join(', ')} (all)
  --fault-statuses LIST   HTTP statuses to answer with (500,502,503,429)
  --fault-latency-ms N    longest delay on purpose (500)

Bounds and times are set by FLASH_GATEWAY_… variables; see README.md.
`;

/** @throws SettingsError naming the flag that is wrong. `undefined` when only the usage is asked for. */
export function readGatewayFlags(args: readonly string[]): GatewayFlags | undefined {
  const names = Object.keys(flagsSchema.shape);
  let values: Record<string, unknown>;
  try {
    ({ values } = parseArgs({
      args: [...args],
      options: {
        help: { type: 'boolean' },
        ...Object.fromEntries(names.map((name) => [name, { type: 'string' as const }])),
      },
    }));
  } catch (cause) {
    throw new SettingsError(`${(cause as Error).message}; --help lists the flags`, { cause });
  }
  if (values.help === true) return undefined;
  const flags = flagsSchema.safeParse(values);
  if (!flags.success) throw new SettingsError(`wrong flags: ${validationMessage(flags.error)}`);
  return flags.data;
}
