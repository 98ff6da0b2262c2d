/**
 * Why a key of `modules` can't be used as a file below the request's module directory, or `undefined` when it can.
 * Paths are POSIX and relative (docs/reference/protocol.md, FunctionRequest).
 */
export function modulePathProblem(path: string): string | undefined {
  if (path === '') return 'a module path must not be empty';
  if (path.includes('\0')) return 'a module path must not contain a NUL character';
  if (path.startsWith('/') || path.includes('\\'))
    return 'a module path must be relative, with "/" between its parts';
  const parts = path.split('/');
  if (parts.includes('..')) return 'a module path must not leave its directory ("..")';
  if (parts.some((part) => part === '' || part === '.'))
    return 'a module path must not have empty or "." parts';
  if (!path.endsWith('.py')) return 'a module path must end in ".py"';
  return undefined;
}
