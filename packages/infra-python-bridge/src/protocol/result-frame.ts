import type { HandlerAnswer, HandlerFailure } from '@flash/worker-core';
import * as z from 'zod';
import type { Answer } from '../run/run.ts';
import { type Frame, resultFlag } from './frames.ts';

const headerSchema = z.lazy(() =>
  z.object({
    error: z.string().optional(),
    has_instance: z.boolean().optional(),
    handler: z
      .object({ stream: z.boolean(), refresh: z.boolean(), empty: z.boolean(), error: z.string().nullable() })
      .optional(),
    failure: z
      .object({
        type: z.string(),
        message: z.string(),
        traceback: z.string(),
        missing: z.string().optional(),
      })
      .optional(),
  }),
);
type Header = z.output<typeof headerSchema>;
const noHeader: Header = {};

/** What a result frame says. */
export interface ResultFrame {
  readonly answer: Answer;
  /** Behind the run's output there is an end mark in the pipe. */
  readonly hasEndMark: boolean;
}

/**
 * Reads a result; most have no header, and then nothing is parsed.
 *
 * @throws ZodError or SyntaxError when the frame holds no result.
 */
export function readResultFrame({ flags, header: bytes, body }: Frame): ResultFrame {
  const header = bytes.length > 0 ? headerSchema.parse(JSON.parse(bytes.toString())) : noHeader;
  return {
    hasEndMark: (flags & resultFlag.endMark) !== 0,
    answer: {
      success: (flags & resultFlag.success) !== 0,
      handler: handlerAnswer(header),
      isEmpty: header.handler?.empty,
      failure: header.failure && handlerFailure(header.failure),
      format: (flags & resultFlag.json) !== 0 ? 'json' : 'cloudpickle',
      body: (flags & resultFlag.raw) !== 0 ? base64Of(body) : body,
      error: header.error,
      hasInstance: header.has_instance ?? true,
    },
  };
}

function handlerAnswer({ handler }: Header): HandlerAnswer | undefined {
  if (handler === undefined) return undefined;
  return {
    isStream: handler.stream,
    refreshWorker: handler.refresh,
    error: handler.error ?? undefined,
  };
}

function handlerFailure({ missing, ...failure }: NonNullable<Header['failure']>): HandlerFailure {
  return { ...failure, missingModule: missing };
}

/** A large result comes as it was pickled: encoding it here takes a tenth of what Python needs for it. */
function base64Of(bytes: Buffer): Buffer {
  return Buffer.from(bytes.toString('base64'), 'latin1');
}
