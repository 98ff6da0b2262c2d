import { tmpdir } from 'node:os';
import { describe, expect, it } from '@jest/globals';
import { MemoryCheck, OpenFilesCheck, TemporarySpaceCheck } from '../src/index.ts';

const limits = (soft: string): string =>
  `Limit                     Soft Limit           Hard Limit           Units
Max processes             100                  100                  processes
Max open files            ${soft.padEnd(20)} 1048576              files
`;

describe('OpenFilesCheck', () => {
  it.each(['256', '257', 'unlimited'])('is content with %s', async (soft) => {
    await new OpenFilesCheck(256, () => limits(soft)).check();
  });

  it('says how many there may be, and what to do', async () => {
    await expect(new OpenFilesCheck(256, () => limits('255')).check()).rejects.toMatchObject({
      check: 'open-files',
      message: expect.stringMatching(
        /may open 255 files here .*FLASH_MIN_OPEN_FILES is 256: raise the limit/,
      ),
    });
  });

  it('is content where the system does not tell', async () => {
    await new OpenFilesCheck(1e9, () => {
      throw new Error('no such file');
    }).check();
    await new OpenFilesCheck(0).check();
  });
});

describe('MemoryCheck', () => {
  it('says what there is and what is needed', async () => {
    await expect(new MemoryCheck(64, () => 63).check()).rejects.toThrow(
      '63 bytes of memory are available and FLASH_MIN_MEMORY_BYTES is 64',
    );
    await expect(new MemoryCheck(64, () => 0).check()).rejects.toThrow('0 bytes');
    await new MemoryCheck(64, () => 64).check();
  });
});

describe('TemporarySpaceCheck', () => {
  const check = (directory: string, minBytes = 0, minFiles = 0): Promise<void> =>
    new TemporarySpaceCheck(directory, { minBytes, minFiles }).check();

  it('is content with a directory that has room, and leaves nothing there', async () => {
    await check(tmpdir(), 1, 1);
  });

  it.each([
    ['/proc/self', 0, 0, /can't be written to .*: set TMPDIR to a directory that can$/],
    ['/no/such/place', 0, 0, /\/no\/such\/place can't be written to \(ENOENT/],
    [tmpdir(), 1e18, 0, /bytes left and FLASH_MIN_TMP_BYTES is 1000000000000000000: remove files/],
    [tmpdir(), 0, 1e15, /more files \(inodes: df -i\) and FLASH_MIN_TMP_FILES is 1000000000000000: remove/],
  ])('says what %s lacks', async (directory, minBytes, minFiles, message) => {
    await expect(check(directory, minBytes, minFiles)).rejects.toThrow(message);
  });
});
