import { type ChildProcess, spawn } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { createRequire } from 'node:module';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from '@jest/globals';
import type { AxeResults } from 'axe-core';
import { type Browser, chromium, type Locator, type Page } from 'playwright-core';

const path = (relative: string): string => fileURLToPath(new URL(relative, import.meta.url));
const python = process.env.FLASH_PYTHON ?? path('../../../.venv/bin/python');
const axe = createRequire(import.meta.url).resolve('axe-core/axe.min.js');
const mostBytes = 300_000;

/** A worker that serves its own queue API, and with it the console. */
class ServedWorker {
  readonly directory = mkdtempSync(join(tmpdir(), 'flash-test-'));
  readonly #process: ChildProcess;
  readonly #exited: Promise<unknown>;
  readonly url: Promise<string>;

  constructor() {
    const flags = ['--rp_serve_api', '--rp_api_host', '127.0.0.1', '--rp_api_port', '0'];
    this.#process = spawn(
      process.execPath,
      ['--conditions=source', path('../src/main.ts'), ...flags, '--rp_api_concurrency', '2'],
      {
        env: {
          ...process.env,
          FLASH_PYTHON: python,
          FLASH_ENVIRONMENTS: 'isolated',
          FLASH_VOLUME_DIR: join(this.directory, 'volume'),
          FLASH_CACHE_DIR: join(this.directory, 'cache'),
        },
        stdio: ['ignore', 'ignore', 'pipe'],
      },
    );
    this.#exited = new Promise((resolve) => this.#process.once('close', resolve));
    this.url = new Promise((resolve, reject) => {
      let log = '';
      this.#process.stderr?.setEncoding('utf8').on('data', (text: string) => {
        log += text;
        const url = /"console":"([^"]+)"/.exec(log)?.[1];
        if (url !== undefined) resolve(url);
      });
      void this.#exited.then(() => reject(new Error(log)));
    });
  }

  async close(): Promise<void> {
    this.#process.kill('SIGTERM');
    await this.#exited;
    rmSync(this.directory, { recursive: true, force: true });
  }
}

let worker: ServedWorker;
let browser: Browser;
let page: Page;
/** What the page asked for, and how much came. */
let loaded: { readonly url: string; readonly bytes: number }[];
let complaints: string[];
beforeAll(async () => {
  worker = new ServedWorker();
  browser = await chromium.launch({
    executablePath: process.env.FLASH_TEST_CHROMIUM ?? '/usr/bin/chromium',
    // Root has no sandbox.
    args: process.getuid?.() === 0 ? ['--no-sandbox'] : [],
  });
});
afterAll(async () => {
  await browser?.close();
  await worker.close();
});
beforeEach(async () => {
  page = await browser.newPage({ viewport: { width: 1280, height: 960 } });
  loaded = [];
  complaints = [];
  page.on('pageerror', (error) => complaints.push(error.message));
  page.on('response', async (response) => {
    const bytes = await response.body().then(
      (body) => body.length,
      () => 0,
    );
    loaded.push({ url: response.url(), bytes });
  });
  await page.goto(await worker.url);
  await page.getByRole('heading', { name: 'Workers' }).waitFor();
});
afterEach(async () => {
  await page.close();
  expect(complaints).toEqual([]);
});

const runButton = (): Locator => page.getByRole('button', { name: 'Run', exact: true });
const field = (label: string): Locator => page.getByRole('textbox', { name: label, exact: true });
const jobHeading = (label: string): Locator =>
  page.getByRole('heading', { level: 2, name: new RegExp(`^${label} `) });
const row = (label: string): Locator => page.getByRole('row', { name: new RegExp(`^${label} `) });
const runners = (): Locator => page.getByRole('region', { name: 'Table of runners' });

async function run(sample: string, fields: Readonly<Record<string, string>> = {}): Promise<void> {
  await page.getByLabel('Sample').selectOption(sample);
  for (const [label, value] of Object.entries(fields)) await field(label).fill(value);
  await runButton().click();
}

async function seriousViolations(): Promise<unknown> {
  // The page lets no script in by a tag: it is put in as a debugger does.
  await page.evaluate(readFileSync(axe, 'utf8'));
  const { violations } = await page.evaluate<AxeResults>('axe.run()');
  return violations
    .filter(({ impact }) => impact === 'serious' || impact === 'critical')
    .map(({ id, nodes }) => [id, nodes.map(({ html }) => html)]);
}

describe('the console in Chromium', () => {
  it('submits a function and shows its log while it runs, its timeline and its result', async () => {
    await run('Print while it runs', { 'Arguments, a JSON array': '[5]' });
    await jobHeading('count').getByText('running').waitFor();
    const log = page.getByRole('log', { name: 'Log' });
    await log.getByText('1 of 5').waitFor();
    expect(await log.textContent()).not.toContain('5 of 5');
    expect(await jobHeading('count').textContent()).toContain('running');
    await runners().getByText('busy').waitFor();
    expect(await runners().textContent()).toMatch(/busy\d+\.\d MBbasecount /);
    await jobHeading('count').getByText('completed').waitFor();
    expect(await log.textContent()).toContain('5 of 5');
    expect(await page.getByRole('region', { name: 'Result' }).textContent()).toBe('5');
    const timeline = await page.getByRole('img', { name: /^Timeline: / }).getAttribute('aria-label');
    expect(timeline).toMatch(/queued \d+ ms, run 2\.\d s, serialise \d+ ms, post \d+ ms$/);
  });

  it('shows the installation in the timeline, and where the function ran', async () => {
    await run('Use a package from PyPI');
    await jobHeading('moo').getByText('completed').waitFor();
    const timeline = page.getByRole('img', { name: /^Timeline: queued .*, install .*, run / });
    await timeline.waitFor();
    expect(await page.getByRole('region', { name: 'Result' }).textContent()).toContain(
      'installed for this call',
    );
  });

  it('shows what a function raised', async () => {
    await run('Raise an exception');
    await jobHeading('fail').getByText('failed').waitFor();
    expect(await page.getByRole('region', { name: 'Error' }).textContent()).toContain(
      'ValueError: what a caller is told',
    );
  });

  it('cancels a job', async () => {
    await run('Run until it is cancelled');
    await page.getByRole('log').getByText('still here after 1 s').waitFor();
    await row('forever')
      .getByRole('button', { name: /^Cancel forever/ })
      .click();
    await row('forever').getByText('cancelled').waitFor();
    await runners().getByText('busy').waitFor({ state: 'detached' });
    expect(
      await row('forever')
        .getByRole('button', { name: /^Cancel/ })
        .count(),
    ).toBe(0);
  });

  it('draws what the last hour was like', async () => {
    const chart = page.getByRole('img', { name: /^Jobs a minute: [1-9]\d* completed, [1-9]\d* failed$/ });
    await chart.waitFor();
    const greenPixels = await page.evaluate<number>(`(() => {
      const canvas = document.querySelector('[aria-label^="Jobs a minute"] canvas');
      const { data } = canvas.getContext('2d').getImageData(0, 0, canvas.width, canvas.height);
      let green = 0;
      for (let at = 0; at < data.length; at += 4)
        if (data[at + 1] > data[at] + 60 && data[at + 3] > 200) green++;
      return green;
    })()`);
    expect(greenPixels).toBeGreaterThan(20);
    await page.getByRole('img', { name: /^From submission to end: .* [1-9]/ }).waitFor();
  });

  it.each([
    ['Arguments, a JSON array', '[1', 'give a JSON array'],
    ['Arguments, a JSON array', '{}', 'give a JSON array'],
    ['Keyword arguments, a JSON object', '[]', 'give a JSON object'],
    ['Function', ' ', 'name the function to call'],
  ])('says what is wrong with %s = %j, and sends nothing', async (label, value, reason) => {
    const posts: string[] = [];
    page.on('request', (request) => request.method() === 'POST' && posts.push(request.url()));
    await run('Add two numbers', { [label]: value });
    await page.getByRole('alert').getByText(reason).waitFor();
    expect(await field(label).getAttribute('aria-invalid')).toBe('true');
    expect(posts).toEqual([]);
  });

  it('says why the gateway did not take a job', async () => {
    await page.route('**/run', (route) =>
      route.fulfill({ status: 429, json: { error: '10000 jobs are waiting already', code: 'QUEUE_FULL' } }),
    );
    await run('Add two numbers');
    await page.getByRole('alert').getByText('10000 jobs are waiting already').waitFor();
  });

  it('is used by keys alone', async () => {
    const focusOn = async (target: Locator): Promise<void> => {
      for (let keys = 0; keys < 60; keys++) {
        if ((await target.and(page.locator(':focus')).count()) > 0) return;
        await page.keyboard.press('Tab');
      }
      throw new Error('it is not reached by Tab');
    };
    await focusOn(field('Function'));
    await page.keyboard.press('Enter');
    await jobHeading('add').getByText('completed').waitFor();
    const open = row('fail').getByRole('button', { name: /^fail / });
    await focusOn(open);
    await page.keyboard.press('Enter');
    await jobHeading('fail').waitFor();
    await focusOn(page.getByRole('log'));
    await focusOn(page.getByRole('region', { name: 'Table of jobs' }));
    await focusOn(page.getByRole('region', { name: 'Table of runners' }));
  });

  it.each(['light', 'dark'] as const)('has no serious fault of accessibility, %s', async (colorScheme) => {
    await page.emulateMedia({ colorScheme });
    expect(await seriousViolations()).toEqual([]);
    await run('Run until it is cancelled');
    await page.getByRole('log').getByText('still here').first().waitFor();
    await field('Arguments, a JSON array').fill('[');
    await runButton().click();
    await page.getByRole('alert').getByText('give a JSON array').waitFor();
    expect(await seriousViolations()).toEqual([]);
    await page.getByRole('button', { name: 'Cancel this job' }).click();
    await jobHeading('forever').getByText('cancelled').waitFor();
    expect(await seriousViolations()).toEqual([]);
  });

  it('keeps the theme that was chosen', async () => {
    await page.getByLabel('Theme').selectOption('dark');
    const background = (): Promise<string> =>
      page.evaluate('getComputedStyle(document.documentElement).backgroundColor');
    const dark = await background();
    await page.reload();
    expect(await background()).toBe(dark);
    await page.getByLabel('Theme').selectOption('light');
    expect(await background()).not.toBe(dark);
  });

  it('comes from the gateway alone, and is light', async () => {
    await page.getByRole('img', { name: /^Jobs a minute/ }).waitFor();
    const { origin } = new URL(await worker.url);
    expect(loaded.filter(({ url }) => new URL(url).origin !== origin)).toEqual([]);
    const assets = loaded.filter(({ url }) => !/overview|statistics/.test(url));
    expect(assets.length).toBe(3);
    const bytes = assets.reduce((sum, asset) => sum + asset.bytes, 0);
    expect(bytes).toBeGreaterThan(10_000);
    expect(bytes).toBeLessThan(mostBytes);
  });

  it('says that the gateway does not answer, and goes on when it does', async () => {
    await page.route('**/console/overview', (route) => route.abort());
    await page.getByRole('status').getByText('The gateway does not answer').waitFor();
    await page.unroute('**/console/overview');
    await page.getByText('The gateway does not answer').waitFor({ state: 'detached' });
  });
});
