import assert from "node:assert/strict";
import { execFile } from "node:child_process";
import path from "node:path";
import { promisify } from "node:util";
import { projectDir, readProjectFile } from "./source-files.js";

/** Prints the packages that are loaded once `src/index.ts` is. */
const SCRIPT = `
  const src = require("./src/index.ts");
  for (const part of [src, src.internals]) for (const name of Object.keys(part)) part[name]; // loads each file
  const names = Object.keys(require.cache).map((file) => /.*node_modules.((@[^/]+.)?[^/]+)/.exec(file)?.[1]);
  console.log(JSON.stringify([...new Set(names)]));
`;

/** Prints what a data frame computes, and after each step whether mathjs is loaded. */
const FRAME_SCRIPT = `
  const hasMathjs = () => Object.keys(require.cache).some((file) => file.includes("/node_modules/mathjs/"));
  require("./src/index.ts").dataFrame([{ a: 1 }, { a: 3 }, { a: 8 }]).then((frame) => {
    const means = frame.groupby(["a"]).col(["a"]).mean().values;
    const before = hasMathjs();
    console.log(JSON.stringify([means.length, before, frame.median({ axis: 0 }).values, hasMathjs()]));
  });
`;

async function printed(script: string): Promise<unknown> {
  const { stdout } = await promisify(execFile)(
    process.execPath,
    ["--require", path.join(projectDir, "scripts/compiled.cjs"), "--eval", script],
    { cwd: projectDir },
  );
  return JSON.parse(stdout);
}

describe("src/index.ts", () => {
  it("loads no large package until one is needed", async () => {
    const { dependencies, devDependencies } = JSON.parse(readProjectFile("package.json"));
    const loaded = (await printed(SCRIPT)) as string[];
    assert.deepEqual(
      Object.keys({ ...dependencies, ...devDependencies }).filter((name) => loaded.includes(name)),
      ["@bufbuild/protobuf"], // small, and loaded by what exports models alone
    );
  });

  it("loads the mathematics of data frames when it is first used", async () => {
    assert.deepEqual(await printed(FRAME_SCRIPT), [3, false, [3], true]);
  });
});
