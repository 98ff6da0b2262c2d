import { fileURLToPath } from 'node:url';

/** Where the console's page is: beside the sources, in a package, and in a bundle. */
export const pageDirectory = fileURLToPath(new URL('../console/dist', import.meta.url));
