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

describe("src/index.ts", () => {
  it("loads no large package until one is needed", async () => {
    const { dependencies, devDependencies } = JSON.parse(readProjectFile("package.json"));
    const { stdout } = await promisify(execFile)(
      process.execPath,
      ["--require", path.join(projectDir, "scripts/compiled.cjs"), "--eval", SCRIPT],
      { cwd: projectDir },
    );
    const loaded: string[] = JSON.parse(stdout);
    assert.deepEqual(
      Object.keys({ ...dependencies, ...devDependencies }).filter((name) => loaded.includes(name)),
      ["@bufbuild/protobuf"], // small, and loaded by what exports models alone
    );
  });
});
