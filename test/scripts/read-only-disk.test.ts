import assert from "node:assert/strict";
import { spawnSync } from "node:child_process";
import { cpSync, mkdirSync, readdirSync, readFileSync, writeFileSync } from "node:fs";
import path from "node:path";
import { drawClassFolders, launcher, projectDir, type Result, runProgram, workspace } from "../workspace.js";

const ROOM = "Make room or choose another folder; what was there is kept.";
const UNSHARE = ["--user", "--map-root-user", "--mount", "sh", "-c"];
const TRAIN = ["train", "--data", "images", "--run", "run"];
const SETTINGS = ["weights=random", "epochs=1", "batchSize=4", "imageSize=33"].flatMap((one) => [
  "--set",
  one,
]);

describe("ferkit on a read-only disk", function () {
  this.timeout(600_000);
  const dir = workspace("suite");

  before(async function () {
    // A mount of its own, that only the child sees and that goes when it ends; file modes do not stop root.
    mkdirSync(dir.file("probe"));
    const probe = 'mount --bind "$0" "$0" && mount -o remount,bind,ro "$0"';
    if (spawnSync("unshare", [...UNSHARE, probe, dir.file("probe")]).status !== 0) {
      console.log("      skipped: this machine lets no process mount a read-only folder");
      this.skip();
    }
    await drawClassFolders(dir.file("images"), 3);
    assert.equal((await dir.ferkit(...TRAIN, ...SETTINGS)).status, 0);
  });

  /** Runs ferkit while nothing can be written to a folder. */
  function runReadOnly(folder: string, ...args: string[]): Result {
    mkdirSync(dir.file(folder), { recursive: true });
    const script = 'mount --bind "$0" "$0" && mount -o remount,bind,ro "$0" && cd . && exec "$@"';
    const command = [script, dir.file(folder), process.execPath, launcher, ...args];
    return runProgram("unshare", [...UNSHARE, ...command], dir.path);
  }
  const refused = ({ status, stderr }: Result, where: string) => {
    assert.equal(status, 1, stderr);
    assert.equal(
      stderr,
      `ferkit: Expected to write at ${dir.file(where)} but found a read-only disk. ${ROOM}\n`,
    );
  };

  it("uses a cache that is there, and names one that would have to be written", () => {
    const data = ["data", "--data", "images", "--image-size", "33"];
    assert.equal(runReadOnly("cache", ...data).status, 0);
    const { status, stderr } = runReadOnly("cache", ...data.slice(0, -1), "34");
    assert.equal(status, 1);
    assert.match(
      stderr,
      /^ferkit: Expected to write at \S+\/cache\/ferkit\/pixels\/\S+ but found a read-only disk\. [^\n]*\n$/,
    );
  });

  it("lists, predicts with and evaluates a run, and does not resume it", () => {
    const files = () => readdirSync(dir.file("run"), { recursive: true }).map(String).sort();
    const before = [files(), readFileSync(dir.file("run/config.json"), "utf8")];
    assert.match(runReadOnly("run", "runs", "run").stdout, /^run /m);
    const predicted = runReadOnly("run", "predict", "images/disc/0.png", "--model", "run/best");
    assert.equal(predicted.status, 0, predicted.stderr);
    refused(runReadOnly("run", ...TRAIN, ...SETTINGS, "--set", "epochs=2"), "run/lock");
    assert.deepEqual([files(), readFileSync(dir.file("run/config.json"), "utf8")], before);
  });

  it("names a chart that cannot be written", () => {
    const args = ["predict", "images/disc/0.png", "--model", "run/best", "--chart", "out/chart.svg"];
    refused(runReadOnly("out", ...args), "out/chart.svg");
  });

  it("names the pages of notebooks that cannot be written, before any cell runs", () => {
    mkdirSync(dir.file("in"));
    cpSync(path.join(projectDir, "notebooks/01-setup.ipynb"), dir.file("in/01-setup.ipynb"));
    mkdirSync(dir.file("pages"));
    writeFileSync(dir.file("pages/01-setup.html"), "earlier");
    const { status, stdout, stderr } = runReadOnly("pages", "notebooks", "--folder", "in", "--out", "pages");
    assert.equal(status, 1);
    const where = dir.file("pages");
    assert.equal(
      stderr,
      `ferkit: Expected a folder that can be written at ${where} but found Read-only file system. Choose another with --out.\n`,
    );
    assert.equal(stdout, "");
    assert.equal(readFileSync(dir.file("pages/01-setup.html"), "utf8"), "earlier");
  });
});
