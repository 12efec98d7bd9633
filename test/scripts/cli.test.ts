import assert from "node:assert/strict";
import { existsSync, readdirSync, readFileSync, writeFileSync } from "node:fs";
import path from "node:path";
import { drawClassFolders, launcher, projectDir, type Result, runProgram, workspace } from "../workspace.js";

const PER_CLASS = 6;
const TRAIN = [
  "--set",
  "weights=random",
  "--set",
  "epochs=1",
  "--set",
  "imageSize=33",
  "--set",
  "batchSize=4",
];

const COMMANDS = [
  "data",
  "train",
  "evaluate",
  "labels",
  "calibrate",
  "robustness",
  "predict",
  "convert",
  "export",
  "runs",
  "sweep",
  "notebooks",
  "lab",
  "init",
  "setup",
  "doctor",
  "completion",
  "demo",
];
/** Returns the name in `<images...>`. */
const bare = (argument: string) => argument.replace(/[^\w]/g, "");
const parse = (text: string) => JSON.parse(text) as Record<string, unknown>;

describe("ferkit", function () {
  this.timeout(600_000);
  const folder = workspace("suite");
  const { ferkit } = folder;
  let images: string;
  let trained: Result;

  before("trains", async () => {
    images = folder.file("images");
    await drawClassFolders(images, PER_CLASS);
    trained = await ferkit("train", "--data", "images", "--run", "run", "--json", ...TRAIN);
  });

  it("prints the version and the commands", () => {
    const { version } = JSON.parse(readFileSync(path.join(projectDir, "package.json"), "utf8"));
    const run = (option: string) => runProgram(process.execPath, [launcher, option], folder.path);
    assert.deepEqual(run("--version"), { status: 0, stdout: `${version}\n`, stderr: "" });
    const { status, stdout } = run("--help");
    assert.equal(status, 0);
    for (const command of COMMANDS) assert.match(stdout, new RegExp(`^ {2}${command} `, "m"));
  });

  it("lists each command as its own help has it", async () => {
    const { stdout: list } = await ferkit("--help");
    for (const command of COMMANDS.filter((name) => name !== "setup")) {
      const { stdout } = await ferkit(command, "--help");
      const [, usage] = stdout.match(/^Usage: ferkit (.*)\n/) as RegExpMatchArray;
      assert.ok(list.includes(`  ${usage} `), usage);
      const own = stdout.match(/^Arguments:\n((?: {2}.*\n)+)/m)?.[1] ?? "";
      const names = own.split("\n").flatMap((line) => /^ {2}(\w+)/.exec(line)?.[1] ?? []);
      assert.deepEqual(
        names,
        (usage.match(/[<[](\w+)(\.\.\.)?[>\]]/g) ?? []).map(bare).filter((n) => n !== "options"),
      );
    }
  });

  it("shows an example in the help of each command", async () => {
    for (const command of COMMANDS.filter((name) => !["setup", "completion"].includes(name))) {
      const { status, stdout, stderr } = await ferkit(command, "--help");
      assert.deepEqual([status, stderr], [0, ""]);
      assert.match(stdout, /\nExamples?:\n {2}\$ (npx ferkit|npm start) /, command);
    }
  });

  it("shows a command's own options first, then how to split the data, then what labels and files mean", async () => {
    for (const command of ["train", "notebooks"]) {
      const { stdout } = await ferkit(command, "--help");
      const headings = [...stdout.matchAll(/^(\S.*):$/gm)].map(([, heading]) => heading);
      assert.deepEqual(headings, [
        "Options",
        "Split into train and validation",
        "Labels and files (docs/layouts.md)",
        "Examples",
      ]);
      assert.match(stdout, /\nOptions:\n {2}--data <source> /);
    }
  });

  it("offers no option in the help of labels that it refuses", async () => {
    const { stdout } = await ferkit("labels", "--help");
    assert.match(stdout, /^ {2}--folds <count> /m);
    assert.doesNotMatch(stdout, /--fold |--validation-share/);
  });

  describe("train", () => {
    it("prints the epochs and the end as JSON lines, and leaves a run", async () => {
      assert.equal(trained.status, 0, trained.stderr);
      const [epoch, done, ...rest] = trained.stdout.trim().split("\n").map(parse);
      assert.deepEqual([epoch.type, epoch.epoch, done.type, done.reason], ["epoch", 1, "done", "completed"]);
      assert.deepEqual(rest, []);
      assert.deepEqual(readdirSync(folder.file("run")).sort(), [
        "best",
        "config.json",
        "environment.json",
        "images.jsonl.gz",
        "last",
        "lock",
        "metrics.jsonl",
        "report.html",
      ]);
      assert.match(
        trained.stderr,
        /^note: batches have 3 or 4 images .*\nepoch 1\/1 .*\ncompleted: the best model by validation accuracy is of epoch 1, kept in .*\nvalidation: (accuracy .*, 2 images)\nalways answering .*\n(\(in brackets: .*\))\nreport: (\S+)\n$/,
      );
      assert.ok(trained.stderr.endsWith(`report: ${folder.file("run/report.html")}\n`));
    });

    it("has nothing to do for a run that is complete", async () => {
      const { status, stdout, stderr } = await ferkit(
        "train",
        "--data",
        "images",
        "--run",
        "run",
        "--json",
        ...TRAIN,
      );
      assert.equal(status, 0);
      assert.match(
        stderr,
        /^completed before, so nothing was trained \(--set epochs=N trains on, with a larger N\): the best model by validation accuracy is of epoch 1, kept in .*\nvalidation: accuracy .* \(.*\), macro-F1 .*, 2 images\n/m,
      );
      assert.deepEqual(
        stdout
          .trim()
          .split("\n")
          .map(parse)
          .map(({ type }) => type),
        ["done"],
      );
    });

    it("leaves no run that never was when the weights cannot be read", async () => {
      const missing = ["--set", "weights=missing.pth", "--set", "epochs=1"];
      const { status, stderr } = await ferkit("train", "--data", "images", "--run", "poor", ...missing);
      assert.equal(status, 1);
      assert.match(stderr, /^ferkit: Expected .*missing\.pth/);
      assert.equal(existsSync(folder.file("poor")), false);
    });

    it("looks for weights and teachers before the data set", async () => {
      const weights = ["weights=missing.pth", /^ferkit: Expected a file of weights or a model folder at /];
      const teachers = [
        'teachers=["missing"]',
        /^ferkit: Expected a model folder with model\.json at missing /,
      ];
      for (const [set, message] of [weights, teachers] as [string, RegExp][])
        for (const command of [["train"], ["train", "--find-learning-rate"], ["labels"]]) {
          const { status, stderr } = await ferkit(...command, "--data", "nowhere", "--set", set);
          assert.equal(status, 1);
          assert.match(stderr, message);
        }
    });
  });

  describe("predict", () => {
    it("prints a JSON line for each image, all classes ranked", async () => {
      const { status, stdout } = await ferkit("predict", "images", "--model", "run/best", "--json");
      assert.equal(status, 0);
      const lines = stdout.trim().split("\n").map(parse);
      assert.deepEqual(
        lines.map(({ name }) => path.relative("images", name as string)),
        ["disc", "square"].flatMap((name) => [0, 1, 2, 3, 4, 5].map((i) => `${name}/${i}.png`)),
      );
      for (const line of lines) {
        assert.deepEqual(Object.keys(line), ["name", "model", "predictions"]);
        const [first, second] = line.predictions as { className: string; prob: number }[];
        assert.ok(first.prob >= second.prob);
        assert.ok(Math.abs(first.prob + second.prob - 1) < 1e-6);
        assert.deepEqual([first.className, second.className].sort(), ["disc", "square"]);
      }
    });

    it("prints as many classes as asked for", async () => {
      const image = path.join(images, "disc/0.png");
      const { stdout } = await ferkit("predict", image, "--model", "run/best", "--top", "1");
      assert.match(stdout, /^\S+0\.png {2}(disc|square) \d+\.\d%\n$/);
    });

    it("draws the images beside their probabilities", async () => {
      const { status } = await ferkit("predict", "images/", "--model", "run/best", "--chart", "faces.svg");
      assert.equal(status, 0);
      const svg = readFileSync(folder.file("faces.svg"), "utf8");
      assert.equal(svg.match(/<image /g)?.length, 2 * PER_CLASS);
      assert.ok(svg.includes(">disc/0.png<"));
    });

    it("says which image cannot be read", async () => {
      writeFileSync(folder.file("bad.png"), "no image");
      const { status, stdout, stderr } = await ferkit("predict", "bad.png", "--model", "run/best");
      assert.deepEqual([status, stdout], [1, ""]);
      const where = folder.file("bad.png");
      assert.equal(
        stderr,
        `ferkit: Expected an image at ${where} but found no image that can be read. Remove or replace it.\n`,
      );
    });
  });
});
