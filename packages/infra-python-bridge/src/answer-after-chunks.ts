import type { ChunkRelay } from './chunk-relay.ts';
import { refusedChunk } from './interruptions.ts';
import type { Answer, Run } from './run.ts';

/** The result comes after the chunks, also when those take longer than the run. */
export async function answerAfterChunks(run: Run, chunks: ChunkRelay, answer: Answer): Promise<void> {
  const error = await chunks.drained();
  run.answer(
    error === undefined ? answer : { ...answer, success: false, error: refusedChunk(error).message },
  );
}
