import { afterAll, beforeAll, expect, it } from '@jest/globals';
import { Endpoint } from './warm-worker.ts';

let endpoint: Endpoint;
beforeAll(async () => {
  endpoint = await new Endpoint().make();
});
afterAll(() => endpoint.remove());

const code = `
def f():
    import os, subprocess, sys

    def said(*command, **options):
        return subprocess.run(command, capture_output=True, text=True, check=True, **options).stdout.strip()

    where = "import sys, tabulate; print(sys.prefix, tabulate.__version__)"
    return {
        "pythons": [said(python, "-c", where) == f"{sys.prefix} 0.9.0" for python in ("python", "python3", sys.executable)],
        "shell": said("sh", "-c", "python -c 'print(6 * 7)'"),
        "command": said("tabulate", "--format", "plain", input="a b"),
        "first": os.environ["PATH"].split(":")[0] == os.path.dirname(sys.executable),
        "active": os.environ["VIRTUAL_ENV"] == sys.prefix,
    }
`;

it.each(['shared', 'isolated'])(
  'user code finds its Python and the commands of installed packages: %s',
  async (FLASH_ENVIRONMENTS) => {
    const worker = endpoint.worker({ FLASH_ENVIRONMENTS, PATH: '/usr/bin:/bin', VIRTUAL_ENV: '' });
    const { json_result, error } = await worker.run(code, { dependencies: ['tabulate==0.9.0'] });
    expect(error).toBeNull();
    expect(json_result).toEqual({
      pythons: [true, true, true],
      shell: '42',
      command: 'a  b',
      first: true,
      active: true,
    });
    await worker.close();
  },
);

it('a contradiction is the answer of its request, in words, and the request before it is as it was', async () => {
  const worker = endpoint.worker({ FLASH_ENVIRONMENTS: 'shared' });
  const version = 'def f():\n    import humanize\n    return humanize.__version__';
  const first = { dependencies: ['humanize==4.9.0'] };
  expect((await worker.run(version, first)).json_result).toBe('4.9.0');
  const { success, error } = await worker.run(version, { dependencies: ['Humanize==4.12.3'] });
  expect(success).toBe(false);
  for (const part of ['humanize==4.12.3', 'humanize==4.9.0', 'FLASH_ENVIRONMENTS=isolated'])
    expect(error).toContain(part);
  expect((await worker.run(version, first)).json_result).toBe('4.9.0');
  await worker.close();
});

it('without acceleration, and without pip, uv installs', async () => {
  const worker = endpoint.worker({ FLASH_ENVIRONMENTS: 'shared' });
  const request = { dependencies: ['pyjokes==0.8.3'], accelerate_downloads: false };
  const { json_result, stdout } = await worker.run('def f():\n    import pyjokes\n    return 1', request);
  expect(json_result).toBe(1);
  expect(stdout?.match(/has no pip: installing with uv/g)).toHaveLength(1);
  await worker.close();
});
