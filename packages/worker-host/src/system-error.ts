interface SystemError extends Error {
  readonly code: string;
  readonly syscall?: string;
  readonly path?: string;
  readonly address?: string;
  readonly port?: number;
}

/** What is wrong and what to do, by the system's own code; its message says which call on which file. */
const advice: Readonly<Record<string, string>> = {
  EACCES: 'give this process the right to it, or name another place',
  EPERM: 'give this process the right to it, or name another place',
  EROFS: 'it can only be read: set TMPDIR, or the directory’s own setting, to one that can be written to',
  ENOSPC:
    'the disk has no space, or no inodes (df -h, df -i): remove files, or set TMPDIR to a disk that has',
  EDQUOT: 'the quota is used up: remove files, or set TMPDIR to another disk',
  EMFILE: 'this process may not open more files (ulimit -n): raise the limit',
  ENFILE: 'this machine may not open more files (fs.file-max): raise the limit, or run less on it',
  ENOMEM: 'there is no memory left: give the container more',
  EAGAIN: 'no more processes may be started (ulimit -u, or the container’s pids limit): raise the limit',
  ENOENT: 'there is no such file or directory',
  ENOTDIR: 'a part of the path is no directory',
};
const listenAdvice: Readonly<Record<string, string>> = {
  EADDRINUSE:
    'the port is in use: end what listens there, or choose another one (PORT, RUNPOD_REALTIME_PORT, --rp_api_port, --port)',
  EACCES:
    'the port is for privileged processes: choose one from 1024 on (PORT), or give this process the right to it',
  EADDRNOTAVAIL: 'this machine has no such address: set HOST to one that it has',
  ENOTFOUND: 'there is no such host: set HOST to an address of this machine',
};

/** One sentence for an error of the operating system: which call, on what, and what to do. `undefined` for any other error. */
export function describeSystemError(error: unknown): string | undefined {
  if (!isSystemError(error)) return undefined;
  const { code, syscall = '', message } = error;
  const what =
    syscall === 'listen' || syscall === 'getaddrinfo' ? (listenAdvice[code] ?? advice[code]) : advice[code];
  return what === undefined ? undefined : `${message}: ${what}`;
}

function isSystemError(error: unknown): error is SystemError {
  return error instanceof Error && typeof (error as NodeJS.ErrnoException).code === 'string';
}
