/** The worker's own: user code gets the queue neither to read nor to answer (docs/reference/protocol.md, Environment variables). */
const workerOnly = /^(RUNPOD_AI_API_KEY|RUNPOD_WEBHOOK_.*|OTEL_EXPORTER_OTLP_HEADERS)$/;

/** The worker's environment without the worker's own secrets and webhooks: of user code, and of the tools that install for it. */
export function userEnvironment(env: NodeJS.ProcessEnv): NodeJS.ProcessEnv {
  return Object.fromEntries(Object.entries(env).filter(([name]) => !workerOnly.test(name)));
}
