import assert from "node:assert/strict";
import { execFile } from "node:child_process";
import { createHash } from "node:crypto";
import { existsSync, mkdirSync, readdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import path from "node:path";
import { promisify } from "node:util";
import { findVenvPython, projectDir } from "../../scripts/jupyter.js";
import { internals } from "../../src/index.js";
import { listFiles, readProjectFile } from "../source-files.js";
import { workspace } from "../workspace.js";

const run = promisify(execFile);
const venv = path.dirname(path.dirname(findVenvPython()));
/** Nothing here says where the kernel is: that is what the tools must find. */
const env = {
  ...process.env,
  PATH: `${path.dirname(process.execPath)}:${process.env.PATH}`,
  JUPYTER_PATH: "",
};

interface Cell {
  source: string[] | string;
  metadata: { tags?: string[] };
  outputs?: { name?: string; text?: string[] | string; data?: Record<string, unknown> }[];
}

const parameters = 'let epochs = 8;\nlet title: string = "a";';
const notebook = {
  cells: [
    { cell_type: "markdown", id: "title", metadata: {}, source: "# Tools" },
    ...[
      { id: "parameters", metadata: { tags: ["parameters"] }, source: parameters },
      { id: "sum", metadata: {}, source: "console.log(title, epochs * 10);" },
    ].map((cell) => ({ cell_type: "code", execution_count: null, outputs: [], ...cell })),
  ],
  metadata: {
    kernelspec: { display_name: "TypeScript (tslab)", language: "typescript", name: "tslab" },
    language_info: { name: "typescript", file_extension: ".ts" },
  },
  nbformat: 4,
  nbformat_minor: 5,
};

/** Returns what the cells of an executed notebook printed. */
function printed(file: string): string {
  const { cells } = JSON.parse(readFileSync(file, "utf8")) as { cells: Cell[] };
  const texts = cells.flatMap(({ outputs = [] }) => outputs.map(({ text }) => [text ?? []].flat().join("")));
  return texts.join("");
}

describe("other notebook tools", function () {
  this.timeout(600_000);
  this.slow(30_000);
  const folder = workspace("suite");
  before(() => {
    writeFileSync(folder.file("tools.ipynb"), JSON.stringify(notebook));
    // jsonschema does without this package, which makes each tool start in half of the time
    mkdirSync(folder.file("without"));
    writeFileSync(folder.file("without/rfc3987_syntax.py"), "raise ImportError");
  });

  const started = (venvDir: string, name: string, args: string[], others: object = {}) =>
    run(path.join(venvDir, "bin", name), args, {
      cwd: folder.path,
      env: { ...env, PYTHONPATH: folder.file("without"), ...others },
    });
  const tool = (name: string, ...args: string[]) => started(venv, name, args);

  it("find the kernel in the environment that set-up made", async () => {
    const { stdout } = await tool("jupyter", "kernelspec", "list", "--json");
    const { tslab } = JSON.parse(stdout).kernelspecs;
    assert.equal(tslab.spec.display_name, "TypeScript (tslab)");
    assert.equal(path.relative(venv, tslab.resource_dir), "share/jupyter/kernels/tslab");
    assert.ok(existsSync(path.join(tslab.resource_dir, "logo-svg.svg")));
  });

  it("jupyter execute runs a notebook", async () => {
    await tool("jupyter", "execute", "tools.ipynb", "--output=executed.ipynb");
    assert.equal(printed(folder.file("executed.ipynb")), "a 80\n");
  });

  it("jupyter nbconvert runs a notebook into a page", async () => {
    await tool("jupyter", "nbconvert", "--execute", "--to", "html", "tools.ipynb");
    assert.match(readFileSync(folder.file("tools.html"), "utf8"), /a 80/);
  });

  it("papermill sets parameters of the declared types, variables and constants", async () => {
    const constants = `const steps = 3, limits: number[] = [1];\nexport const { mode } = { mode: "fast" };`;
    const declared = [notebook.cells[0], { ...notebook.cells[1], source: `${parameters}\n${constants}` }];
    const source =
      "const plan = () => [title, epochs * 10, steps, ...limits, mode].join();\nconsole.log(plan());";
    const cells = [...declared, { ...notebook.cells[2], source }];
    writeFileSync(folder.file("constants.ipynb"), JSON.stringify({ ...notebook, cells }));
    const values = { epochs: 1, title: 'say "hi"', steps: 4, limits: [5, 6], mode: "slow" };
    await tool("papermill", "constants.ipynb", "set.ipynb", "-y", JSON.stringify(values));
    assert.equal(printed(folder.file("set.ipynb")), 'say "hi",10,4,5,6,slow\n');
    const set = JSON.parse(readFileSync(folder.file("set.ipynb"), "utf8")) as { cells: Cell[] };
    assert.deepEqual([set.cells[2].source].flat().join("").split("\n"), [
      "// Parameters",
      "epochs = 1;",
      'title = "say \\"hi\\"";',
      "const steps: number = 4;",
      "const limits: number[] = [5, 6];",
      'const mode = "slow";',
      "void 0;",
    ]);
    await assert.rejects(
      tool("papermill", "tools.ipynb", "wrong.ipynb", "-p", "epochs", "many"),
      /Type 'string' is not assignable to type 'number'/,
    );
  });

  it("papermill lists the parameters", async () => {
    const { stdout } = await tool("papermill", "--help-notebook", "tools.ipynb");
    assert.match(stdout, /epochs: number \(default 8\)/);
    assert.match(stdout, /title: string \(default "a"\)/);
  });

  describe("that set-up does not install", () => {
    let tools: string;
    before(async function () {
      const found = await installTools();
      if (found === null) {
        console.log("      skipped: pip cannot install them here");
        this.skip();
      }
      tools = found as string;
    });

    const installed = (name: string, ...args: string[]) =>
      started(tools, name, args, { JUPYTER_PATH: path.join(venv, "share/jupyter") });

    it("pytest --nbmake passes a notebook, and fails one that throws", async () => {
      const cells = [{ ...notebook.cells[2], source: 'throw new Error("boom");' }];
      writeFileSync(folder.file("throws.ipynb"), JSON.stringify({ ...notebook, cells }));
      await assert.rejects(
        installed("pytest", "--nbmake", "tools.ipynb", "throws.ipynb"),
        ({ stdout = "" }: { stdout?: string }) => {
          assert.match(stdout, /1 failed, 1 passed/);
          return /^FAILED throws\.ipynb:\S* - Error: boom$/m.test(stdout);
        },
      );
    });

    it("jupytext keeps a pair of notebook and TypeScript file in step", async () => {
      await installed("jupytext", "--set-formats", "ipynb,ts:percent", "tools.ipynb");
      const text = folder.file("tools.ts");
      const source = readFileSync(text, "utf8");
      assert.match(source, /\/\/ %% tags=\["parameters"\]\nlet epochs = 8;\n/);
      writeFileSync(text, source.replace("let epochs = 8;", "let epochs = 9;"));
      await installed("jupytext", "--sync", "tools.ts");
      const { cells, metadata } = JSON.parse(readFileSync(folder.file("tools.ipynb"), "utf8"));
      assert.equal([cells[1].source].flat().join(""), 'let epochs = 9;\nlet title: string = "a";');
      assert.deepEqual(cells[1].metadata.tags, ["parameters"]);
      assert.equal(metadata.kernelspec.name, "tslab");
      writeFileSync(folder.file("tools.ipynb"), JSON.stringify(notebook));
    });

    it("jupytext changes no cell of the notebooks on the way to TypeScript and back", async () => {
      const notebooks = listFiles(["notebooks"], [".ipynb"]).map((name) => path.join(projectDir, name));
      await installed("jupytext", "--to", "ts:percent", "--test", ...notebooks);
    });

    it("nbdiff shows the changed lines", async () => {
      const changed = JSON.stringify(notebook).replace("let epochs = 8;", "let epochs = 12;");
      writeFileSync(folder.file("changed.ipynb"), changed);
      const { stdout } = await installed("nbdiff", "--no-color", "tools.ipynb", "changed.ipynb");
      assert.match(stdout, /-\s*let epochs = 8;/);
      assert.match(stdout, /\+\s*let epochs = 12;/);
    });
  });
});

/**
 * Returns an environment with the tools of docs/tools.md beside the packages of set-up, in ferkit's cache, or null if pip cannot
 * install them.
 */
async function installTools(): Promise<string | null> {
  const [, versions] = readProjectFile("docs/tools.md").match(/pip install (nbmake.*)/) as RegExpMatchArray;
  const key = createHash("sha256").update(`${projectDir} ${versions}`).digest("hex").slice(0, 12);
  const dir = path.join(internals.cacheDir(), `test-tools-${key}`);
  const stamp = path.join(dir, "complete");
  if (existsSync(stamp)) return dir;
  rmSync(dir, { recursive: true, force: true });
  try {
    await run(path.join(venv, "bin/python"), ["-m", "venv", dir]);
    const own = sitePackages(dir);
    writeFileSync(path.join(own, "ferkit-venv.pth"), `${sitePackages(venv)}\n`);
    const options = ["--quiet", "--disable-pip-version-check"];
    await run(path.join(dir, "bin/python"), ["-m", "pip", "install", ...options, ...versions.split(" ")]);
  } catch {
    return null;
  }
  writeFileSync(stamp, "");
  return dir;
}

function sitePackages(dir: string): string {
  const lib = path.join(dir, "lib");
  const version = readdirSync(lib).find((name) => name.startsWith("python3")) as string;
  return path.join(lib, version, "site-packages");
}
