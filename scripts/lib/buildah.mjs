/** Building images with buildah, which wants no engine and no service. */
import { existsSync } from 'node:fs';

/** Where a machine says which certificates it trusts. */
export const bundleOfCertificates = '/etc/ssl/certs/ca-certificates.crt';
/** Where a machine says how registries are reached: what is built sees the same. */
const registrySettings = [
  '/root/.npmrc',
  '/etc/npmrc',
  '/etc/pip.conf',
  '/root/.config/pip/pip.conf',
  '/opt/wheels',
];

/** Options that show a container, or a build, the machine's certificates and registries. */
export function machineMounts() {
  const paths = ['/etc/ssl/certs', ...registrySettings].filter((path) => existsSync(path));
  return paths.flatMap((path) => ['--volume', `${path}:${path}:ro`]);
}

/**
 * Arguments of buildah for one image.
 *
 * @param platforms - for which platforms it is, when not for this machine's: `tag` is a list of images then.
 */
export function buildArguments(tag, context, args = [], platforms = []) {
  return [
    ...['bud', '--format', 'docker', '--isolation=chroot', '--network=host', '--layers'],
    ...machineMounts(),
    ...['NODE_EXTRA_CA_CERTS', 'SSL_CERT_FILE', 'PIP_CERT'].flatMap((name) => [
      '--build-arg',
      `${name}=${bundleOfCertificates}`,
    ]),
    ...args,
    ...(platforms.length > 0 ? ['--platform', platforms.join(','), '--manifest', tag] : ['--tag', tag]),
    context,
  ];
}
