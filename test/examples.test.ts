import assert from "node:assert/strict";
import { existsSync, mkdtempSync, readdirSync, rmSync } from "node:fs";
import os from "node:os";
import path from "node:path";
import { launcher, type Result, root, runProgram } from "./scripts/fixtures.js";
import { readProjectFile } from "./source-files.js";

const PROGRAMS: Record<string, string> = {
  ferkit: launcher,
  tsx: path.join(root, "node_modules/tsx/dist/cli.mjs"),
};
/** What makes a command short. */
const SHRINK: Record<string, string> = {
  "examples/draw-glasses.mts": "10",
  train: "--set weights=random --set epochs=1 --set imageSize=33 --set batchSize=8",
};

describe("examples/README.md", function () {
  this.timeout(120_000);

  let dir: string;
  before(() => {
    dir = mkdtempSync(path.join(os.tmpdir(), "ferkit-examples-"));
  });
  after(() => rmSync(dir, { recursive: true }));

  /** Runs a line such as `npx ferkit data --data FOLDER`, shrunk. */
  function run(line: string): Result {
    const [, program, what, ...rest] = `${line} ${SHRINK[line.split(" ")[2]] ?? ""}`.trim().split(" ");
    const first = program === "tsx" ? path.join(root, what) : what;
    return runProgram(process.execPath, [PROGRAMS[program], first, ...rest], dir);
  }

  it("has commands that run one after another, here on few images", () => {
    const [, block] = readProjectFile("examples/README.md").match(/```sh\n([^`]+)```/) as RegExpMatchArray;
    const lines = block.trim().split("\n");
    const printed = lines.map((line) => {
      const { status, stdout, stderr } = run(line);
      assert.equal(status, 0, `${line}\n${stderr}`);
      return stdout;
    });
    for (const [split, count] of Object.entries({ train: 8, validation: 2 }))
      for (const className of ["glasses", "no-glasses"])
        assert.equal(readdirSync(path.join(dir, "data/glasses", split, className)).length, count);
    assert.match(printed[1], /^glasses: 16 training and 4 validation images\n/);
    assert.match(printed[3], /\b4 images\b/);
    assert.equal(printed[4].trim().split("\n").length, 2); // the validation images with glasses
    assert.ok(existsSync(path.join(dir, "out/glasses.png")));
  });

  it("says what is wrong with a number of images", () => {
    const { status, stderr } = runProgram(
      process.execPath,
      [PROGRAMS.tsx, path.join(root, "examples/draw-glasses.mts"), "few", "4"],
      dir,
    );
    assert.equal(status, 1);
    assert.match(
      stderr,
      /Expected an integer ≥ 5 for the number of images of each class but received 4 of type number/,
    );
    assert.equal(existsSync(path.join(dir, "few")), false);
  });
});
