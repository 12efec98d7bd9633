import assert from "node:assert/strict";
import { spawnSync } from "node:child_process";
import { existsSync, mkdirSync, readFileSync, writeFileSync } from "node:fs";
import path from "node:path";
import { launcher, projectDir, runProgram, workspace } from "../workspace.js";

const isLinux = process.platform === "linux";

/** Whether a process runs; one that has ended may wait for its parent to ask how. */
function isAlive(id: number): boolean {
  const { stdout } = spawnSync("ps", ["-o", "stat=", "-p", String(id)], { encoding: "utf8" });
  return /^[^Z\s]/.test(stdout);
}

describe("ferkit notebooks, killed", function () {
  this.timeout(600_000);
  const folder = workspace();
  const own = path.join(projectDir, "notebooks/01-setup.ipynb");

  /** Runs a notebook whose second cell writes its kernel's id to a file and then runs `source`. */
  function run(source: string) {
    const { metadata } = JSON.parse(readFileSync(own, "utf8"));
    const sources = [
      'const { writeFileSync } = await import("node:fs"); const { execFileSync } = await import("node:child_process");',
      `// kills\nwriteFileSync("kernel", String(process.pid)); ${source}`,
    ];
    const cells = sources.map((text, i) => {
      return {
        cell_type: "code",
        id: `cell-${i}`,
        metadata: {},
        source: text,
        execution_count: null,
        outputs: [],
      };
    });
    mkdirSync(folder.file("in"));
    writeFileSync(
      folder.file("in/01-long.ipynb"),
      JSON.stringify({ cells, metadata, nbformat: 4, nbformat_minor: 5 }),
    );
    mkdirSync(folder.file("out"));
    for (const earlier of ["index.html", "junit.xml"]) writeFileSync(folder.file("out", earlier), "earlier");
    const args = [launcher, "notebooks", "--folder", "in", "--out", "out", "--junit", "out/junit.xml"];
    return runProgram(process.execPath, args, folder.path);
  }

  async function waitForKernel(): Promise<void> {
    const kernel = Number(readFileSync(folder.file("in/kernel"), "utf8"));
    for (let i = 0; i < 600 && isAlive(kernel); i++) await new Promise((resolve) => setTimeout(resolve, 100));
    const outlived = isAlive(kernel);
    if (outlived) process.kill(kernel, "SIGKILL");
    assert.equal(outlived, false);
  }

  it("says in each report that the kernel was killed before it answered", () => {
    const dies = 'if (/kernel.cjs$/.test(process.argv[1])) process.kill(process.pid, "SIGKILL");';
    writeFileSync(folder.file("dies.cjs"), dies);
    process.env.NODE_OPTIONS = `--require ${folder.file("dies.cjs")}`;
    const { status, stdout, stderr } = run("");
    delete process.env.NODE_OPTIONS;
    const message =
      "Expected the kernel to start but found Kernel died before replying to kernel_info. Run: npm run doctor";
    assert.deepEqual([status, stdout, stderr], [1, "", `ferkit: ${message}\n`]);
    const page = readFileSync(folder.file("out/index.html"), "utf8");
    assert.match(page, /Notebooks: failed/);
    assert.ok(page.includes(`<pre>${message}</pre>`));
    assert.ok(readFileSync(folder.file("out/junit.xml"), "utf8").includes(`<error message="${message}"`));
  });

  it("says which cell ran when the runner was killed, and ends the kernel, even a busy one", async () => {
    const busy = isLinux ? "for (;;);" : "await new Promise((resolve) => setTimeout(resolve, 20_000));";
    const { status, stderr } = run(`process.kill(process.ppid, "SIGKILL"); ${busy}`);
    assert.deepEqual(
      [status, stderr],
      [
        137,
        "ferkit: Expected the notebooks to run to their end at cell 2 of 01-long.ipynb (kills) but found their runner ended by SIGKILL, " +
          "as Linux does when memory runs out. Run them again with --notebooks 01-long; if memory was short, choose a smaller batch size " +
          "or image size, or end other programs first.\n",
      ],
    );
    assert.equal(existsSync(folder.file("out/index.html")), false);
    assert.equal(existsSync(folder.file("out/junit.xml")), false);
    await waitForKernel();
  });

  it("ends within seconds when the command itself is killed, and writes what there is", async () => {
    const { stderr } = run(
      'const parent = execFileSync("ps", ["-o", "ppid=", "-p", String(process.ppid)], { encoding: "utf8" });\n' +
        'process.kill(Number(parent), "SIGKILL"); await new Promise((resolve) => setTimeout(resolve, 60_000)); writeFileSync("late", "");',
    );
    assert.equal(existsSync(folder.file("in/late")), false);
    assert.equal(stderr, "\nthe command that started the notebooks is gone\n\nterminated\n");
    assert.match(readFileSync(folder.file("out/index.html"), "utf8"), /interrupted/);
    assert.ok(existsSync(folder.file("out/01-long.ipynb")));
    await waitForKernel();
  });
});
