// The browser of the tests: a Chromium of the system, driven by playwright-core, which is kept in ferkit's cache.
import { execFile } from "node:child_process";
import { existsSync, mkdirSync, rmSync, writeFileSync } from "node:fs";
import path from "node:path";
import { promisify } from "node:util";
import { internals } from "../../src/index.js";

const PLAYWRIGHT = "playwright-core@1.56.1";
const NAMES = ["chromium", "chromium-browser", "google-chrome", "google-chrome-stable", "chrome"];
const FOLDERS = ["/usr/bin", "/usr/local/bin", "/snap/bin"];

/** A part of a page. */
export interface Clip {
  x: number;
  y: number;
  width: number;
  height: number;
}

/** The part of playwright's page that the tests use. */
export interface Page {
  goto(url: string): Promise<unknown>;
  evaluate<T>(expression: string): Promise<T>;
  waitForFunction(expression: string, argument: null, options: { timeout: number }): Promise<unknown>;
  setViewportSize(size: { width: number; height: number }): Promise<void>;
  screenshot(options: { path?: string; clip?: Clip }): Promise<Buffer>;
  keyboard: { press(key: string): Promise<void>; type(text: string): Promise<void> };
  addInitScript(script: { path: string }): Promise<unknown>;
  context(): { setOffline(isOffline: boolean): Promise<void> };
  click(selector: string): Promise<void>;
  setInputFiles(selector: string, files: string | string[]): Promise<void>;
  emulateMedia(media: { colorScheme: "light" | "dark" }): Promise<void>;
  on(event: "pageerror", listener: (error: Error) => void): unknown;
  on(event: "request", listener: (request: { url(): string }) => void): unknown;
}

export interface Browser {
  newPage(options: {
    viewport: { width: number; height: number };
    deviceScaleFactor?: number;
  }): Promise<Page>;
  close(): Promise<void>;
}

interface Playwright {
  chromium: { launch(options: { executablePath: string; args: string[] }): Promise<Browser> };
}

/** Returns the path of a Chromium: the one that CHROME_PATH names, otherwise one of the system; undefined if there is none. */
function findChromium({ CHROME_PATH, PATH = "" } = process.env): string | undefined {
  if (CHROME_PATH) return CHROME_PATH;
  const folders = [...PATH.split(path.delimiter), ...FOLDERS];
  return folders.flatMap((folder) => NAMES.map((name) => path.join(folder, name))).find(existsSync);
}

/**
 * Opens a browser.
 *
 * @param args - More arguments of its command line.
 * @returns Why there is none and what to install, if there is none.
 */
export async function openBrowser(args: string[] = []): Promise<Browser | string> {
  const executablePath = findChromium();
  if (!executablePath)
    return "no Chromium was found. Run: sudo apt-get install chromium, or set CHROME_PATH to one";
  const folder = await installPlaywright();
  if (folder === undefined) return `npm cannot install ${PLAYWRIGHT} here`;
  const { chromium }: Playwright = require(path.join(folder, "node_modules/playwright-core"));
  // The sandbox needs rights that containers lack; the only pages are those of the test's own server. Their shared memory is small.
  const own = ["--no-sandbox", "--disable-dev-shm-usage", "--force-color-profile=srgb"];
  try {
    return await chromium.launch({ executablePath, args: [...own, ...args] });
  } catch (error) {
    return `${executablePath} does not start: ${(error as Error).message.split("\n", 1)[0]}`;
  }
}

/** Returns the folder of the cache that has playwright-core, installed if need be; undefined if npm cannot. */
async function installPlaywright(): Promise<string | undefined> {
  const folder = path.join(internals.cacheDir(), PLAYWRIGHT);
  const stamp = path.join(folder, "complete");
  if (existsSync(stamp)) return folder;
  rmSync(folder, { recursive: true, force: true });
  mkdirSync(folder, { recursive: true });
  try {
    const quick = ["--fetch-retries=1", "--fetch-timeout=30000"]; // without a network, npm would try for minutes
    const args = [
      "install",
      "--prefix",
      folder,
      "--ignore-scripts",
      "--no-audit",
      "--no-fund",
      ...quick,
      PLAYWRIGHT,
    ];
    await promisify(execFile)("npm", args, { cwd: folder });
  } catch {
    return undefined;
  }
  writeFileSync(stamp, "");
  return folder;
}
