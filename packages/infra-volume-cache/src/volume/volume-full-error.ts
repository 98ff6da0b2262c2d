/** The volume has no room for what is to be kept. Nothing of it was written. */
export class VolumeFullError extends Error {
  constructor(wanted: number, free: number) {
    super(
      `the volume has ${free} bytes free and the cache needs ${wanted}: enlarge the volume, remove something from it, or bound the cache with FLASH_CACHE_MAX_BYTES`,
    );
    this.name = 'VolumeFullError';
  }
}
