import { describe, expect, it } from '@jest/globals';
import { PortSteering } from './port-steering.ts';

const place = { host: '', port: 1, isIpv6: false, isShared: true, keepAliveMs: 0, drainMs: 0 };
const settled = (): Promise<void> => new Promise((resolve) => setTimeout(resolve, 1));

/** A steering with what it told: its listener, and each process by number. */
function steering(isShared = true, workers = 1) {
  const told: string[] = [];
  const of = (number: number) => ({
    place: (_: unknown, share: boolean, steer: number | undefined) =>
      told.push(`${number}: place ${share} ${steer}`),
    steer: (processes: number) => told.push(`${number}: steer ${processes}`),
  });
  const processes = [of(0), of(1), of(2)] as const;
  const ports = new PortSteering<ReturnType<typeof of>>({ ...place, isShared }, workers > 1, {
    ready: () => told.push('ready'),
    releasePort: async () => void told.push('release'),
  });
  return { told, ports, processes };
}

describe('PortSteering', () => {
  it('is ready at once when the process itself has told the kernel', async () => {
    const { told, ports, processes } = steering();
    await ports.admit(processes[0]);
    ports.joined(processes[0], 1);
    await settled();
    expect(told).toEqual(['0: place true 1', 'ready']);
  });

  it('lets go of the port when the kernel can’t be told', async () => {
    const { told, ports, processes } = steering();
    await ports.admit(processes[0]);
    ports.joined(processes[0], undefined);
    await settled();
    expect(told).toEqual(['0: place true 1', 'release', 'ready']);
    ports.left(processes[0]);
    await ports.admit(processes[1]);
    ports.joined(processes[1], undefined);
    await settled();
    expect(told.slice(3)).toEqual(['1: place true undefined', 'ready']);
  });

  it('lets go of a port that is not shared before it is bound, and tells the kernel nothing', async () => {
    const { told, ports, processes } = steering(false, 2);
    for (const process of [processes[0], processes[1]]) {
      await ports.admit(process);
      ports.joined(process, undefined);
    }
    await settled();
    expect(told).toEqual([
      'release',
      '0: place true undefined',
      'ready',
      'release',
      '1: place true undefined',
    ]);
  });

  it('has the kernel told anew whenever a process comes or goes, one question at a time', async () => {
    const { told, ports, processes } = steering(true, 3);
    const [a, b, c] = processes;
    for (const process of [a, b, c]) await ports.admit(process);
    expect(told).toEqual(['0: place true 1', '1: place true 1', '2: place true 1']);
    told.length = 0;
    ports.joined(a, 1);
    ports.joined(b, 1);
    ports.joined(c, 1);
    await settled();
    expect(told).toEqual(['ready', '0: steer 2']);
    ports.steered(a, true);
    await settled();
    expect(told.slice(2)).toEqual(['0: steer 3']);
    ports.left(a);
    expect(told.slice(3)).toEqual(['1: steer 2']);
    ports.steered(a, true);
    ports.steered(b, true);
    await settled();
    expect(told.slice(4)).toEqual([]);
  });

  it('is ready again after the last process has gone and another has come', async () => {
    const { told, ports, processes } = steering();
    for (const process of [processes[0], processes[1]]) {
      await ports.admit(process);
      ports.joined(process, 1);
      await settled();
      ports.left(process);
      expect(ports.isEmpty).toBe(true);
    }
    expect(told.filter((event) => event === 'ready')).toHaveLength(2);
  });
});
