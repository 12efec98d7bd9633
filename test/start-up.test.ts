import assert from "node:assert/strict";
import { execFile } from "node:child_process";
import path from "node:path";
import { promisify } from "node:util";
import { projectDir, readProjectFile } from "./source-files.js";

/** Prints the packages that are loaded once `src/index.ts` is. */
const SCRIPT = `
  require("./src/index.ts");
  const names = Object.keys(require.cache).map((file) => /.*node_modules.((@[^/]+.)?[^/]+)/.exec(file)?.[1]);
  console.log(JSON.stringify([...new Set(names)]));
`;

describe("src/index.ts", () => {
  it("loads no package until one is needed", async () => {
    const { dependencies } = JSON.parse(readProjectFile("package.json")) as { dependencies: object };
    const { stdout } = await promisify(execFile)(
      process.execPath,
      ["--require", path.join(projectDir, "node_modules/tsx/dist/cjs/index.cjs"), "--eval", SCRIPT],
      { cwd: projectDir },
    );
    const loaded: string[] = JSON.parse(stdout);
    assert.deepEqual(
      Object.keys(dependencies).filter((name) => loaded.includes(name)),
      ["tsx"], // what compiles
    );
  });
});
