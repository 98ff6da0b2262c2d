import '@flash/worker-host/small-heap';

// Loaded after the flags are set: a static import would be read and linked before them, into a heap that had already grown.
await import('./start.ts');
