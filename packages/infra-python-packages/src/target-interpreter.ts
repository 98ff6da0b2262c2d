import { execFile } from 'node:child_process';
import { promisify } from 'node:util';
import { InstallError } from '@flash/worker-core';
import { z } from 'zod';

const probe = `
import json, os, platform, site, sys, sysconfig
v = sys.implementation.version
impl = "%d.%d.%d" % v[:3] + ("" if v.releaselevel == "final" else v.releaselevel[0] + str(v.serial))
paths = sysconfig.get_paths()
dirs = [p for p in [paths["purelib"], paths["platlib"], *sys.path] if os.path.isdir(p)]
print(json.dumps({
  "directories": list(dict.fromkeys(dirs)),
  "purelib": paths["purelib"],
  "externallyManaged": sys.prefix == sys.base_prefix and os.path.exists(os.path.join(paths["stdlib"], "EXTERNALLY-MANAGED")),
  "markers": {
    "implementation_name": sys.implementation.name, "implementation_version": impl, "os_name": os.name,
    "platform_machine": platform.machine(), "platform_release": platform.release(), "platform_system": platform.system(),
    "platform_version": platform.version(), "python_full_version": platform.python_version(),
    "platform_python_implementation": platform.python_implementation(),
    "python_version": ".".join(platform.python_version_tuple()[:2]), "sys_platform": sys.platform,
  },
}))
`;

const factsSchema = z.object({
  directories: z.array(z.string()),
  purelib: z.string(),
  externallyManaged: z.boolean(),
  markers: z.record(z.string(), z.string()),
});

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
