import assert from "node:assert/strict";
import {
  cpSync,
  existsSync,
  mkdirSync,
  readFileSync,
  rmSync,
  symlinkSync,
  utimesSync,
  writeFileSync,
} from "node:fs";
import Module from "node:module";
import path from "node:path";
import { projectDir, runProgram, workspace } from "../workspace.js";

const INDEX = `export { double, type Pair } from "./double.js";
export * as other from "./other.js";
`;
const DOUBLE = `export type Pair = [number, number];
/** A comment that the copy leaves out. */
export function double(x: number): Pair { return [x, 2 * x]; }
`;
const OTHER = `console.log("other is loaded");
interface Point { x: number }

export function fail(point: Point): void {
  throw new Error(String(point.x));
}
export const load = () => import("node:path");
`;

describe("compiled.cjs", () => {
  const folder = workspace();

  beforeEach("makes a project", () => {
    mkdirSync(folder.file("src"));
    mkdirSync(folder.file("scripts"));
    mkdirSync(folder.file("node_modules"));
    for (const name of ["compiled.cjs", "home.cjs"])
      cpSync(path.join(projectDir, "scripts", name), folder.file("scripts", name));
    symlinkSync(path.join(projectDir, "node_modules/typescript"), folder.file("node_modules/typescript"));
    writeFileSync(folder.file("src/index.ts"), INDEX);
    writeFileSync(folder.file("src/double.ts"), DOUBLE);
    writeFileSync(folder.file("src/other.ts"), OTHER);
  });

  /** Runs code that sees the exports of src as `src`. */
  function run(code: string) {
    const load = 'require("./scripts/compiled.cjs"); const src = require("./src/index.ts");';
    return runProgram(process.execPath, ["--eval", `${load}\n${code}`], folder.path);
  }
  const withoutCompiler = () => rmSync(folder.file("node_modules/typescript"));
  const printed = (stdout: string) => ({ status: 0, stdout, stderr: "" });

  it("loads TypeScript, and of an index only what is used", () => {
    assert.deepEqual(
      run("console.log(...src.double(2), Object.keys(src).join());"),
      printed("2 4 double,other\n"),
    );
  });

  it("keeps imports that are made when they are needed", () => {
    const code = "src.other.load().then(({ sep }) => console.log(sep));";
    assert.deepEqual(run(code), printed("other is loaded\n/\n"));
  });

  it("needs no compiler the second time", () => {
    run("src.double(1);");
    withoutCompiler();
    assert.deepEqual(run("console.log(...src.double(3));"), printed("3 6\n"));
  });

  it("sees an edit at the next run", () => {
    run("src.double(1);");
    writeFileSync(folder.file("src/double.ts"), DOUBLE.replace("2 * x", "3 * x"));
    assert.deepEqual(run("console.log(...src.double(3));"), printed("3 9\n"));
  });

  it("needs no compiler in a copy of the project, whose files have other times", () => {
    run("src.double(1);");
    withoutCompiler();
    utimesSync(folder.file("src/double.ts"), 1, 1);
    assert.deepEqual(run("console.log(...src.double(3));"), printed("3 6\n"));
  });

  it("compiles again after a change in how it compiles", () => {
    run("src.double(1);");
    const loader = folder.file("scripts/compiled.cjs");
    const changed = readFileSync(loader, "utf8").replace("removeComments: true", "removeComments: false");
    writeFileSync(loader, changed);
    run("src.double(1);");
    assert.match(readFileSync(folder.file(".ferkit/compiled/src/double.js"), "utf8"), /A comment/);
  });

  it("names the lines that were written in a stack", () => {
    const { status, stderr } = run("src.other.fail({ x: 1 });");
    assert.equal(status, 1);
    assert.match(stderr, /src\/other\.ts:5:/);
  });

  it("reads no source map of packages, which are large", () => {
    mkdirSync(folder.file("node_modules/fails"));
    const map = { version: 3, sources: ["written.ts"], names: [], mappings: "AAUA" }; // line 1 was line 11
    for (const name of ["fails/index.js", "own.js"]) {
      const file = name === "own.js" ? folder.file(name) : folder.file("node_modules", name);
      writeFileSync(`${file}.map`, JSON.stringify(map));
      const code = `module.exports = () => { throw new Error("planted"); };\nconst text = "//# sourceMappingURL=none";\n`;
      writeFileSync(file, `${code}//# sourceMappingURL=${path.basename(file)}.map\n`);
    }
    const stackOf = (name: string) =>
      run(`try { require("${name}")(); } catch ({ stack }) { console.log(stack); }`).stdout;
    assert.match(stackOf("fails"), /node_modules\/fails\/index\.js:1:/);
    assert.match(stackOf("./own.js"), /written\.ts:11:/);
  });

  it("keeps what V8 compiled if Node.js can", () => {
    run("src.double(1);");
    assert.equal(existsSync(folder.file(".ferkit/v8")), "enableCompileCache" in Module);
  });

  it("works where no copy can be written", () => {
    writeFileSync(folder.file(".ferkit"), "");
    assert.deepEqual(run("console.log(...src.double(2));"), printed("2 4\n"));
  });

  it("loads JavaScript as before", () => {
    writeFileSync(folder.file("src/plain.js"), "module.exports = 5;");
    assert.deepEqual(run('console.log(require("./src/plain.js"));'), printed("5\n"));
  });
});
