/** Version of the worker, as heartbeats and error reports give it (docs/reference/protocol.md, Ping). */
export const workerVersion = '0.1.0';
