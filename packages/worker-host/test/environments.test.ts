import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { Gate } from '../../../scripts/lib/gate.ts';
import { pythonCode } from '../../../scripts/lib/python-code.ts';
import { Endpoint } from './warm-worker.ts';

const offline = { UV_OFFLINE: '1', PIP_NO_INDEX: '1' };
/** It ends when the gate is opened. */
const version = (name: string, gate: Gate): string =>
  pythonCode`
    def f():
        import ${name}
        ${gate.wait}
        return ${name}.__version__
  `;
let endpoint: Endpoint;

beforeAll(async () => {
  endpoint = await new Endpoint().make(['six==1.15.0']);
});
afterAll(() => endpoint.remove());

describe('a worker with isolated environments', () => {
  it('runs two requests with conflicting versions of one package at the same time', async () => {
    const worker = endpoint.worker();
    await worker.worker.start();
    const versions = ['0.12.0', '1.0.0'];
    const gate = new Gate();
    const code = version('toolz', gate);
    const both = versions.map((one) => worker.run(code, { dependencies: [`toolz==${one}`] }));
    await gate.come(2);
    gate.open();
    expect((await Promise.all(both)).map(({ json_result }) => json_result)).toEqual(versions);
    const { text } = await worker.worker.metrics.expose();
    expect(text).toContain('flash_environments{state="kept"} 2\n');
    expect(text).toContain('flash_environments{state="open"} 2\n');
    // And the base has neither, but what it has is in both.
    expect((await worker.run('def f():\n    import toolz')).error).toContain('toolz');
    const six = 'def f():\n    import six\n    return six.__version__';
    for (const dependencies of [[], ['toolz==1.0.0'], ['toolz==0.12.0']])
      expect((await worker.run(six, { dependencies })).json_result).toBe('1.15.0');
    await worker.close();
  });

  it('keeps an instance where it is, whatever its next request needs', async () => {
    const worker = endpoint.worker();
    const call = (request: object) =>
      worker.run('', {
        execution_type: 'class',
        class_name: 'C',
        class_code: pythonCode`
          import sys
          class C:
              n = 0
              def add(self):
                  self.n += 1
                  return [self.n, sys.prefix]
        `,
        method_name: 'add',
        instance_id: 'one',
        create_new_instance: false,
        ...request,
      });
    const results = [];
    for (const dependencies of [['toolz==1.0.0'], [], ['toolz==0.12.0']])
      results.push((await call({ dependencies })).json_result as [number, string]);
    expect(results.map(([count]) => count)).toEqual([1, 2, 3]);
    expect(new Set(results.map(([, prefix]) => prefix)).size).toBe(1);
    // One that is made anew is made in the environment that was asked for.
    const anew = await call({ dependencies: ['toolz==0.12.0'], create_new_instance: true });
    expect(anew.json_result).toEqual([1, expect.not.stringContaining(results[0]?.[1] ?? '?')]);
    await worker.close();
  });

  it('brings what another worker has built from the volume: no index, no resolver, nothing built', async () => {
    const request = { dependencies: ['humanize==4.12.3', 'isodate'] };
    const code = 'def f():\n    import humanize, isodate\n    return humanize.intcomma(12345)';
    const first = endpoint.worker();
    expect((await first.run(code, request)).json_result).toBe('12,345');
    await first.logged('a directory was kept');
    await first.close();
    const second = endpoint.worker(offline);
    const { json_result, stdout } = await second.run(code, request);
    expect(json_result).toBe('12,345');
    expect(stdout).toContain('came from the volume');
    expect(second.log.messages.filter((message) => message.includes('was built'))).toEqual([]);
    await second.close();
  });

  it('is warm before its first request: the last environment is there, with what was costly to import', async () => {
    const request = { dependencies: ['numpy', 'pandas'] };
    const code = `
def f():
    import sys
    had = "numpy" in sys.modules and "pandas" in sys.modules
    import numpy, pandas
    ones = numpy.ones((300, 300))
    return [had, int(pandas.Series(range(5)).sum()), float((ones @ ones)[0, 0])]`;
    const first = endpoint.worker();
    await first.worker.start();
    expect((await first.run(code, request)).json_result).toEqual([false, 10, 300]);
    await first.logged('a directory was kept');
    await first.close();
    const second = endpoint.worker(offline);
    await second.worker.start();
    await second.logged('imported ahead', 'pandas');
    for (let attempt = 0; attempt < 3; attempt++)
      expect((await second.run(code, request)).json_result).toEqual([true, 10, 300]);
    await second.close();
    const off = endpoint.worker({ ...offline, FLASH_PREIMPORT: 'off' });
    await off.worker.start();
    await off.logged('came from the volume');
    expect((await off.run(code, request)).json_result).toEqual([false, 10, 300]);
    await off.close();
  });

  it('hands user code what Hugging Face’s libraries look for, and keeps what they download', async () => {
    const machine = endpoint.newMachine({
      HF_TOKEN: 'hf-secret-token',
      HF_HUB_ENABLE_HF_TRANSFER: '1',
      FLASH_CACHE_BIG_FILE_BYTES: '1000000',
    });
    const worker = endpoint.workerWith({ ...machine, HF_HOME: `${machine.FLASH_CACHE_DIR}/huggingface` });
    const download = `
def f():
    import os
    hub = os.path.join(os.environ["HF_HOME"], "hub/models--a--b")
    for directory in ("blobs", "snapshots/1", "refs"):
        os.makedirs(os.path.join(hub, directory), exist_ok=True)
    with open(os.path.join(hub, "blobs/model"), "wb") as file:
        file.write(b"weights!" * 500_000)
    os.symlink("../../blobs/model", os.path.join(hub, "snapshots/1/model"))
    open(os.path.join(hub, "refs/main"), "w").write("1")
    return [os.environ["HF_HUB_ENABLE_HF_TRANSFER"], os.environ["HF_TOKEN"]]`;
    expect((await worker.run(download, { dependencies: ['six'] })).json_result).toEqual([
      '1',
      'hf-secret-token',
    ]);
    await worker.close();
    expect(JSON.stringify(worker.log.events)).not.toContain('hf-secret-token');
    const other = endpoint.newMachine(offline);
    const look = endpoint.workerWith({ ...other, HF_HOME: `${other.FLASH_CACHE_DIR}/huggingface` });
    const found = await look.run(
      pythonCode`
        def f():
            import os
            hub = os.environ["HF_HOME"] + "/hub/models--a--b"
            return [os.path.getsize(hub + "/snapshots/1/model"), os.path.exists(hub + "/refs/main")]
      `,
      { dependencies: ['six'] },
    );
    expect(found.json_result).toEqual([4_000_000, false]);
    await look.close();
  });
});

describe('a worker with one shared interpreter', () => {
  it('installs what was resolved before out of the cache that the volume keeps', async () => {
    const request = { dependencies: ['cowsay', 'toolz>=1'] };
    const code = 'def f():\n    import cowsay, toolz\n    return toolz.__version__';
    const image = await new Endpoint().make();
    const first = endpoint.worker({ FLASH_ENVIRONMENTS: 'shared', FLASH_PYTHON: image.python });
    const installed = await first.run(code, request);
    expect(installed.success).toBe(true);
    await first.close();
    await image.remove();
    // Another machine with the same image: nothing of it is installed there.
    await image.make();
    const second = endpoint.worker({
      ...offline,
      FLASH_ENVIRONMENTS: 'shared',
      FLASH_PYTHON: image.python,
    });
    const again = await second.run(code, request);
    expect(again.json_result).toBe(installed.json_result);
    await second.close();
    await image.remove();
  });
});
