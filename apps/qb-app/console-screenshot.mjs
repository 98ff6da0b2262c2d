/** Makes docs/console.png, the console's picture in README.md: npm run screenshot. Takes two minutes, so that charts have something to show. */
import { spawn } from 'node:child_process';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { chromium } from 'playwright-core';

const path = (relative) => fileURLToPath(new URL(relative, import.meta.url));
const directory = mkdtempSync(join(tmpdir(), 'flash-screenshot-'));
const stretchMs = 110_000;
const flags = ['--rp_serve_api', '--rp_api_host', '127.0.0.1', '--rp_api_port', '0'];
const worker = spawn(process.execPath, [path('dist/main.js'), ...flags, '--rp_api_concurrency', '3'], {
  env: {
    ...process.env,
    FLASH_PYTHON: path('../../.venv/bin/python'),
    FLASH_ENVIRONMENTS: 'isolated',
    FLASH_VOLUME_DIR: join(directory, 'volume'),
    FLASH_CACHE_DIR: join(directory, 'cache'),
    RUNPOD_POD_ID: 'worker-1',
  },
  stdio: ['ignore', 'ignore', 'pipe'],
});
let log = '';
const url = await new Promise((resolve) => {
  worker.stderr.setEncoding('utf8').on('data', (text) => {
    log += text;
    const found = /"console":"([^"]+)"/.exec(log)?.[1];
    if (found !== undefined) resolve(found);
  });
});
const browser = await chromium.launch({
  executablePath: process.env.FLASH_TEST_CHROMIUM ?? '/usr/bin/chromium',
  args: process.getuid() === 0 ? ['--no-sandbox'] : [],
});
const page = await browser.newPage({ viewport: { width: 1180, height: 800 } });
await page.goto(url);
const run = async (sample) => {
  await page.getByLabel('Sample').selectOption(sample);
  await page.getByRole('button', { name: 'Run', exact: true }).click();
};
const samples = ['Add two numbers', 'Await something', 'Use a package from PyPI', 'Print while it runs'];
const end = Date.now() + stretchMs;
for (let number = 0; Date.now() < end; number++) {
  await run(number % 7 === 3 ? 'Raise an exception' : samples[number % samples.length]);
  await page.waitForTimeout(500 + (number % 5) * 700);
}
await page.waitForTimeout(6000);
await run('Use a package from PyPI');
await page.waitForTimeout(1000);
await run('Print while it runs');
await page.getByRole('log').getByText('4 of 10').waitFor();
await page.screenshot({ path: path('../../docs/console.png'), fullPage: true });
await browser.close();
worker.kill('SIGTERM');
await new Promise((resolve) => worker.once('close', resolve));
rmSync(directory, { recursive: true, force: true });
