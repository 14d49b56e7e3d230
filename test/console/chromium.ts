import { accessSync, constants } from 'node:fs';
import { mkdir } from 'node:fs/promises';
import { delimiter, join } from 'node:path';
import { type Browser, type BrowserContext, chromium, type Page } from 'playwright-core';

const NAMES = ['chromium', 'chromium-browser', 'google-chrome'];
/** It stays on this machine, as root or not, and asks nobody for anything. */
const ARGUMENTS = [
  '--no-sandbox',
  '--disable-gpu',
  '--disable-quic',
  '--no-first-run',
  '--disable-background-networking',
  '--disable-component-update',
  '--disable-sync',
];
const WAIT_MS = 20_000;

/** Null: there is a Chromium on this machine. Else why there is none to test with, which is printed, too. */
export function missingChromium(): string | null {
  if (pathOfChromium() !== null) return null;
  const reason = `no Chromium on PATH (${NAMES.join(', ')}): install your system's package`;
  process.stderr.write(`skipped, tests in a real browser: ${reason}\n`);
  return reason;
}

function pathOfChromium(): string | null {
  const folders = (process.env.PATH ?? '').split(delimiter);
  return folders.flatMap((folder) => NAMES.map((name) => join(folder, name))).find(isExecutable) ?? null;
}

function isExecutable(path: string): boolean {
  try {
    accessSync(path, constants.X_OK);
    return true;
  } catch {
    return false;
  }
}

export interface Look {
  readonly width?: number;
  readonly height?: number;
  readonly colors?: 'light' | 'dark';
}

/** Somebody's browser: cookies and passkeys of its own. */
export interface Visitor {
  readonly page: Page;
  readonly context: BrowserContext;
  /** What the console complained of: scripts that failed, what the content policy stopped. */
  faults(): readonly string[];
  close(): Promise<void>;
}

export interface TestChromium {
  visitor(look?: Look): Promise<Visitor>;
  close(): Promise<void>;
}

/** A real Chromium without a window. Ask `missingChromium` before. */
export async function startChromium(): Promise<TestChromium> {
  const executablePath = pathOfChromium();
  if (executablePath === null) throw new TypeError('there is no Chromium: ask missingChromium first');
  const browser = await chromium.launch({ executablePath, args: ARGUMENTS, timeout: 60_000 });
  return { visitor: (look) => openVisitor(browser, look ?? {}), close: () => browser.close() };
}

async function openVisitor(browser: Browser, { width, height, colors }: Look): Promise<Visitor> {
  const context = await browser.newContext({
    viewport: { width: width ?? 1280, height: height ?? 800 },
    colorScheme: colors ?? 'light',
  });
  context.setDefaultTimeout(WAIT_MS);
  const page = await context.newPage();
  const faults: string[] = [];
  page.on('pageerror', (error) => faults.push(error.message));
  page.on('console', (message) => {
    // That a page itself was answered with 4xx is what its test is about.
    const ofPage =
      message.text().startsWith('Failed to load resource') && isPage(page, message.location().url);
    if (['error', 'warning'].includes(message.type()) && !ofPage) faults.push(message.text());
  });
  return { page, context, faults: () => faults, close: () => context.close() };
}

function isPage(page: Page, url: string): boolean {
  return url.split('#')[0] === page.url().split('#')[0];
}

/** Keeps a picture where SALLYPORT_SCREENSHOTS names a folder: for people who want to see what the tests see. */
export async function keepPicture(page: Page, name: string): Promise<void> {
  const folder = process.env.SALLYPORT_SCREENSHOTS;
  if (folder === undefined || folder === '') return;
  await mkdir(folder, { recursive: true });
  await page.screenshot({ path: join(folder, `${name}.png`), fullPage: true });
}
