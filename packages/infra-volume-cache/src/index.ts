/** `@flash/infra-volume-cache`: the cache on the network volume, in segments that many workers share. */
export { volumeCacheModule } from './module.ts';
export { type VolumeCacheSettings, volumeCacheSettingsSchema } from './settings.ts';
export { TarSegmentCache, type TarSegmentCacheOptions } from './tar-segment-cache.ts';
