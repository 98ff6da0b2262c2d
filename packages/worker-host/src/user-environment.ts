/** The worker's own: user code gets the queue neither to read nor to answer (docs/reference/protocol.md, Environment variables). */
const workerOnly = /^(RUNPOD_AI_API_KEY|RUNPOD_WEBHOOK_.*|OTEL_EXPORTER_OTLP_HEADERS)$/;

/** The environment of user code: the worker's without the worker's own secrets and webhooks. */
export function userEnvironment(env: NodeJS.ProcessEnv): NodeJS.ProcessEnv {
  return Object.fromEntries(Object.entries(env).filter(([name]) => !workerOnly.test(name)));
}
