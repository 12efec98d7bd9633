// Runs the cells of all notebooks on a few images, in this process and without a kernel, which takes seconds.
import assert from "node:assert/strict";
import { copyFileSync, mkdirSync, readFileSync } from "node:fs";
import path from "node:path";
import ts from "typescript";
import * as ferkit from "../src/index.js";
import { listFiles, projectDir, readProjectFile } from "./source-files.js";
import { drawClassFolders, workspace } from "./workspace.js";

interface Cell {
  cell_type: string;
  metadata: { tags?: string[] };
  source: string[];
}

/** A network that trains in seconds and needs no download. */
const SMALL = { weights: "random", imageSize: 33, epochs: 1 };

/** As ferkit's, with a small network where nothing else is chosen. */
const trainConfig: typeof ferkit.trainConfig = (preset, overrides = {}) => {
  const chosen = Object.entries(overrides).filter(([, value]) => (value ?? null) !== null);
  return ferkit.trainConfig(preset, { ...SMALL, ...Object.fromEntries(chosen) });
};

/** Returns a notebook as the body of an async function, with the parameters of a run. */
function programOf(file: string, parameters: Record<string, unknown>): string {
  const { cells } = JSON.parse(readProjectFile(file)) as { cells: Cell[] };
  const code = cells
    .filter(({ cell_type }) => cell_type === "code")
    .map(({ source, metadata: { tags } }) => {
      const text = source.join("");
      const given = Object.entries(parameters).filter(([name]) => text.includes(`let ${name}`));
      if (!tags?.includes("parameters")) return text;
      return [text, ...given.map(([name, value]) => `${name} = ${JSON.stringify(value)};`)].join("\n");
    });
  const compilerOptions = { target: ts.ScriptTarget.ES2022, module: ts.ModuleKind.CommonJS };
  return ts.transpileModule(code.join("\n"), { compilerOptions }).outputText;
}

const files = listFiles(["notebooks"], [".ipynb"]);

const AsyncFunction = (async () => {}).constructor as new (
  ...args: string[]
) => (...values: unknown[]) => Promise<void>;

describe("the notebooks on a few images", function () {
  this.timeout(600_000);
  const folder = workspace();
  const cwd = process.cwd();
  beforeEach("works in the folder", () => {
    mkdirSync(folder.file("notebooks"));
    copyFileSync(path.join(projectDir, "notebooks/astronaut.jpg"), folder.file("notebooks/astronaut.jpg"));
    process.chdir(folder.path);
  });
  afterEach("returns", () => {
    process.chdir(cwd);
  });

  /** Runs notebooks whose names start with one of the numbers, in order; returns what each prints. */
  async function run(
    numbers: string[],
    parameters: Record<string, unknown>,
    replaced: object = {},
  ): Promise<string[]> {
    const printed: string[] = [];
    for (const file of files.filter((name) => numbers.some((number) => name.includes(`/${number}-`)))) {
      const lines: string[] = [];
      const console = { log: (...words: unknown[]) => lines.push(words.join(" ")) };
      const program = new AsyncFunction("require", "exports", "console", programOf(file, parameters));
      await program(() => ({ ...ferkit, trainConfig, ...replaced }), {}, console);
      printed.push(lines.join("\n"));
    }
    return printed;
  }

  it("run on two classes of four images", async () => {
    await drawClassFolders(folder.file("images"), 4);
    await run(["01", "02"], { data: "images", imageSize: 35, horizontalFlip: 0 });
    await run(["03", "04"], {});
    const runDir = await ferkit.loadLatestRun();
    const { train } = JSON.parse(readFileSync(path.join(runDir, "config.json"), "utf8"));
    assert.deepEqual([train.imageSize, train.augment.horizontalFlip], [35, 0], "as notebook 02 chose");

    const shown: [title: string | undefined, name: string | undefined][] = [];
    const predictionsChart: typeof ferkit.predictionsChart = (images, options) => {
      shown.push([options?.title, images[0].name]);
      return ferkit.predictionsChart(images, options);
    };
    await run(["05"], {}, { predictionsChart });
    const [predicted, maps] = ["Predictions", "Saliency maps"].map((title) =>
      shown.find((one) => one[0] === title),
    );
    assert.ok(predicted?.[1]);
    assert.equal(maps?.[1], predicted[1], "the first image stays so");
    assert.deepEqual(shown[0], ["Predictions for files", "notebooks/astronaut.jpg"]);

    const evaluate: typeof ferkit.evaluate = async (network, images) => {
      const evaluation = await ferkit.evaluate(network, images);
      const { labels, numImages } = images;
      const probs = Float32Array.from({ length: 2 * numImages }, (_, i) =>
        labels[Math.floor(i / 2)] === i % 2 ? 0.9 : 0.1,
      );
      const confusionMatrix = [0, 1].map((a) => [0, 1].map((b) => (a === b ? numImages / 2 : 0)));
      return { ...evaluation, accuracy: 1, probs, predicted: labels, confusionMatrix };
    };
    assert.deepEqual(await run(["06"], {}, { evaluate }), [
      [
        "the model's run was trained on this data set; the images are those that it held out (seed 0, share 0.2)",
        "The model made no error on these 2 images.",
        "There is no error to explain.",
        "No label is suspected.",
        "0 of 1 wrong labels were found: no label is suspected. Few images make the search unreliable.",
        "None: the model made no error.",
      ].join("\n"),
    ]);
  });
});
