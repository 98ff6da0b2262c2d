import { parentPort } from 'node:worker_threads';
import { type RestorationReport, restore, type Share } from '../restoration.ts';

export type RestoreAnswer =
  | { readonly kind: 'report'; readonly report: RestorationReport }
  | { readonly kind: 'failure'; readonly message: string; readonly code: string | undefined };

parentPort?.on('message', (share: Share) => parentPort?.postMessage(answer(share)));

function answer(share: Share): RestoreAnswer {
  try {
    return { kind: 'report', report: restore(share) };
  } catch (error) {
    const { message, code } = error as NodeJS.ErrnoException;
    return { kind: 'failure', message, code };
  }
}
