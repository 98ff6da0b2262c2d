import * as z from 'zod';

/** `null` and a missing key both mean "absent" (docs/reference/protocol.md, FunctionRequest). */
const absentList = <T extends z.ZodType>(element: T) =>
  z
    .array(element)
    .nullish()
    .transform((value) => value ?? []);

const absentRecord = <T extends z.ZodType>(value: T) =>
  z
    .record(z.string(), value)
    .nullish()
    .transform((entries) => entries ?? {});

const absentDefault = <T>(schema: z.ZodType<T>, fallback: T) =>
  schema.nullish().transform((value) => value ?? fallback);

/**
 * The wire form of one request to run a function or a method, with its defaults (docs/reference/protocol.md, FunctionRequest).
 * Unknown fields are ignored, so that newer clients keep working.
 *
 * Built when it is first asked: that takes a tenth of a worker's start, which has no need of it.
 */
export const functionRequestSchema = z.lazy(() => build());

/** A validated request with wire names; used inside `protocol/` and by code that builds requests. */
export type FunctionRequest = z.output<typeof functionRequestSchema>;

/** What a caller may write: every field optional but the name of what to run. */
export type FunctionRequestInput = z.input<typeof functionRequestSchema>;

/** The fields whose elements are base64 of a pickle in the format "cloudpickle" (docs/reference/protocol.md, FunctionRequest). */
export const encodedFields = ['args', 'kwargs', 'constructor_args', 'constructor_kwargs'] as const;

/** Python source. */
function source() {
  // JSON can write a half of a surrogate pair, which no file of source can hold.
  const isText = (text: string) => text.isWellFormed();
  return z.string().refine(isText, 'it holds a half of a surrogate pair, such as \\ud800, which is no text');
}

function build() {
  const text = z.string().nullish();
  return z
    .object({
      execution_type: absentDefault(z.enum(['function', 'class']), 'function'),
      function_name: text,
      function_code: source().nullish(),
      class_name: text,
      class_code: source().nullish(),
      method_name: absentDefault(z.string(), '__call__'),
      args: absentList(z.unknown()),
      kwargs: absentRecord(z.unknown()),
      constructor_args: absentList(z.unknown()),
      constructor_kwargs: absentRecord(z.unknown()),
      instance_id: text,
      create_new_instance: absentDefault(z.boolean(), true),
      dependencies: absentList(z.string()),
      system_dependencies: absentList(z.string()),
      accelerate_downloads: absentDefault(z.boolean(), true),
      modules: absentRecord(source()),
      serialization_format: absentDefault(z.enum(['cloudpickle', 'json']), 'cloudpickle'),
    })
    .superRefine((request, context) => {
      const name = request.execution_type === 'class' ? 'class_name' : 'function_name';
      if (!request[name]) {
        context.addIssue({
          code: 'custom',
          path: [name],
          message: `required when execution_type is "${request.execution_type}"`,
        });
      }
      for (const path of Object.keys(request.modules)) {
        const problem = modulePathProblem(path);
        if (problem) context.addIssue({ code: 'custom', path: ['modules', path], message: problem });
      }
      if (request.serialization_format === 'cloudpickle') requireStrings(request, context);
    });
}

const mostShown = 5;

/** Without this check a plain value would surface as a decoding error from Python, far from its cause. */
function requireStrings(request: FunctionRequest, context: z.RefinementCtx): void {
  for (const field of encodedFields) {
    let found = 0;
    const values: readonly unknown[] | Record<string, unknown> = request[field];
    for (const key in values) {
      if (typeof (values as Record<string, unknown>)[key] === 'string') continue;
      // More are not shown, and a body of megabytes may have millions.
      if (++found > mostShown) break;
      context.addIssue({
        code: 'custom',
        path: [field, key],
        message: 'expected a base64 cloudpickle string; plain values need serialization_format "json"',
      });
    }
  }
}

/**
 * Why a key of `modules` can't be used as a file below the request's module directory, or `undefined` when it can.
 * Paths are POSIX and relative (docs/reference/protocol.md, FunctionRequest).
 */
function modulePathProblem(path: string): string | undefined {
  if (path === '') return 'a module path must not be empty';
  if (path.includes('\0')) return 'a module path must not contain a NUL character';
  if (!path.isWellFormed()) return 'a module path must not contain a half of a surrogate pair';
  if (path.startsWith('/') || path.includes('\\'))
    return 'a module path must be relative, with "/" between its parts';
  const parts = path.split('/');
  if (parts.includes('..')) return 'a module path must not leave its directory ("..")';
  if (parts.some((part) => part === '' || part === '.'))
    return 'a module path must not have empty or "." parts';
  if (!path.endsWith('.py')) return 'a module path must end in ".py"';
  return undefined;
}
