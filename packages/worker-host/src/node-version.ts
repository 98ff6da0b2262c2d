/**
 * Says which Node this program needs, where it runs on an older one, and has the process end with status 1.
 *
 * Nothing else may be loaded before: for an older Node an import of something that it lacks is a SyntaxError, and so is syntax that it does not
 * know. This file has neither.
 *
 * @returns whether the program may go on.
 */
export function isNodeRecentEnough(): boolean {
  const oldest = 24;
  const version = process.versions.node;
  if (Number(version.split('.')[0]) >= oldest) return true;
  process.stderr.write(
    'flash-worker needs Node ' +
      oldest +
      ' or newer, and ' +
      process.execPath +
      ' is Node ' +
      version +
      ': install a newer one, or, in a checkout, use the one that "npm run setup" brings ("npx node ' +
      process.argv[1] +
      '")\n',
  );
  process.exitCode = 1;
  return false;
}
