// JupyterLab on a copy of the project, as `npm run lab` starts it, and a page of it in a browser.
import { execFileSync, spawn } from "node:child_process";
import { once } from "node:events";
import { mkdirSync, openSync, readdirSync, readFileSync, symlinkSync, writeFileSync } from "node:fs";
import { createServer } from "node:net";
import path from "node:path";
import { addNotebookFilter, storedNotebook } from "../../scripts/setup/stored-notebook.cjs";
import { cloneProject } from "../kernel/clone.js";
import { projectDir } from "../workspace.js";
import type { Browser, Clip, Page } from "./chromium.js";

/** What the notebooks read, besides what a kernel needs. */
const DATA = [
  ...[".ferkit/native", ".gitattributes", "data", "docs/saved-files.schema.json"],
  ...["models", "notebooks", "test/faces/photos"],
];
const TOKEN = "browser-tests";
/** Height of the window, and that which shows a whole notebook. */
const [HEIGHT, MAX_HEIGHT] = [900, 12_000];
/** Time that the server, a page or a kernel may take to start, in milliseconds. */
const START_MS = 300_000;
const POLL_MS = 200;
/** Pixels below the last cell of a picture. */
const MARGIN = 60;
/** Looks in a row that must find the same. */
const STEADY_POLLS = 4;

export type Theme = "light" | "dark";

export interface Output {
  output_type: string;
  evalue?: string;
  data?: Record<string, unknown>;
}

/** What a notebook shows. */
export interface State {
  /** As the kernel's indicator says: `idle`, `busy`, … */
  status: string;
  cells: { id: string; executionCount: number | null; outputs: Output[] }[];
}

/** A chart as the browser draws it. */
export interface DrawnChart {
  /** Marks that show data, by kind. */
  marks: Record<string, number>;
  /** Outlines of the lines. */
  paths: string[];
  title: string;
  /** All of its texts. */
  texts: string[];
  /** Part of it is neither seen nor reached by scrolling. */
  isCutOff: boolean;
}

/** Resolves when `isReached` returns something; `what` names it for the error. A page that does not answer ends it, too. */
export async function until<T>(
  what: string,
  timeoutMs: number,
  isReached: () => Promise<T | undefined | false>,
): Promise<T> {
  let isOver = false;
  let timer: NodeJS.Timeout | undefined;
  const over = new Promise<never>((_, reject) => {
    timer = setTimeout(() => {
      isOver = true;
      reject(new Error(`waited ${timeoutMs / 1000} s in vain for ${what}`));
    }, timeoutMs);
  });
  const reached = async (): Promise<T> => {
    for (;;) {
      const found = await isReached();
      if (found) return found;
      await new Promise((resolve) => setTimeout(resolve, POLL_MS));
      if (isOver) return over;
    }
  };
  return Promise.race([reached(), over]).finally(() => clearTimeout(timer));
}

/**
 * Copies the project into `dir`, with the notebooks as its repository holds them.
 *
 * @param edits - By notebook: pieces of code, and what is put in their place.
 */
export function makeClone(dir: string, edits: Record<string, [code: string, replacement: string][]>): void {
  cloneProject(dir, DATA);
  symlinkSync(path.join(projectDir, ".venv"), path.join(dir, ".venv"));
  const folder = path.join(dir, "notebooks");
  for (const name of readdirSync(folder).filter((one) => one.endsWith(".ipynb"))) {
    let text = storedNotebook(readFileSync(path.join(folder, name), "utf8"));
    for (const [code, replacement] of edits[path.basename(name, ".ipynb")] ?? []) {
      if (!text.includes(code)) throw new Error(`${name} has no ${code}`);
      text = text.replace(code, replacement);
    }
    writeFileSync(path.join(folder, name), text);
  }
  writeFileSync(path.join(dir, ".gitignore"), readFileSync(path.join(projectDir, ".gitignore")));
}

/** A running JupyterLab with one page. */
export class Lab {
  private constructor(
    private readonly url: string,
    readonly page: Page,
    private readonly width: number,
    readonly stop: () => Promise<void>,
  ) {}

  /**
   * Starts JupyterLab in a copy of the project.
   *
   * @param options - Width of the window, and pixels of a picture per pixel of the page.
   */
  static async start(dir: string, browser: Browser, { width = 1280, scale = 1 } = {}): Promise<Lab> {
    const port = await freePort();
    const log = path.join(dir, "jupyterlab.log");
    const settings = (name: string) => {
      mkdirSync(path.join(dir, ".jupyter", name), { recursive: true });
      return path.join(dir, ".jupyter", name);
    };
    const server = spawn(
      process.execPath,
      [
        ...["scripts/ferkit.cjs", "lab", "--no-browser", `--port=${port}`, "--ServerApp.port_retries=0"],
        ...[`--IdentityProvider.token=${TOKEN}`, "--LabApp.expose_app_in_browser=True"],
      ],
      {
        cwd: dir,
        stdio: ["ignore", openSync(log, "w"), openSync(log, "a")],
        env: {
          ...process.env,
          INIT_CWD: dir, // where npm was called, which is the folder that is opened
          JUPYTER_CONFIG_DIR: settings("config"),
          JUPYTER_DATA_DIR: settings("data"),
          JUPYTER_RUNTIME_DIR: settings("runtime"),
          JUPYTERLAB_SETTINGS_DIR: settings("settings"),
          JUPYTERLAB_WORKSPACES_DIR: settings("workspaces"),
        },
      },
    );
    const ended = once(server, "exit");
    const stop = async () => {
      if (server.exitCode === null) server.kill("SIGTERM");
      await ended;
    };
    try {
      const url = `http://127.0.0.1:${port}`;
      await until("JupyterLab to answer", START_MS, async () => {
        if (server.exitCode !== null) throw new Error(readFileSync(log, "utf8"));
        return (await fetch(`${url}/api?token=${TOKEN}`).catch(() => undefined))?.ok;
      });
      const page = await browser.newPage({
        viewport: { width, height: HEIGHT },
        deviceScaleFactor: scale,
      });
      await page.addInitScript({ path: path.join(__dirname, "in-page.js") });
      return new Lab(url, page, width, stop);
    } catch (error) {
      await stop();
      throw error;
    }
  }

  /** Opens a notebook and waits for its kernel. */
  async open(name: string): Promise<void> {
    await this.page.goto(`${this.url}/lab/tree/notebooks/${name}.ipynb?token=${TOKEN}&reset`);
    await this.page.waitForFunction("globalThis.jupyterapp && lab.isReady()", null, { timeout: START_MS });
  }

  /** Runs a command of JupyterLab. */
  run(command: string, args: object = {}): Promise<void> {
    const call = `lab.run(${JSON.stringify(command)}, ${JSON.stringify(args)}).then(() => undefined)`;
    return this.page.evaluate(call);
  }

  /** Begins to run all cells. */
  async runAll(): Promise<void> {
    await this.page.evaluate('void lab.run("notebook:run-all-cells")');
  }

  state(): Promise<State> {
    return this.page.evaluate("lab.state()");
  }

  charts(cellId: string): Promise<DrawnChart[]> {
    return this.page.evaluate(`lab.charts(${JSON.stringify(cellId)})`);
  }

  async setTheme(theme: Theme): Promise<void> {
    const name = theme === "dark" ? "JupyterLab Dark" : "JupyterLab Light";
    await this.run("apputils:change-theme", { theme: name });
    const isSet = `document.body.dataset.jpThemeLight === "${theme === "light"}"`;
    await this.page.waitForFunction(isSet, null, { timeout: START_MS });
  }

  /** Takes a picture of the whole notebook. */
  async picture(file: string): Promise<void> {
    await this.wholly(() => this.page.screenshot({ path: file }));
  }

  /** Takes a picture of a cell with its output, without what is beside it. */
  cellPicture(id: string): Promise<Buffer> {
    return this.wholly(async () => {
      const clip = await this.page.evaluate<Clip>(`lab.placeOf(${JSON.stringify(id)})`);
      return this.page.screenshot({ clip });
    });
  }

  /** Does something while the whole notebook is in view. */
  private async wholly<T>(act: () => Promise<T>): Promise<T> {
    const resize = (height: number) => this.page.setViewportSize({ width: this.width, height });
    await resize(MAX_HEIGHT);
    await this.page.evaluate("lab.scrollToTop()");
    // Cells that come into view are drawn then, and push those below.
    await resize((await this.settledEnd()) + MARGIN);
    await this.settledEnd();
    const result = await act();
    await resize(HEIGHT);
    return result;
  }

  /** Returns where the last cell ends, once that stays the same. */
  private settledEnd(): Promise<number> {
    const ends: number[] = [];
    return until("the cells to be drawn", START_MS, async () => {
      ends.push(await this.page.evaluate<number>("lab.end()"));
      const last = ends.slice(-STEADY_POLLS);
      return last.length === STEADY_POLLS && new Set(last).size === 1 && last[0];
    });
  }

  async save(): Promise<void> {
    await this.run("docmanager:save");
  }

  /** Ends the kernel of the notebook in front. */
  async shutDown(): Promise<void> {
    await this.page.evaluate("lab.shutDown().then(() => undefined)");
  }
}

/** Makes the copy a repository as set-up leaves it, and commits its notebooks. */
export function commitNotebooks(dir: string): void {
  const git = (...args: string[]) => execFileSync("git", args, { cwd: dir, stdio: "pipe" });
  git("init", "--quiet");
  addNotebookFilter({ root: dir });
  git("add", ".gitattributes", ".gitignore", "notebooks");
  git(
    ...["-c", "user.name=test", "-c", "user.email=test@example.org"],
    ...["commit", "--quiet", "-m", "Add notebooks"],
  );
}

async function freePort(): Promise<number> {
  const server = createServer().listen(0, "127.0.0.1");
  await once(server, "listening");
  const { port } = server.address() as { port: number };
  server.close();
  return port;
}
