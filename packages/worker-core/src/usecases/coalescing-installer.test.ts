import { describe, expect, it } from '@jest/globals';
import { FakeInstaller } from '../testing/fake-installer.ts';
import { CoalescingInstaller } from './coalescing-installer.ts';

function blocked() {
  const inner = new FakeInstaller();
  const gate = Promise.withResolvers<void>();
  const signals: (AbortSignal | undefined)[] = [];
  inner.work = async (_, { signal, onLine }) => {
    signals.push(signal);
    onLine?.('working');
    await gate.promise;
  };
  return { inner, gate, signals, installer: new CoalescingInstaller(inner) };
}

const options = { accelerate: true };
const tick = (): Promise<void> => new Promise((resolve) => setImmediate(resolve));

describe('CoalescingInstaller', () => {
  it('runs identical installations once, whatever the order of the names, and shows both the lines', async () => {
    const { inner, gate, installer } = blocked();
    const lines: string[][] = [[], []];
    const both = [
      installer.install(['a', 'b'], { ...options, onLine: (line) => lines[0]?.push(line) }),
      installer.install(['b', 'a'], { ...options, onLine: (line) => lines[1]?.push(line) }),
    ];
    gate.resolve();
    await Promise.all(both);
    expect(inner.calls).toHaveLength(1);
    expect(lines[0]).toContain('installed a');
    expect(lines[1]).toEqual([expect.stringContaining('waiting'), 'working', 'installed a', 'installed b']);
  });

  it('runs different installations one after the other, and skips what the first one brought', async () => {
    const { inner, gate, installer } = blocked();
    const both = [installer.install(['a', 'b'], options), installer.install(['b'], options)];
    await tick();
    expect(inner.calls).toHaveLength(1);
    gate.resolve();
    expect(await Promise.all(both)).toEqual([
      expect.arrayContaining([expect.objectContaining({ name: 'a' })]),
      [],
    ]);
    expect(inner.calls).toHaveLength(1);
  });

  it('lets one request leave without ending the installation of the other, and ends it when the last one leaves', async () => {
    const { signals, installer } = blocked();
    const [first, second] = [new AbortController(), new AbortController()];
    const installs = [first, second].map(({ signal }) => installer.install(['a'], { ...options, signal }));
    await tick();
    first.abort();
    await expect(installs[0]).rejects.toMatchObject({ failure: 'CANCELLED' });
    expect(signals[0]?.aborted).toBe(false);
    second.abort();
    await expect(installs[1]).rejects.toMatchObject({ failure: 'CANCELLED' });
    expect(signals[0]?.aborted).toBe(true);
  });

  it('goes on after a failure', async () => {
    const inner = new FakeInstaller();
    inner.unknown.add('a');
    const installer = new CoalescingInstaller(inner);
    await expect(installer.install(['a'], options)).rejects.toMatchObject({ failure: 'NOT_FOUND' });
    await expect(installer.install(['b'], options)).resolves.toHaveLength(1);
  });

  it('hands the whole set over, also what is installed, and promises what another request has brought', async () => {
    const inner = new FakeInstaller(['a=1']);
    const installer = new CoalescingInstaller(inner);
    await expect(installer.install(['a=1', 'a=2'], options)).rejects.toMatchObject({ failure: 'CONFLICT' });
    await Promise.all([installer.install(['a=1', 'b'], options), installer.install(['b'], options)]);
    expect(inner.calls.at(-1)?.packages).toEqual(['a=1', 'b']);
    expect([...inner.promised]).toEqual(['a=1', 'b']);
  });
});
