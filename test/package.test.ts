import assert from "node:assert/strict";
import { spawnSync } from "node:child_process";
import {
  existsSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  rmSync,
  symlinkSync,
  writeFileSync,
} from "node:fs";
import path from "node:path";
import ts from "typescript";
import { linksOf, readProjectFile } from "./source-files.js";
import { projectDir, runProgram, workspace } from "./workspace.js";

const TSX = require.resolve("tsx/cli");

describe("the package ferkit in another folder", () => {
  const folder = workspace("suite");

  before("links it, as npm install PATH does", () => {
    mkdirSync(folder.file("node_modules"));
    symlinkSync(projectDir, folder.file("node_modules/ferkit"));
  });

  /** Runs a program of the folder. */
  function run(name: string, code: string) {
    writeFileSync(folder.file(name), code);
    return runProgram(process.execPath, [folder.file(name)], folder.path);
  }

  it("is imported by an ES module, names and all", () => {
    const code = `import * as ferkit from "ferkit";
      import { train, trainConfig } from "ferkit";
      console.log(typeof train, trainConfig("tutorial").variant, ferkit.train === train);`;
    assert.deepEqual(run("program.mjs", code), { status: 0, stdout: "function lite0 true\n", stderr: "" });
  });

  it("is required by a CommonJS module", () => {
    const code = 'const { trainConfig } = require("ferkit"); console.log(trainConfig("tutorial").variant);';
    assert.deepEqual(run("program.cjs", code), { status: 0, stdout: "lite0\n", stderr: "" });
  });

  it("is imported by TypeScript that tsx runs, as ES module and CommonJS", () => {
    const code = `import { trainConfig } from "ferkit"; console.log(trainConfig("tutorial").variant);`;
    for (const name of ["typed.mts", "typed.cts"]) {
      writeFileSync(folder.file(name), code);
      const result = runProgram(process.execPath, [TSX, folder.file(name)], folder.path);
      assert.deepEqual({ name, ...result }, { name, status: 0, stdout: "lite0\n", stderr: "" });
    }
  });

  it("has types", () => {
    const file = folder.file("program.mts");
    const code = `import { type Dataset, tf, trainConfig } from "ferkit";
      export const epochs: number = trainConfig("tutorial").epochs;
      export const numImages = (dataset: Dataset): number => dataset.train.numImages;
      export const sum = tf.tensor1d([1, 2]).add(1).sum();
      export const wrong: string = trainConfig("tutorial").epochs;`;
    writeFileSync(file, code);
    const program = ts.createProgram([file], {
      module: ts.ModuleKind.NodeNext,
      target: ts.ScriptTarget.ES2022,
      strict: true,
      skipLibCheck: true,
      noEmit: true,
      types: [],
    });
    const found = ts.getPreEmitDiagnostics(program).map(({ messageText }) => messageText);
    assert.deepEqual(found, ["Type 'number' is not assignable to type 'string'."]);
  });
});

describe("the package ferkit, packed and installed", function () {
  this.timeout(600_000);
  const folder = workspace("suite");
  /** What npm packed. */
  let tarball: { size: number; filename: string; files: { path: string }[] };

  before("packs it and installs it in an empty folder", () => {
    const args = ["pack", "--json", "--pack-destination", folder.path];
    const { status, stdout, stderr } = spawnSync("npm", args, { cwd: projectDir, encoding: "utf8" });
    assert.equal(status, 0, stderr);
    [tarball] = JSON.parse(stdout.slice(stdout.indexOf("[")));
    run("npm", "init", "--yes");
    // Needs no network: what ferkit is set up with is installed into its home, and what it starts with is in the tarball.
    run("npm", "install", "--offline", "--no-audit", "--no-fund", `./${tarball.filename}`);
  });

  /** Runs a program in the folder, with a cache of its own; it must succeed. */
  function run(program: string, ...args: string[]): string {
    const { status, stdout, stderr } = runProgram(program, args, folder.path);
    assert.equal(status, 0, `${program} ${args.join(" ")}\n${stdout}${stderr}`);
    return stdout;
  }
  const home = () => {
    const [name] = readdirSync(folder.file("cache/ferkit/homes"));
    return folder.file("cache/ferkit/homes", name);
  };
  /** Makes the home one that was set up, with the packages of this clone. */
  function borrowPackages(): void {
    rmSync(path.join(home(), "node_modules"), { recursive: true });
    for (const name of ["node_modules", ".venv", ".ferkit/native"])
      symlinkSync(path.join(projectDir, name), path.join(home(), name));
    writeFileSync(path.join(home(), ".ferkit/ready"), "");
  }

  it("has what it needs, in at most 12 MB", () => {
    assert.ok(tarball.size <= 12e6, `${tarball.size} bytes`);
    const names = tarball.files.map((file) => file.path);
    for (const name of [
      "dist/index.d.ts",
      "dist/index.mjs",
      "dist/lock.json",
      "dist/compiled/scripts/cli.js",
      "docs/layouts.md",
      "docs/run.schema.json",
      "examples/project/gitignore",
      "models/fer2013/model.json",
      "models/ferplus/model.json",
      "src/index.ts",
    ])
      assert.ok(names.includes(name), name);
    const unwanted = names.filter((name) =>
      /^(test|bench|experiments\/results|out|runs)\/|\.pyc$/.test(name),
    );
    assert.deepEqual(unwanted, []);
  });

  it("has the pages that its pages link to; only pictures are left out", () => {
    const names = tarball.files.map((file) => file.path);
    const folders = new Set(
      names.flatMap((name) => name.split("/").map((_, i, parts) => parts.slice(0, i).join("/"))),
    );
    const pages = names.filter((name) => name.endsWith(".md") && !name.startsWith("node_modules/"));
    const links = pages.flatMap((page) => linksOf(readProjectFile(page)).map((link) => ({ page, link })));
    assert.ok(links.length > 200);
    const dead = links.filter(({ page, link }) => {
      const target = path
        .join(path.dirname(page), link.split("#")[0] || path.basename(page))
        .replace(/\/$/, "");
      return (
        !/^(docs|experiments)\/[\w-]+\.png$/.test(target) && !names.includes(target) && !folders.has(target)
      );
    });
    assert.deepEqual(dead, []);
  });

  it("leaves the installed files as they are", () => {
    const before = run("find", "node_modules", "-type", "f", "-newer", "package.json");
    run("npx", "ferkit", "--help");
    assert.equal(run("find", "node_modules", "-type", "f", "-newer", "package.json"), before);
    assert.ok(existsSync(path.join(home(), "package-lock.json")));
  });

  it("answers and is imported before it is set up", () => {
    const { version } = JSON.parse(readProjectFile("package.json"));
    assert.equal(run("npx", "ferkit", "--version"), `${version}\n`);
    const code =
      'import { learningRates, loadClassifier, trainConfig } from "ferkit"; console.log(typeof loadClassifier, trainConfig("tutorial").variant);';
    assert.equal(run("node", "--input-type=module", "--eval", code), "function lite0\n");
    assert.equal(run("node", "--print", 'typeof require("ferkit").train'), "function\n");
  });

  it("says how to set it up when that is needed, and there is nobody to ask", () => {
    const { status, stderr } = runProgram("npx", ["ferkit", "predict", "x.png"], folder.path);
    const expected =
      "note: the bundled model ferplus is used, which predicts facial expressions; --model fer2013 takes the other bundled one.\n" +
      `ferkit: Expected ferkit's engine at ${home()} but found a package that is not set up. ` +
      `Run: npx ferkit setup (it downloads about 500 MB and needs 3 GB in ${path.dirname(path.dirname(home()))})\n`;
    assert.deepEqual({ status, stderr }, { status: 1, stderr: expected });
    const refused = runProgram("npx", ["ferkit", "data"], folder.path);
    assert.match(refused.stderr, /^ferkit: Expected ferkit's engine at .*\n$/);
    assert.match(run("npx", "ferkit", "data", "--help"), /^Usage: ferkit data /);
    const code =
      'require("ferkit").decodeImage(Buffer.from("x"), 48).catch((error) => console.log(error.name));';
    assert.equal(run("node", "--eval", code), "InputError\n");
  });

  it("classifies images and starts a project once it is set up", () => {
    borrowPackages();
    const photo = path.join(projectDir, "test/faces/photos/grace-hopper.jpg");
    const { faces } = JSON.parse(run("npx", "ferkit", "predict", photo, "--json"));
    assert.equal(faces.length, 1);
    run("npx", "ferkit", "demo", "--build", "--out", "page");
    assert.ok(existsSync(folder.file("page/index.html")));
    const printed = run("npx", "ferkit", "init", "My Pets", "--data", "synthetic");
    assert.match(printed, /My Pets is a project\. Then run: cd 'My Pets' && npm start\n$/);
    const project = JSON.parse(readFileSync(folder.file("My Pets/package.json"), "utf8"));
    assert.deepEqual(
      [project.name, project.dependencies],
      ["my-pets", { ferkit: `file:../${tarball.filename}` }],
    );
  });
});
