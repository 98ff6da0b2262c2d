import * as z from 'zod';

/** One deployed function or class of a resource (docs/reference/protocol.md, Manifest). */
const manifestFunctionSchema = z.lazy(() =>
  z.looseObject({
    name: z.string(),
    module: z.string(),
    is_async: z.boolean().default(false),
    is_class: z.boolean().default(false),
    class_methods: z.array(z.string()).nullish(),
    http_method: z.string().nullish(),
    http_path: z.string().nullish(),
  }),
);

export type ManifestFunction = z.output<typeof manifestFunctionSchema>;

/** One deployed resource: a queue endpoint or a load-balanced one (docs/reference/protocol.md, Manifest). */
const manifestResourceSchema = z.lazy(() =>
  z.looseObject({
    resource_type: z.string(),
    functions: z.array(manifestFunctionSchema).default([]),
    is_load_balanced: z.boolean().default(false),
    is_live_resource: z.boolean().default(false),
    makes_remote_calls: z.boolean().default(true),
    max_concurrency: z.int().positive().default(1),
    handler_file: z.string().nullish(),
  }),
);

export type ManifestResource = z.output<typeof manifestResourceSchema>;

/** `flash_manifest.json` as `flash build` writes it. Unknown keys are kept (docs/reference/protocol.md, Manifest). */
export const flashManifestSchema = z.lazy(() =>
  z.looseObject({
    version: z.string(),
    generated_at: z.string().nullish(),
    project_name: z.string().nullish(),
    function_registry: z.record(z.string(), z.string()).default({}),
    resources: z.record(z.string(), manifestResourceSchema).default({}),
    routes: z.record(z.string(), z.record(z.string(), z.string())).nullish(),
    resources_endpoints: z.record(z.string(), z.string()).nullish(),
  }),
);

export type FlashManifest = z.output<typeof flashManifestSchema>;
