import * as z from 'zod';
import type { Frame } from './frames.ts';

/** Why a runner takes no more function requests. */
export interface Retirement {
  /** A word for the metric: state, threads, children, descriptors, memory, patches, requests. */
  readonly kind: string;
  readonly reason: string;
}

const mostCharacters = 1000;

const schema = z.lazy(() =>
  z.object({
    kind: z.string().regex(/^[a-z]{1,20}$/),
    reason: z.string().transform((text) => text.slice(0, mostCharacters)),
  }),
);

/** @throws ZodError or SyntaxError when the frame holds no retirement. */
export function readRetirement({ body }: Frame): Retirement {
  return schema.parse(JSON.parse(body.toString()));
}
