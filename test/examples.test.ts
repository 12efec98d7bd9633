import assert from "node:assert/strict";
import { existsSync, readdirSync } from "node:fs";
import path from "node:path";
import { readProjectFile } from "./source-files.js";
import { projectDir, type Result, runProgram, workspace } from "./workspace.js";

const TSX = path.join(projectDir, "node_modules/tsx/dist/cli.mjs");
/** What makes a command short. */
const SHRINK: Record<string, string> = {
  "examples/draw-glasses.mts": "10",
  train: "--set weights=random --set epochs=1 --set imageSize=33 --set batchSize=8",
};

describe("examples/README.md", function () {
  this.timeout(600_000);

  const folder = workspace("suite");

  /** Runs a line such as `npx ferkit data --data FOLDER`, shrunk. */
  async function run(line: string): Promise<Result> {
    const [, program, what, ...rest] = `${line} ${SHRINK[line.split(" ")[2]] ?? ""}`.trim().split(" ");
    if (program === "ferkit") return folder.ferkit(what, ...rest);
    return runProgram(process.execPath, [TSX, path.join(projectDir, what), ...rest], folder.path);
  }

  it("has commands that run one after another, here on few images", async () => {
    const [, block] = readProjectFile("examples/README.md").match(/```sh\n([^`]+)```/) as RegExpMatchArray;
    const lines = block.trim().split("\n");
    const printed: string[] = [];
    for (const line of lines) {
      const { status, stdout, stderr } = await run(line);
      assert.equal(status, 0, `${line}\n${stderr}`);
      printed.push(stdout);
    }
    for (const [split, count] of Object.entries({ train: 8, validation: 2 }))
      for (const className of ["glasses", "no-glasses"])
        assert.equal(readdirSync(folder.file("data/glasses", split, className)).length, count);
    assert.match(printed[1], /^glasses: 16 training and 4 validation images\n/);
    assert.match(printed[3], /\b4 images\b/);
    assert.equal(printed[4].trim().split("\n").length, 2); // the validation images with glasses
    assert.ok(existsSync(folder.file("out/glasses.png")));
  });

  it("says what is wrong with a number of images", () => {
    const { status, stderr } = runProgram(
      process.execPath,
      [TSX, path.join(projectDir, "examples/draw-glasses.mts"), "few", "4"],
      folder.path,
    );
    assert.equal(status, 1);
    assert.match(
      stderr,
      /Expected an integer ≥ 5 for the number of images of each class but received 4 of type number/,
    );
    assert.equal(existsSync(folder.file("few")), false);
  });
});
