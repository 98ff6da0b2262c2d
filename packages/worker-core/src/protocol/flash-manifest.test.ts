import { expect, it } from '@jest/globals';
import { flashManifestSchema } from './flash-manifest.ts';

it('keeps keys it does not know and fills in the defaults', () => {
  const manifest = flashManifestSchema.parse({
    version: '1.0',
    extra: 1,
    function_registry: { f: 'gpu' },
    resources: {
      gpu: {
        resource_type: 'LiveServerless',
        more: true,
        functions: [{ name: 'f', module: 'm', also: 'kept' }],
      },
    },
  });
  expect(manifest).toMatchObject({
    extra: 1,
    resources: {
      gpu: {
        more: true,
        makes_remote_calls: true,
        max_concurrency: 1,
        functions: [{ name: 'f', module: 'm', is_async: false, is_class: false, also: 'kept' }],
      },
    },
  });
});
