// Draws the pictures of the README from what the notebooks and commands show today: npm run screenshots.
import { execFileSync } from "node:child_process";
import { mkdtempSync, readdirSync, rmSync, writeFileSync } from "node:fs";
import os from "node:os";
import path from "node:path";
import sharp from "sharp";
import { projectDir } from "../workspace.js";
import { openBrowser } from "./chromium.js";
import { Lab, makeClone, until } from "./jupyterlab.js";

/** A window as narrow as the cells, in pictures of more pixels than the page has. */
const WINDOW = { width: 1030, scale: 1.5 };
const MAX_BYTES = 150_000;
/** Time that a notebook may take, in milliseconds. */
const NOTEBOOK_MS = 900_000;
/** The picture of the training is taken in this epoch. */
const LIVE_EPOCH = 6;
/** Validation images that a network of the tutorial classifies correctly, one of each expression but neutral. */
const FACES = ["happy/0012", "surprise/0002", "angry/0009", "sad/0003", "fear/0030", "disgust/0019"];

async function main(): Promise<void> {
  const browser = await openBrowser();
  if (typeof browser === "string") throw new Error(browser);
  const dir = mkdtempSync(path.join(os.tmpdir(), "ferkit-screenshots-"));
  try {
    makeClone(dir, {});
    const lab = await Lab.start(dir, browser, WINDOW);
    try {
      await lab.open("04-training");
      await lab.setTheme("light");
      await lab.run("application:toggle-left-area");
      await lab.runAll();
      await until(`epoch ${LIVE_EPOCH}`, NOTEBOOK_MS, async () => {
        const [chart] = await lab.charts("train");
        return chart?.texts.some((text) => text.includes(`epoch ${LIVE_EPOCH} of`));
      });
      await save("lab-training", await lab.cellPicture("train"));
      await finish(lab);
      await photograph(lab, "05-inference", { saliency: "lab-saliency" });
      await photograph(lab, "06-errors-and-labels", { errors: "lab-errors" });
    } finally {
      await lab.stop();
    }
    await drawCharts(dir);
  } finally {
    await browser.close();
    rmSync(dir, { recursive: true, force: true });
  }
}

/** Runs a notebook and takes pictures of some of its cells, which are named by cell. */
async function photograph(lab: Lab, name: string, pictures: Record<string, string>): Promise<void> {
  await lab.open(name);
  await lab.run("application:toggle-left-area");
  await lab.runAll();
  await finish(lab, async () => {
    for (const [cell, picture] of Object.entries(pictures)) await save(picture, await lab.cellPicture(cell));
  });
}

/** Waits for the last cell, takes pictures, and ends the kernel. */
async function finish(lab: Lab, take = async () => {}): Promise<void> {
  await until("the last cell", NOTEBOOK_MS, async () => {
    const { status, cells } = await lab.state();
    const failed = cells.flatMap(({ outputs }) => outputs).find((one) => one.output_type === "error");
    if (failed) throw new Error(failed.evalue);
    return status === "idle" && cells.every(({ executionCount }) => executionCount !== null);
  });
  await take();
  await lab.shutDown();
}

/** Draws the predictions of the network that the notebooks trained, and the faces of a photograph. */
async function drawCharts(dir: string): Promise<void> {
  const chart = path.join(dir, "chart.png");
  const predict = (...args: string[]) =>
    execFileSync(process.execPath, ["scripts/ferkit.cjs", "predict", ...args, "--chart", chart], {
      cwd: dir,
      env: { ...process.env, INIT_CWD: dir },
      stdio: ["ignore", "ignore", "inherit"],
    });
  const json = execFileSync(process.execPath, ["scripts/ferkit.cjs", "data", "--json"], { cwd: dir });
  const { root } = JSON.parse(json.toString()) as { root: string };
  const faces = FACES.map((name) => path.join(root, "validation", `${name}.png`));
  const run = readdirSync(path.join(dir, "runs")).find((name) => name.startsWith("tutorial"));
  predict(...faces, "--model", `runs/${run}/best`);
  await save("predictions", await sharp(chart).resize(1200).toBuffer());
  predict("test/faces/photos/astronaut.jpg", "--faces");
  await save("faces", await sharp(chart).resize(600).toBuffer());
}

/** Writes a picture to docs/ in the best quality that `MAX_BYTES` leave room for. */
async function save(name: string, picture: Buffer): Promise<void> {
  for (const quality of [100, 80, 60, 40]) {
    const bytes = await sharp(picture).png({ quality, effort: 10, dither: 0 }).toBuffer();
    if (bytes.length > MAX_BYTES) continue;
    writeFileSync(path.join(projectDir, "docs", `${name}.png`), bytes);
    console.log(`docs/${name}.png: quality ${quality}, ${bytes.length} bytes`);
    return;
  }
  throw new Error(`${name}.png has more than ${MAX_BYTES} bytes in the lowest quality. Draw it smaller`);
}

main().catch((error: unknown) => {
  console.error(error);
  process.exitCode = 1;
});
