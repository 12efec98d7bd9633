// Runs the notebooks in JupyterLab, in a browser, as a reader does: npm run test:browser.
import assert from "node:assert/strict";
import { execFileSync } from "node:child_process";
import { existsSync, mkdirSync } from "node:fs";
import path from "node:path";
import type { ChartSpec } from "../../src/charts/theme.js";
import { drawnMarks } from "../charts/drawn.js";
import { TUTORIAL } from "../source-files.js";
import { projectDir, workspace } from "../workspace.js";
import { type Browser, openBrowser } from "./chromium.js";
import { commitNotebooks, type DrawnChart, Lab, makeClone, type State, until } from "./jupyterlab.js";

const VEGA_LITE = "application/vnd.vegalite.v5+json";
const PICTURES = path.join(projectDir, "out/browser");
/** Fewer epochs than the tutorial has, and enough to stop the training in between on a fast machine. */
const EPOCHS = 5;
/** Time that a notebook may take, in milliseconds: on busy cores several times as long as on idle ones. */
const NOTEBOOK_MS = 600_000;
/** Time that anything else may take, in milliseconds. */
const WAIT_MS = 120_000;
/** Contrast of text that people with poor sight can read, by WCAG 2.1. */
const LEGIBLE = 4.5;

describe("JupyterLab in a browser", function () {
  this.timeout(NOTEBOOK_MS + 180_000);
  this.slow(120_000);
  const clone = workspace("suite");
  let browser: Browser;
  let lab: Lab;

  before("starts JupyterLab on a copy of the project", async function () {
    const opened = await openBrowser();
    if (typeof opened === "string") {
      console.log(`      skipped: ${opened}`);
      this.skip();
    }
    browser = opened as Browser;
    makeClone(clone.path, {
      "04-training": [["let epochs: number | null = null;", `let epochs: number | null = ${EPOCHS};`]],
    });
    commitNotebooks(clone.path);
    mkdirSync(PICTURES, { recursive: true });
    lab = await Lab.start(clone.path, browser);
  });

  after("ends JupyterLab", async () => {
    await browser?.close();
    await lab?.stop();
  });

  const errorsOf = ({ cells }: State) =>
    cells.flatMap(({ id, outputs }) =>
      outputs.filter(({ output_type }) => output_type === "error").map(({ evalue }) => `${id}: ${evalue}`),
    );
  const lineMarks = async (id: string) => (await lab.charts(id))[0]?.marks.line ?? 0;

  function describeStop() {
    describe("04-training, stopped while it trains", () => {
      let state: State;
      before("stops it once its chart is drawn, during Run All", async () => {
        await lab.open("04-training");
        await lab.runAll();
        await until("the live chart", NOTEBOOK_MS, async () => {
          assert.deepEqual(errorsOf(await lab.state()), []);
          return (await lineMarks("train")) > 0;
        });
        await lab.run("notebook:interrupt-kernel");
        state = await until("the kernel to be idle", WAIT_MS, async () => {
          const now = await lab.state();
          return now.status === "idle" && now;
        });
      });
      after(() => lab.shutDown());

      it("shows no error, and the chart of what was trained", async () => {
        assert.deepEqual(errorsOf(state), []);
        assert.ok((await lineMarks("train")) > 0);
        const [{ title }] = await lab.charts("train");
        assert.match(title, /interrupted|Training/);
      });

      it("drops what was queued", () => {
        const ids = state.cells.map(({ id }) => id);
        const later = state.cells.slice(ids.indexOf("train") + 1);
        assert.ok(later.length > 5);
        assert.deepEqual(
          later.filter(({ executionCount }) => executionCount !== null).map(({ id }) => id),
          [],
        );
      });
    });
  }

  for (const name of TUTORIAL) {
    if (name === "04-training") describeStop(); // the run that is stopped resumes in the notebook
    describe(name, () => {
      let state: State;
      /** The kernel's status while the training ran, as the front end had it. It is idle for a moment between two cells. */
      const statuses: string[] = [];
      /** The live chart at different times. */
      const live: DrawnChart[] = [];

      before("runs all cells", async () => {
        await lab.open(name);
        await lab.runAll();
        state = await until(`${name} to end`, NOTEBOOK_MS, async () => {
          const now = await lab.state();
          const isDone = now.cells.every(({ executionCount }) => executionCount !== null);
          const isTraining = now.cells.some(
            ({ id, executionCount }) => id === "train" && executionCount === null,
          );
          if (isTraining && live.length > 0) statuses.push(now.status);
          if (name === "04-training" && !isDone) live.push(...(await lab.charts("train")));
          return ((isDone && now.status === "idle") || errorsOf(now).length > 0) && now;
        });
      });
      after(() => lab.shutDown());

      it("shows no error", () => {
        assert.deepEqual(errorsOf(state), []);
      });

      it("draws each chart, mark for mark, and cuts off none", async () => {
        for (const { id, outputs } of state.cells) {
          const specs = outputs.flatMap(({ data }) => (data?.[VEGA_LITE] as ChartSpec) ?? []);
          const drawn = await until(`the charts of ${id}`, WAIT_MS, async () => {
            const charts = await lab.charts(id);
            return charts.length === specs.length && charts;
          });
          for (const [i, spec] of specs.entries()) {
            assert.deepEqual(counted(drawn[i].marks), await expectedMarks(spec), `${id}, chart ${i + 1}`);
            assert.ok(!drawn[i].isCutOff, `${id}, chart ${i + 1} is cut off`);
          }
        }
      });

      it("is legible in the light and in the dark theme", async () => {
        const hasCharts = state.cells.some(({ outputs }) => outputs.some(({ data }) => data?.[VEGA_LITE]));
        for (const theme of ["dark", "light"] as const) {
          await lab.setTheme(theme);
          await lab.picture(path.join(PICTURES, `${name}-${theme}.png`));
          const contrast = await lab.page.evaluate<number>("lab.lowestContrast()");
          if (hasCharts) assert.ok(contrast >= LEGIBLE, `contrast of ${contrast.toFixed(1)} in ${theme}`);
        }
      });

      it("leaves git clean once it is saved", async () => {
        await lab.save();
        const git = (...args: string[]) =>
          execFileSync("git", args, { cwd: clone.path, encoding: "utf8" }).trim();
        const file = `notebooks/${name}.ipynb`;
        const stored = git("rev-parse", `:${file}`);
        const isSaved = async () => git("hash-object", "--no-filters", file) !== stored;
        await until("the outputs in the file", WAIT_MS, isSaved);
        await until("git to be clean", WAIT_MS, async () => git("status", "--short", "notebooks") === "");
      });

      if (name === "04-training") {
        it("says that the kernel is busy while it trains", () => {
          assert.ok(statuses.length > 3);
          assert.deepEqual([...new Set(statuses)], ["busy"]);
        });

        it("moves the chart while it trains", () => {
          const shapes = new Set(live.map(({ paths }) => paths.join()));
          assert.ok(shapes.size >= 3, `${shapes.size} states of the chart`);
        });
      }

      if (name === "01-setup") {
        const newCell = async (text: string) => {
          await lab.run("notebook:insert-cell-below");
          await lab.run("notebook:enter-edit-mode");
          await until("the editor", WAIT_MS, () => lab.page.evaluate<boolean>("lab.isEditing()"));
          await lab.page.keyboard.type(text);
          const source = () => lab.page.evaluate<string>("lab.activeSource()");
          // Brackets and quotes close by themselves.
          await until(`${text} in the cell`, WAIT_MS, async () => (await source()).startsWith(text));
        };

        it("stops a busy loop behind an await, and runs cells after it", async () => {
          const begun = path.join(clone.path, "begun");
          const mark = `require("node:fs").writeFileSync(${JSON.stringify(begun)}, "")`;
          await newCell(`await null; for (let i = 0; ; i++) if (i === 9) ${mark};`);
          await lab.page.evaluate('void lab.run("notebook:run-cell")');
          await until("the loop", WAIT_MS, async () => existsSync(begun));
          await lab.run("notebook:interrupt-kernel");
          const stopped = await until("the end of the loop", WAIT_MS, async () => {
            const now = await lab.state();
            return now.status === "idle" && now;
          });
          assert.match(errorsOf(stopped).join(), /: The cell was stopped\.$/);
          await newCell("6 * 7");
          await lab.run("notebook:run-cell");
          const { cells } = await lab.state();
          const shown = cells.flatMap(({ outputs }) => outputs.map(({ data }) => data?.["text/plain"]));
          assert.ok(shown.includes("42"), String(shown));
        });

        it("completes at the first Tab", async () => {
          await newCell("ferkit.");
          await lab.page.keyboard.press("Tab");
          const names = await until("completions", WAIT_MS, async () => {
            const found = await lab.page.evaluate<string[]>("lab.completions()");
            return found.length > 0 && found;
          });
          for (const one of ["train", "loadDataset", "show"]) assert.ok(names.includes(one), names.join());
          await lab.page.keyboard.press("Escape");
        });

        it("shows the signature inside a call at Shift-Tab", async () => {
          await newCell("ferkit.train(");
          await lab.page.keyboard.press("Shift+Tab");
          const text = await until("the tooltip", WAIT_MS, () => lab.page.evaluate<string>("lab.tooltip()"));
          assert.match(text, /^train\(dataset: ferkit\.Dataset, config: /);
          assert.match(text, /Trains a network on a data set/);
        });
      }
    });
  }
});

/** Returns the number of marks that a chart has, by kind. */
async function expectedMarks(spec: ChartSpec): Promise<Record<string, number>> {
  const counts: Record<string, number> = {};
  for (const { kind, role } of await drawnMarks(spec))
    if (role === "mark" && kind !== "group") counts[kind] = (counts[kind] ?? 0) + 1;
  return counted(counts);
}

/** Returns the kinds of marks that are there, with their numbers. Lines are counted as points in one place, as paths in the other. */
function counted(marks: Record<string, number>): Record<string, number> {
  const present = Object.entries(marks).filter(([, count]) => count > 0);
  return Object.fromEntries(present.map(([kind, count]) => [kind, kind === "line" ? 1 : count]));
}
