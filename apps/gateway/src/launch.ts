import { Faults, gatewaySettingsSchema, startGateway } from '@flash/queue-gateway';
import { logRuntimeErrors, emergencyLog, readSettings, writeFatal } from '@flash/worker-host';
import { readGatewayFlags, usage } from './flags.ts';

const log = emergencyLog(process.env);
logRuntimeErrors(log);
main().catch((error: unknown) => {
  writeFatal(log, error);
  process.exitCode = 1;
});

/** Serves until asked to end. */
async function main(): Promise<void> {
  const flags = readGatewayFlags(process.argv.slice(2));
  if (flags === undefined) {
    process.stdout.write(usage);
    return;
  }
  const rate = flags['fault-rate'];
  const faults =
    rate === 0
      ? undefined
      : new Faults({
          rate,
          kinds: flags['fault-kinds'],
          statuses: flags['fault-statuses'],
          latencyMs: flags['fault-latency-ms'],
        });
  const gateway = await startGateway({
    host: flags.host,
    port: flags.port,
    settings: readSettings(gatewaySettingsSchema, process.env),
    log,
    faults,
  });
  log.write('info', 'serving the queue API for clients and workers', {
    console: `http://${flags.host}:${gateway.port}/`,
    url: `http://${flags.host}:${gateway.port}/v2/local`,
    port: gateway.port,
    ...(faults === undefined ? {} : { faultRate: rate }),
  });
  await new Promise((resolve) => {
    process.once('SIGTERM', resolve);
    process.once('SIGINT', resolve);
  });
  await gateway.close();
}
