import { createServer } from 'node:http';

/** The platform's side of the queue protocol with as little as possible around it, and a clock: what both workers are measured with. */
export async function startQueueServer() {
  const waiting = [];
  const jobs = [];
  const stops = [];
  const started = new Map();
  const done = new Map();
  const firstTake = Promise.withResolvers();
  const server = createServer((request, response) => {
    const { pathname } = new URL(request.url, 'http://queue');
    if (pathname.includes('/job-take')) {
      firstTake.resolve(performance.now());
      waiting.push(response);
      response.once('close', () => {
        if (!response.writableEnded) waiting.splice(waiting.indexOf(response), 1);
      });
      return hand();
    }
    if (pathname.includes('/job-stop/')) {
      stops.push(response);
      return undefined;
    }
    let body = '';
    request.setEncoding('utf8').on('data', (text) => {
      body += text;
    });
    return request.on('end', () => {
      const id = pathname.split('/').at(-1);
      if (pathname.includes('/job-done/')) done.get(id)?.({ at: performance.now(), body: JSON.parse(body) });
      response.writeHead(200, { 'content-type': 'application/json' }).end('{}');
    });
  });
  await new Promise((resolve) => server.listen(0, '127.0.0.1', resolve));

  function hand() {
    while (waiting.length > 0 && jobs.length > 0) {
      const job = jobs.shift();
      started.set(job.id, performance.now());
      waiting.shift().writeHead(200, { 'content-type': 'application/json' }).end(JSON.stringify(job));
    }
  }

  let number = 0;
  return {
    /** Resolves with when a worker asked first. */
    firstTake: firstTake.promise,
    base: `http://127.0.0.1:${server.address().port}/v2/bench`,
    isAsked: () => waiting.length > 0,
    /** Makes a job available; resolves with when it was and when its result came. */
    async submit(input) {
      const id = `job-${++number}`;
      const result = new Promise((resolve) => done.set(id, resolve));
      jobs.push({ id, input });
      const availableAt = performance.now();
      hand();
      const { at, body } = await result;
      done.delete(id);
      return { id, availableAt, at, body };
    },
    /** Has the worker stop a job. */
    stop(id) {
      for (const response of stops.splice(0))
        response
          .writeHead(200, { 'content-type': 'application/json' })
          .end(JSON.stringify({ jobsToStop: [id] }));
    },
    last: () => number,
    close() {
      server.closeAllConnections();
      server.close();
    },
  };
}
