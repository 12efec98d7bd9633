import assert from "node:assert/strict";
import { mkdirSync, readdirSync, readFileSync, writeFileSync } from "node:fs";
import path from "node:path";
import { launcher, projectDir, runProgram, workspace } from "../workspace.js";
import { contentsOf, resultOf, runCells } from "./kernel.js";

const { metadata } = JSON.parse(readFileSync(path.join(projectDir, "notebooks/01-setup.ipynb"), "utf8"));

describe("the cells of a run of notebooks", function () {
  this.timeout(600_000);
  const folder = workspace();

  it("are compiled by one process for all kernels, but in the kernel once they load a file of the project", () => {
    const sources = [
      'const own = () => Object.keys(require.cache).filter((file) => file.endsWith("/tslab/compiler.cjs")).length;\nconsole.log(own());',
      "let count = 1;\nconst add = async () => (count += 1);\nconsole.log(await add(), process.env.FERKIT_COMPILER);",
      'import { twice } from "./twice";\nconsole.log(twice(count), own());',
      'import { writeFileSync } from "node:fs";\nprocess.on("exit", () => writeFileSync("ended-" + process.pid, ""));\nconsole.log(own(), count);',
    ];
    mkdirSync(folder.file("in"));
    writeFileSync(folder.file("in/twice.ts"), "export const twice = (x: number): number => 2 * x;\n");
    for (const name of ["01-one", "02-two"]) {
      const cells = sources.map((source, i) => ({
        cell_type: "code",
        id: `cell-${i}`,
        metadata: {},
        source,
        execution_count: null,
        outputs: [],
      }));
      writeFileSync(
        folder.file(`in/${name}.ipynb`),
        JSON.stringify({ cells, metadata, nbformat: 4, nbformat_minor: 5 }),
      );
    }
    const { status, stderr } = runProgram(
      process.execPath,
      [launcher, "notebooks", "--folder", "in", "--out", "out"],
      folder.path,
    );
    assert.equal(status, 0, stderr);
    for (const name of ["01-one", "02-two"]) {
      const { cells } = JSON.parse(readFileSync(folder.file(`out/${name}.ipynb`), "utf8"));
      const printed = cells.map(({ outputs }: { outputs: { text: string | string[] }[] }) =>
        outputs.flatMap(({ text }) => text).join(""),
      );
      assert.deepEqual(printed, ["0\n", "2 undefined\n", "4 1\n", "1 2\n"], name);
    }
    const ended = readdirSync(folder.file("in")).filter((file) => file.startsWith("ended-"));
    assert.equal(ended.length, 2, "kernels end when asked, not when killed later");
  });

  it("are compiled in the kernel if that process is gone", async () => {
    process.env.FERKIT_COMPILER = folder.file("socket");
    try {
      const [sum, wrong] = await runCells("tslab", ["1 + 1", 'const x: number = "a";']);
      assert.equal(resultOf(sum), "2");
      assert.deepEqual(
        contentsOf(wrong, "error").map(({ evalue }) => evalue),
        ["1:7 - Type 'string' is not assignable to type 'number'."],
      );
    } finally {
      delete process.env.FERKIT_COMPILER;
    }
  });
});
