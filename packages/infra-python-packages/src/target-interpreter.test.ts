import { execFileSync } from 'node:child_process';
import { mkdtempSync, rmdirSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { expect, it } from '@jest/globals';
import { TargetInterpreter } from './target-interpreter.ts';

const python = fileURLToPath(new URL('../../../.venv/bin/python', import.meta.url));

it('knows of an interpreter what its own modules say', async () => {
  const script = `
import json, os, platform, sys, sysconfig
print(json.dumps({"purelib": sysconfig.get_paths()["purelib"], "pep508Variables": {
  "implementation_name": sys.implementation.name, "implementation_version": platform.python_version(), "os_name": os.name,
  "platform_machine": platform.machine(), "platform_release": platform.release(), "platform_system": platform.system(),
  "platform_version": platform.version(), "python_full_version": platform.python_version(),
  "platform_python_implementation": platform.python_implementation(),
  "python_version": ".".join(platform.python_version_tuple()[:2]), "sys_platform": sys.platform}}))`;
  const expected: unknown = JSON.parse(execFileSync(python, ['-c', script], { encoding: 'utf8' }));
  const directory = mkdtempSync(join(tmpdir(), 'a "directory" with ünïcode 😀 in its name '));
  try {
    const env = { ...process.env, PYTHONPATH: directory };
    const facts = await new TargetInterpreter(python, env).facts();
    expect(facts).toMatchObject(expected as object);
    expect(facts.directories).toEqual(expect.arrayContaining([directory, facts.purelib]));
    expect(facts.externallyManaged).toBe(false);
  } finally {
    rmdirSync(directory);
  }
});

it('says which interpreter could not be asked', async () => {
  await expect(new TargetInterpreter('/nowhere/python', {}).facts()).rejects.toThrow('/nowhere/python');
});
