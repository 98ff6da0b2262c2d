import { isNodeRecentEnough } from '@flash/worker-host/node-version';

// Nothing else is imported before: an older Node could not even load it.
if (isNodeRecentEnough()) void import('./launch.ts');
