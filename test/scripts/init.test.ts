import assert from "node:assert/strict";
import { existsSync, mkdirSync, readdirSync, readFileSync, symlinkSync, writeFileSync } from "node:fs";
import path from "node:path";
import ts from "typescript";
import { drawClassFolders, projectDir, runFerkit, workspace } from "../workspace.js";

describe("ferkit init", () => {
  const folder = workspace();
  const read = (...names: string[]) => readFileSync(folder.file(...names), "utf8");
  /** Returns the code of a notebook's cells. */
  const codeOf = (file: string) =>
    (JSON.parse(file) as { cells: { source: string[] }[] }).cells.flatMap((cell) => cell.source).join("\n");

  it("writes a project for images in its folder data", async () => {
    const { status, stdout } = await folder.ferkit("init", "pets");
    assert.equal(status, 0);
    assert.equal(
      stdout,
      `${folder.file("pets")} is a project. Put images into pets/data/CLASS/. Then run: cd pets && npm start\n`,
    );
    assert.deepEqual(readdirSync(folder.file("pets")).sort(), [
      ".github",
      ".gitignore",
      "README.md",
      "data",
      "notebooks",
      "package.json",
      "test",
      "tsconfig.json",
    ]);
    const { name, dependencies } = JSON.parse(read("pets/package.json"));
    assert.deepEqual(
      [name, dependencies],
      ["pets", { ferkit: `file:${path.relative(folder.file("pets"), projectDir)}` }],
    );
    assert.ok(existsSync(folder.file("pets/.github/workflows/ci.yml")));
    const names = readdirSync(folder.file("pets/notebooks"));
    assert.deepEqual(
      names,
      readdirSync(path.join(projectDir, "notebooks")).filter((file) => names.includes(file)),
    );
    assert.ok(names.includes("06-errors-and-labels.ipynb"));
    const code = codeOf(read("pets/notebooks/02-preprocessing.ipynb"));
    assert.match(code, /^let data = "data";/m);
    assert.match(code, /^import \* as ferkit from "ferkit";/m);
    assert.doesNotMatch(code, /\.\.\/docs/);
    for (const [, file] of codeOf(read("pets/notebooks/05-inference.ipynb")).matchAll(
      /"([\w-]+\/[^"]+\.jpg)"/g,
    ))
      assert.ok(existsSync(folder.file("pets", file)), file);
  });

  it("writes a project whose commands use its images, and say so", async () => {
    await folder.ferkit("init", "pets");
    await drawClassFolders(folder.file("pets/data"), 5);
    const data = folder.file("pets/data");
    writeFileSync(path.join(data, "prepared.json"), '{\n  "data": "data"\n}\n'); // as notebook 02 writes it
    const report = await runFerkit(["data"], folder.file("pets/test")); // from any folder of the project
    assert.equal(report.stdout.split("\n")[0], "data: 8 training and 2 validation images");
    assert.equal(
      report.stderr,
      `data: the images of this project (${data}), 8 training and 2 validation images; --data names others\n`,
    );
    assert.match(report.stdout, /^files: all 10 are used as images$/m); // README.md and prepared.json are ferkit's
    const named = await runFerkit(["data", "--data", "data"], folder.file("pets"));
    assert.deepEqual([named.stdout, named.stderr], [report.stdout, ""]);
    const set = ["weights=random", "imageSize=33", "epochs=1"].flatMap((one) => ["--set", one]);
    const trained = await runFerkit(["train", "--run", "run", ...set], folder.file("pets"));
    assert.equal(trained.status, 0, trained.stderr);
    assert.equal(trained.stderr.split("\n")[0], report.stderr.trim());
    const scored = await runFerkit(["evaluate", "--model", "run/best"], folder.file("pets"));
    assert.equal(
      scored.stderr.split("\n")[0],
      `data: the images of this project (${data}), 8 training and 2 validation images; --data names others`,
    );
  });

  it("looks for its images before it runs notebooks", async () => {
    await folder.ferkit("init", "pets");
    const { status, stdout, stderr } = await folder.ferkit("notebooks", "--folder", "pets/notebooks");
    assert.deepEqual([status, stdout], [1, ""]);
    assert.match(
      stderr,
      /^ferkit: Expected class folders .* at \S+\/pets\/data but found no images in class /,
    );
    assert.ok(!existsSync(folder.file("pets/out")));
  });

  it("writes a project that type-checks with what its package.json names", async () => {
    await folder.ferkit("init", "pets");
    const { devDependencies } = JSON.parse(read("pets/package.json"));
    const own = JSON.parse(readFileSync(path.join(projectDir, "package.json"), "utf8")).devDependencies;
    for (const name of ["typescript", "@types/node", "tsx"])
      assert.equal(devDependencies[name], own[name], name);
    mkdirSync(folder.file("pets/node_modules/@types"), { recursive: true });
    for (const name of Object.keys(devDependencies))
      symlinkSync(path.join(projectDir, "node_modules", name), folder.file("pets/node_modules", name));
    symlinkSync(projectDir, folder.file("pets/node_modules/ferkit"));
    writeFileSync(
      folder.file("pets/wrong.mts"),
      'import { loadClassifier } from "ferkit";\nexport const side: string = (await loadClassifier()).config.imageSize;\n',
    );
    const { config } = ts.readConfigFile(folder.file("pets/tsconfig.json"), ts.sys.readFile);
    const { options, fileNames } = ts.parseJsonConfigFileContent(config, ts.sys, folder.file("pets"));
    assert.deepEqual(fileNames.map((file) => path.basename(file)).sort(), ["images.test.mjs", "wrong.mts"]);
    const found = ts.getPreEmitDiagnostics(ts.createProgram(fileNames, options));
    assert.deepEqual(
      found.map(({ file, messageText }) => [path.basename(file?.fileName ?? ""), messageText]),
      [["wrong.mts", "Type 'number' is not assignable to type 'string'."]],
    );
  }).timeout(60_000);

  it("uses images that are elsewhere", async () => {
    mkdirSync(folder.file("photographs"));
    const { status, stdout } = await folder.ferkit("init", "My Pets", "--data", "photographs");
    assert.equal(status, 0);
    assert.match(
      stdout,
      / is a project\. Put images into photographs\/CLASS\/\. Then run: cd 'My Pets' && npm start\n$/,
    );
    assert.match(read("My Pets/test/images.test.mjs"), /^const data = "\.\.\/photographs";$/m);
    assert.match(
      codeOf(read("My Pets/notebooks/02-preprocessing.ipynb")),
      /^let data = "\.\.\/photographs";/m,
    );
    assert.equal(JSON.parse(read("My Pets/package.json")).name, "my-pets");
  });

  it("refuses a folder that holds something, and images that are not there", async () => {
    mkdirSync(folder.file("full"));
    writeFileSync(folder.file("full/note"), "mine");
    const full = await folder.ferkit("init", "full");
    const where = folder.file("full");
    assert.deepEqual(
      [full.status, full.stderr],
      [
        1,
        `ferkit: Expected a new or empty folder at ${where} but found files in it. Choose another folder.\n`,
      ],
    );
    const file = await folder.ferkit("init", "full/note");
    assert.match(file.stderr, /^ferkit: Expected a new or empty folder at .*note but found a file\./);
    const below = await folder.ferkit("init", "full/note/pets");
    assert.equal(
      below.stderr,
      `ferkit: Expected a path in a folder for a project at ${where}/note/pets but found that ${where}/note is a file. Choose another path.\n`,
    );
    const none = await folder.ferkit("init", "pets", "--data", "none");
    assert.deepEqual(
      [none.status, none.stderr],
      [
        1,
        `ferkit: Expected images for --data at ${folder.file("none")} but found no such path. Fix --data.\n`,
      ],
    );
    assert.deepEqual(readdirSync(folder.path), ["full"]);
  });
});
