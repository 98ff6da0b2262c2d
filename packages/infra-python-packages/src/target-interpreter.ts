import { execFile } from 'node:child_process';
import { promisify } from 'node:util';
import { InstallError } from '@flash/worker-core';
import * as z from 'zod';

/**
 * Prints the facts as JSON without `json` and `platform`, which take longer to import than Python takes to start. The values of markers are
 * those of `platform`.
 */
const probe = `
import os, sys, sysconfig
v = sys.implementation.version
impl = "%d.%d.%d" % v[:3] + ("" if v.releaselevel == "final" else v.releaselevel[0] + str(v.serial))
machine = os.uname()
paths = sysconfig.get_paths()
dirs = [p for p in [paths["purelib"], paths["platlib"], *sys.path] if os.path.isdir(p)]
def text(value):
    units = value.encode("utf-16-be", "surrogatepass")
    return '"' + "".join("\\\\u%02x%02x" % pair for pair in zip(units[::2], units[1::2])) + '"'
def mapping(pairs):
    return "{" + ",".join(text(key) + ":" + value for key, value in pairs.items()) + "}"
markers = {
  "implementation_name": sys.implementation.name, "implementation_version": impl, "os_name": os.name,
  "platform_machine": machine.machine, "platform_release": machine.release, "platform_system": machine.sysname,
  "platform_version": machine.version, "python_full_version": sys.version.split()[0],
  "platform_python_implementation": {"cpython": "CPython", "pypy": "PyPy"}.get(sys.implementation.name, sys.implementation.name),
  "python_version": "%d.%d" % sys.version_info[:2], "sys_platform": sys.platform,
}
managed = sys.prefix == sys.base_prefix and os.path.exists(os.path.join(paths["stdlib"], "EXTERNALLY-MANAGED"))
print(mapping({
  "directories": "[" + ",".join(map(text, dict.fromkeys(dirs))) + "]",
  "purelib": text(paths["purelib"]),
  "externallyManaged": "true" if managed else "false",
  "pep508Variables": mapping({key: text(value) for key, value in markers.items()}),
}))
`;

const factsSchema = z.lazy(() =>
  z.object({
    directories: z.array(z.string()),
    purelib: z.string(),
    externallyManaged: z.boolean(),
    pep508Variables: z.record(z.string(), z.string()),
  }),
);

/** What must be known of an interpreter to tell what is installed for it. */
export type InterpreterFacts = z.output<typeof factsSchema>;

/** The interpreter that packages are installed for. Asked once, when the first request with dependencies comes. */
export class TargetInterpreter {
  readonly path: string;
  readonly #env: NodeJS.ProcessEnv;
  #facts: Promise<InterpreterFacts> | undefined;

  constructor(path: string, env: NodeJS.ProcessEnv) {
    this.path = path;
    this.#env = env;
  }

  facts(): Promise<InterpreterFacts> {
    this.#facts ??= this.#probe().catch((error: unknown) => {
      this.#facts = undefined;
      throw error;
    });
    return this.#facts;
  }

  async #probe(): Promise<InterpreterFacts> {
    try {
      const { stdout } = await promisify(execFile)(this.path, ['-P', '-c', probe], {
        env: this.#env,
        timeout: 30_000,
      }).catch(
        // Python 3.10 does not know -P.
        () => promisify(execFile)(this.path, ['-c', probe], { env: this.#env, cwd: '/', timeout: 30_000 }),
      );
      return factsSchema.parse(JSON.parse(stdout));
    } catch (cause) {
      throw new InstallError(
        'TOOL_MISSING',
        [],
        `${this.path} could not be asked what it has installed: ${cause}`,
        { cause },
      );
    }
  }
}
