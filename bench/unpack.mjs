/** Unpacks ARCHIVE into TARGET and prints the peak memory in MB: node unpack.mjs ARCHIVE TARGET */
import { unpackArchive } from '@flash/tar-archive';

const [archive, target] = process.argv.slice(2);
await unpackArchive(archive, target, {
  maxMembers: 1_000_000,
  maxBytes: 1e12,
  signal: new AbortController().signal,
});
console.log(process.resourceUsage().maxRSS / 1024);
