import * as z from 'zod';

/** What is known of a live instance after a call (docs/reference/protocol.md, FunctionResponse). Times are ISO 8601. */
const instanceInfoSchema = z.lazy(() =>
  z.looseObject({
    class_name: z.string(),
    created_at: z.string(),
    last_used: z.string(),
    method_calls: z.int(),
  }),
);

export type InstanceInfo = z.output<typeof instanceInfoSchema>;

/** The wire form of an answer: every key is always present, `null` when empty (docs/reference/protocol.md, FunctionResponse). */
export const functionResponseSchema = z.lazy(() =>
  z.looseObject({
    success: z.boolean(),
    result: z.string().nullable().default(null),
    json_result: z.unknown().default(null),
    error: z.string().nullable().default(null),
    stdout: z.string().nullable().default(null),
    instance_id: z.string().nullable().default(null),
    instance_info: instanceInfoSchema.nullable().default(null),
  }),
);

/** One answer with wire names. `error` is never empty when `success` is false. */
export interface FunctionResponse {
  readonly success: boolean;
  readonly result: string | null;
  readonly json_result: unknown;
  readonly error: string | null;
  readonly stdout: string | null;
  readonly instance_id: string | null;
  readonly instance_info: InstanceInfo | null;
}
