import assert from "node:assert/strict";
import { cpSync, existsSync, mkdirSync, readFileSync, symlinkSync, utimesSync, writeFileSync } from "node:fs";
import path from "node:path";
import ts from "typescript";
import { writePackage } from "../../../scripts/setup/declarations.js";
import { isPackageCurrent, packagePaths } from "../../../scripts/setup/package-files.cjs";
import { projectDir, workspace } from "../../workspace.js";

const INDEX = `
import { Shape } from "./shape.js";
export type { Option } from "pkg";
/** Returns the area of a shape. */
export function area(shape: Shape): number { return shape.area; }
export * as parts from "./shape.js";
export { Shape };
`;
const SHAPE = `
import { EventEmitter } from "node:events";
export class Shape extends EventEmitter { area = 1; }
`;
/** A package whose module adds to another, as tfjs adds the chained ops to its tensors, and with a type that is nowhere. */
const PACKAGE = {
  "package.json": JSON.stringify({ name: "pkg", version: "1.0.0", types: "index.d.ts" }),
  "index.d.ts": 'declare module "pkg" {\n  import "./more";\n  export { Option } from "./option";\n}\n',
  "option.d.ts": "export declare class Option { name: string; canvas: Missing; }\nexport as namespace pkg;\n",
  "more.d.ts": `
import { Option } from "./option";
declare module "./option" { interface Option { next(): Option; } }
`,
};

const RIGHT = `import * as ferkit from "./dist/index.js";
  const shape: ferkit.Shape = new ferkit.parts.Shape();
  export const area: number = ferkit.area(shape.once("x", () => {}));
  export const name = (option: ferkit.Option): string => option.next().next().name;`;
const WRONG = `import { area, Shape } from "./dist/index.js";
  export const name: string = area(new Shape());`;

describe("writePackage", () => {
  const folder = workspace("suite");
  /** What the compiler says of programs that use the declarations, and of the declarations. */
  let found: { file: string; text: string }[];

  before(
    "makes a project, and checks programs together, since most of the time goes into the types of Node.js",
    () => {
      for (const name of ["src", "node_modules/pkg", "scripts"])
        mkdirSync(folder.file(name), { recursive: true });
      writeFileSync(folder.file("src/index.ts"), INDEX);
      writeFileSync(folder.file("src/shape.ts"), SHAPE);
      for (const [name, text] of Object.entries(PACKAGE))
        writeFileSync(folder.file("node_modules/pkg", name), text);
      symlinkSync(path.join(projectDir, "node_modules/@types"), folder.file("node_modules/@types"));
      symlinkSync(
        path.join(projectDir, "node_modules/undici-types"),
        folder.file("node_modules/undici-types"),
      );
      for (const name of ["package-lock.json", "tsconfig.json", "package.json"])
        cpSync(path.join(projectDir, name), folder.file(name));
      writePackage(folder.path);
      found = check({ "right.ts": RIGHT, "wrong.ts": WRONG });
    },
  );

  function check(programs: Record<string, string>): { file: string; text: string }[] {
    for (const [name, code] of Object.entries(programs)) writeFileSync(folder.file(name), code);
    const options = {
      strict: true,
      noEmit: true,
      module: ts.ModuleKind.NodeNext,
      types: ["node"],
      typeRoots: [folder.file("node_modules/@types")],
    };
    const names = Object.keys(programs).map((name) => folder.file(name));
    const program = ts.createProgram(names, {
      ...options,
      skipLibCheck: false,
      lib: ["lib.es2022.d.ts"],
      target: ts.ScriptTarget.ES2022,
    });
    return ts.getPreEmitDiagnostics(program).map(({ file, messageText }) => ({
      file: path.basename(file?.fileName ?? ""),
      text: ts.flattenDiagnosticMessageText(messageText, "\n"),
    }));
  }

  it("compiles without skipLibCheck, and gives the types of src and of packages, what one module adds to another included", () => {
    assert.deepEqual(
      found.filter(({ file }) => file !== "wrong.ts"),
      [],
    );
  });

  it("finds a wrong use", () => {
    assert.deepEqual(
      found.filter(({ file }) => file === "wrong.ts"),
      [{ file: "wrong.ts", text: "Type 'number' is not assignable to type 'string'." }],
    );
  });

  it("keeps the docs", () => {
    const { modules } = packagePaths(folder.path);
    assert.match(
      readFileSync(modules, "utf8"),
      /\/\*\* Returns the area of a shape\. \*\/\nexport function area/,
    );
  });

  it("repeats no `declare` inside of a module", () => {
    const text = readFileSync(packagePaths(folder.path).modules, "utf8");
    assert.deepEqual(text.match(/^.*\bdeclare (?!module ").*$/gm), null);
  });

  it("names what can be imported from an ES module", () => {
    const { esm } = packagePaths(folder.path);
    assert.match(readFileSync(esm, "utf8"), /^export const \{ Shape, area, parts \} = ferkit;$/m);
  });

  it("is current until a file of src changes", () => {
    assert.equal(isPackageCurrent(folder.path), true);
    utimesSync(folder.file("src/shape.ts"), 1, 1);
    assert.equal(isPackageCurrent(folder.path), false);
    writePackage(folder.path);
    assert.equal(isPackageCurrent(folder.path), true);
    assert.equal(existsSync(packagePaths(folder.path).declarations), true);
  });
});
