import { enableCompileCache } from 'node:module';
import '@flash/worker-host/small-heap';
import { takeHeadStart } from '@flash/worker-host/head-start';

// What was compiled once is not compiled again by the next start (NODE_COMPILE_CACHE, NODE_DISABLE_COMPILE_CACHE).
enableCompileCache();
const headStart = takeHeadStart(process.env, 'load-balancer');
// Loaded after the flags are set, and while Python starts: a static import would be read and linked before them, into a heap that had
// already grown.
void import('./start.ts').then(({ start }) => start(headStart));
