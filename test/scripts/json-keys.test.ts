import assert from "node:assert/strict";
import { mkdirSync, writeFileSync } from "node:fs";
import { Command } from "commander";
import { COMMANDS } from "../../scripts/cli.js";
import { saveModel } from "../../src/model/weights/model-folder.js";
import { randomNetwork } from "../model/fixtures.js";
import { readProjectFile } from "../source-files.js";
import { drawClassFolders, launcher, runProgram, workspace } from "../workspace.js";

type Json = Record<string, unknown>;

/** A table of docs/commands.md: what it says of each key. */
type Table = Map<string, string>;

/** Returns the tables of keys in a section of docs/commands.md. */
function tablesOf(section: string): Table[] {
  const [text] = readProjectFile("docs/commands.md").split(`\n## ${section}\n`)[1].split(/\n## /);
  return text
    .split(/\n(?=\| key)/)
    .slice(1)
    .map(
      (table) =>
        new Map([...table.matchAll(/^\| `(\w+)` *\| (.*?) *\|$/gm)].map(([, key, value]) => [key, value])),
    );
}

/** Checks that the lines have the table's keys and no others, and so do the objects that it describes as `{a, b}`. */
function checkKeys(lines: Json[], table: Table): void {
  const found = new Set(lines.flatMap((line) => Object.keys(line)));
  assert.deepEqual([...found].sort(), [...table.keys()].sort());
  for (const [key, value] of table) {
    const [, inner] = /`\[?\{([\w, ]+)\}\]?`/.exec(value) ?? [];
    const objects = lines.flatMap((line) => line[key] ?? []).filter((one) => Object(one) === one);
    if (inner === undefined || objects.length === 0 || value.startsWith("class name")) continue;
    const keys = new Set(objects.flatMap((one) => Object.keys(one as Json)));
    assert.deepEqual([...keys].sort(), inner.split(", ").sort(), key);
  }
}

describe("docs/commands.md names every key of --json", function () {
  this.timeout(600_000);
  const folder = workspace("suite");
  const small = ["weights=random", "epochs=2", "imageSize=33", "batchSize=4"].flatMap((value) => [
    "--set",
    value,
  ]);

  /** Returns the JSON lines that a command prints. */
  async function lines(...args: string[]): Promise<Json[]> {
    const { stdout, stderr } = await folder.ferkit(...args, "--json");
    assert.notEqual(stdout, "", stderr);
    return stdout
      .trim()
      .split("\n")
      .map((line) => JSON.parse(line));
  }
  const train = (...more: string[]) =>
    lines("train", "--data", "images", "--run", "runs/a", "--preset", "tutorial", ...small, ...more);
  let trained: Json[];

  before("draws images, and trains with a stop", async () => {
    await drawClassFolders(folder.file("images"), 12);
    mkdirSync(folder.file("images/disc"), { recursive: true });
    writeFileSync(folder.file("images/disc/broken.png"), "");
    const stopped = await train("--set", "maxMinutes=1e-9", "--max-unreadable-share", "0.5");
    trained = [...stopped, ...(await train("--max-unreadable-share", "0.5"))];
  });

  it("data", async () => {
    checkKeys(await lines("data", "--data", "images", "--image-size", "33"), tablesOf("data")[0]);
  });

  it("train, each epoch and the end", () => {
    const [epochs, ends] = tablesOf("train");
    const ofType = (type: string) => trained.filter((line) => line.type === type);
    checkKeys(ofType("epoch"), epochs);
    checkKeys(ofType("done"), ends);
  });

  it("train --find-learning-rate", async () => {
    const found = await train("--find-learning-rate", "rate.json", "--max-unreadable-share", "0.5");
    checkKeys(found, tablesOf("train")[2]);
  });

  it("evaluate", async () => {
    const args = ["evaluate", "--data", "images", "--model", "runs/a/best", "--flip"];
    checkKeys(await lines(...args, "--max-unreadable-share", "0.5"), tablesOf("evaluate")[0]);
  });

  it("predict, of an image and of a photograph, and with prediction sets", async () => {
    const network = randomNetwork({ imageSize: 33 });
    const predictionSets = { thresholds: [{ coverage: 0.9, minProb: 0.2 }], numImages: 100 };
    await saveModel(folder.file("sets"), { ...network.config, predictionSets }, await network.parameters());
    network.dispose();
    const photo = `${__dirname}/../faces/photos/astronaut.jpg`;
    const found = [
      ...(await lines("predict", "images/disc/1.png", "--no-faces")),
      ...(await lines("predict", photo)),
      ...(await lines("predict", photo, "--no-faces", "--model", "sets", "--abstain", "0.9")),
    ];
    checkKeys(found, tablesOf("predict")[0]);
  });

  it("labels", async () => {
    const args = ["labels", "--data", "images", "--folds", "2", "--preset", "tutorial", ...small];
    checkKeys(await lines(...args, "--max-unreadable-share", "0.5"), tablesOf("labels")[0]);
  });

  it("calibrate", async () => {
    await drawClassFolders(folder.file("more"), 100);
    const args = ["calibrate", "--data", "more", "--model", "runs/a/best", "--to", "calibrated"];
    checkKeys(await lines(...args), tablesOf("calibrate")[0]);
  });

  it("robustness", async () => {
    const args = ["robustness", "--data", "images", "--model", "runs/a/best", "--images", "2"];
    checkKeys(await lines(...args, "--max-unreadable-share", "0.5"), tablesOf("robustness")[0]);
  });

  it("runs", async () => {
    checkKeys(await lines("runs"), tablesOf("runs")[0]);
  });

  it("sweep", async () => {
    writeFileSync(folder.file("space.json"), JSON.stringify({ space: { seed: [0, 1] }, folds: 2 }));
    checkKeys(await lines("sweep", "--space", "space.json", "--dry-run"), tablesOf("sweep")[0]);
  });

  it("doctor", () => {
    const { stdout, stderr } = runProgram(process.execPath, [launcher, "doctor", "--json"], folder.path);
    assert.notEqual(stdout, "", stderr);
    checkKeys([JSON.parse(stdout)], tablesOf("doctor")[0]);
  });

  it("of no command that is not tested here", () => {
    const tested = [
      "data",
      "train",
      "evaluate",
      "labels",
      "predict",
      "calibrate",
      "robustness",
      "runs",
      "sweep",
      "doctor",
    ];
    const commands = Object.keys(COMMANDS).filter((name) => {
      const program = new Command();
      COMMANDS[name].load()(program);
      return program.commands[0].options.some(({ long }) => long === "--json");
    });
    assert.deepEqual(commands.sort(), tested.sort());
  });
});
