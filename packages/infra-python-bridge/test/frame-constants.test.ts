import { execFileSync } from 'node:child_process';
import { fileURLToPath } from 'node:url';
import { describe, expect, it } from '@jest/globals';
import { pythonCode } from '../../../scripts/lib/python-code.ts';
import { encodeFrame, type Frame, FrameReader, frameKind, resultFlag } from '../src/protocol/frames.ts';
import { testPython } from './bridge.ts';

/** Where Python has them: the runner's frames, its first one (made before `frames.py` is imported), and the supervisor of the Python tests. */
const files = {
  frames: 'python/flash_runner/protocol/frames.py',
  connection: 'python/flash_runner/protocol/connection.py',
  conftest: 'python/tests/conftest.py',
};

/** Numbers and layouts (`struct.Struct`) that a file assigns to names, read without importing it: pytest need not be there. */
const assigned = pythonCode`
  import ast, json, sys

  def value(node):
      if isinstance(node, ast.Call) and node.args and isinstance(node.args[0], ast.Constant):
          node = node.args[0]
      constant = node.value if isinstance(node, ast.Constant) else None
      return constant if isinstance(constant, (int, str)) else None

  def names(path):
      found = {}
      for node in ast.parse(open(path, encoding="utf-8").read()).body:
          if not isinstance(node, ast.Assign):
              continue
          target = node.targets[0]
          single = isinstance(target, ast.Name)
          targets, values = ([target], [node.value]) if single else (target.elts, node.value.elts)
          found.update({name.id: value(node) for name, node in zip(targets, values)})
      return found

  print(json.dumps({name: names(path) for name, path in json.loads(sys.argv[1]).items()}))`;

/** The first frame of a connection, as the runner makes it. */
const hello = pythonCode`
  import sys
  sys.path.insert(0, sys.argv[1])
  from flash_runner.protocol.connection import _hello
  sys.stdout.buffer.write(_hello(41, "control", 6))`;

const path = (name: string): string => fileURLToPath(new URL(`../${name}`, import.meta.url));
const python = (...args: string[]): Buffer => execFileSync(testPython, ['-c', ...args]);

type Constants = Record<string, number | string>;
const paths = Object.fromEntries(Object.entries(files).map(([name, file]) => [name, path(file)]));
const { frames, connection, conftest } = JSON.parse(
  python(assigned, JSON.stringify(paths)).toString(),
) as Record<keyof typeof files, Constants>;

/** Names as Python writes them: endMark is END_MARK. */
const inPython = (constants: Readonly<Record<string, number>>, prefix = ''): Record<string, number> =>
  Object.fromEntries(
    Object.entries(constants).map(([name, value]) => [
      `${prefix}${name.replace(/[A-Z]/g, '_$&').toUpperCase()}`,
      value,
    ]),
  );

/** Bytes of each field of a layout of `struct`, in network order. */
const widths = (layout: unknown): number[] => {
  expect(layout).toMatch(/^![BI]+$/);
  return [...String(layout).slice(1)].map((field) => (field === 'B' ? 1 : 4));
};

function pack(layout: unknown, values: readonly number[]): Buffer {
  const fields = widths(layout).map((width, index) => {
    const bytes = Buffer.alloc(width);
    bytes.writeUIntBE(values[index] ?? 0, 0, width);
    return bytes;
  });
  return Buffer.concat(fields);
}

function framesIn(bytes: Buffer): Frame[] {
  const read: Frame[] = [];
  new FrameReader(1000).push(bytes, (frame) => read.push(frame));
  return read;
}

describe('the frames between the supervisor and a runner', () => {
  it('have the same kinds in the supervisor, in the runner and in the tests of the runner', () => {
    const { HELLO, ...others } = inPython(frameKind);
    expect(connection).toMatchObject({ HELLO });
    const kinds = Object.entries(frames).filter(
      ([name, value]) => typeof value === 'number' && !/^_|^FLAG_/.test(name),
    );
    expect(Object.fromEntries(kinds)).toEqual(others);
    expect(conftest).toMatchObject(inPython(frameKind));
  });

  it('have the same flags of a result', () => {
    const flags = Object.entries(frames).filter(([name]) => name.startsWith('FLAG_'));
    expect(Object.fromEntries(flags)).toEqual(inPython(resultFlag, 'FLAG_'));
    const { success, json, endMark } = resultFlag;
    expect(conftest).toMatchObject({ SUCCESS: success, JSON: json, MARKED: endMark });
  });

  it('have the head that a runner reads, and that its tests write', () => {
    const head = encodeFrame('{"id": 7}', [Buffer.from('body!')])[0]?.subarray(0, 8);
    expect(pack(frames._INCOMING, [9, 5])).toEqual(head);
    expect(conftest.OUT).toBe(frames._INCOMING);
  });

  it('have the head that a runner writes, and that its tests read', () => {
    const frame = Buffer.concat([pack(frames._OUTGOING, [6, 3, 70_000, 2, 4]), Buffer.from('{}body')]);
    expect(framesIn(frame)).toEqual([
      { kind: 6, flags: 3, requestId: 70_000, header: Buffer.from('{}'), body: Buffer.from('body') },
    ]);
    expect(conftest.IN).toBe(frames._OUTGOING);
  });

  it('begin with a hello that the supervisor reads', () => {
    const [first, ...rest] = framesIn(python(hello, path('python')));
    expect(rest).toEqual([]);
    expect(first).toMatchObject({ kind: frameKind.hello, flags: 0, requestId: 0 });
    expect(JSON.parse(String(first?.header))).toMatchObject({ runner: 41, channel: 'control', resumed: 6 });
  });
});
