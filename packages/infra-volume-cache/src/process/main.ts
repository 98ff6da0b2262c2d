import { setPriority } from 'node:os';
import type { CachePart } from '@flash/worker-core';
import { CacheSession } from './cache-session.ts';
import type { KeptPlace } from '../kept-place.ts';
import type { Message, Question } from './messages.ts';
import type { SessionOptions } from './session-options.ts';

/** Requests come first: the cache takes what processor time they leave. */
const backgroundPriority = 10;

let session: CacheSession | undefined;
/** Why there is no session. */
let unopened = new Error('no cache was opened');
let earlier: Promise<void> = Promise.resolve();
let earliest = earlier;

process.on('message', (question: Question) => {
  // A request waits for these, and they need nothing of what is under way.
  if (question.name === 'fetch' || question.name === 'kept') void earliest.then(() => answer(question));
  else earlier = earlier.then(() => answer(question));
  if (question.name === 'open') earliest = earlier;
});
// The worker is gone. What was being written was not published, and is removed by a later maintenance.
process.on('disconnect', () => process.exit());

async function answer({ call, name, with: given }: Question): Promise<void> {
  try {
    send({ kind: 'answer', call, answer: await carryOut(call, name, given) });
  } catch (error) {
    const { message, code } = error as NodeJS.ErrnoException;
    send({ kind: 'failure', call, message, code });
  }
}

async function carryOut(call: number, name: Question['name'], given: unknown): Promise<unknown> {
  if (name === 'open') {
    try {
      session = new CacheSession(given as SessionOptions, (line) => send({ kind: 'warning', line }));
    } catch (error) {
      unopened = error as Error;
      throw error;
    }
    return undefined;
  }
  if (session === undefined) throw unopened;
  switch (name) {
    case 'hydrate':
      return session.hydrate(given as CachePart | undefined);
    case 'kept':
      return session.kept();
    case 'fetch':
      return session.fetch(given as KeptPlace, (stage) => send({ kind: 'stage', call, stage }));
    case 'keep': {
      const { name: kept, directory } = given as KeptPlace;
      setPriority(backgroundPriority);
      return session.keep(kept, directory);
    }
    case 'sync':
      setPriority(backgroundPriority);
      return session.sync(given as boolean);
    case 'maintain':
      return session.maintain();
  }
}

function send(message: Message): void {
  process.send?.(message);
}
