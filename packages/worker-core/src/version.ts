/** Version of the worker, as heartbeats and error reports give it (contract, section 5). */
export const workerVersion = '0.1.0';
