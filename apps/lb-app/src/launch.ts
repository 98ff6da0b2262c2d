import { keepCompiledCode } from '@flash/worker-host/compile-cache';
import { takeHeadStart } from '@flash/worker-host/head-start';
import { keepHeapSmall } from '@flash/worker-host/small-heap';

const headStart = takeHeadStart(process.env, 'load-balancer');
keepHeapSmall();
keepCompiledCode();
// Loaded after the flags are set, and while Python starts: a static import would be read and linked before them, into a heap that had
// already grown.
void import('./start.ts').then(({ start }) => start(headStart));
