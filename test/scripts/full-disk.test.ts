import assert from "node:assert/strict";
import { spawnSync } from "node:child_process";
import { mkdirSync, readdirSync, readFileSync, writeFileSync } from "node:fs";
import path from "node:path";
import { drawClassFolders, launcher, projectDir, type Result, runProgram, workspace } from "../workspace.js";

const ROOM = "Make room or choose another folder; what was there is kept.";
const TRAIN = [
  "train",
  "--data",
  "images",
  "--set",
  "weights=random",
  "--set",
  "epochs=1",
  "--set",
  "batchSize=4",
];

describe("ferkit where nothing can be written", function () {
  this.timeout(600_000);
  const dir = workspace();

  beforeEach("draws images", () => drawClassFolders(dir.file("images"), 3));

  for (const run of ["file", "file/run"])
    it(`says that a file is in place of the folder of --run ${run}`, async () => {
      writeFileSync(dir.file("file"), "in the way");
      const { status, stderr } = await dir.ferkit(...TRAIN, "--run", run);
      assert.equal(status, 1);
      const where = dir.file(run, "lock");
      assert.equal(
        stderr,
        `ferkit: Expected to write at ${where} but found a file instead of a folder. ${ROOM.replace("Make room", "Rename it")}\n`,
      );
      assert.equal(readFileSync(dir.file("file"), "utf8"), "in the way");
    });

  it("says that a file is in place of the cache", async () => {
    writeFileSync(dir.file("cache"), "in the way");
    const { status, stderr } = await dir.ferkit("data", "--data", "images", "--json");
    assert.equal(status, 1);
    assert.match(
      stderr,
      /^ferkit: Expected to write at \S+\/cache\/ferkit\/pixels\/\S+ but found a file instead of a folder\. [^\n]*\n$/,
    );
  });

  describe("for lack of room", () => {
    before(function () {
      // A disk of its own, that only the child sees and that goes when it ends.
      const { status } = spawnSync("unshare", [...UNSHARE, "mount -t tmpfs tmpfs /mnt"]);
      if (status !== 0) {
        console.log("      skipped: this machine lets no process mount a small disk of its own");
        this.skip();
      }
    });

    /** Runs ferkit with a disk of `size` mounted at `folder`; stdout ends with the files that are on it afterwards. */
    function runOnSmallDisk(args: string[], folder: string, size: string): Result & { files: string[] } {
      mkdirSync(dir.file(folder), { recursive: true });
      const script =
        'mount -t tmpfs -o size="$0" tmpfs "$1" && cd . && folder="$1" && shift && { "$@"; status=$?; } && ' +
        'echo "on the disk:" && find "$folder" -type f && exit $status';
      const command = [script, size, dir.file(folder), process.execPath, launcher, ...args];
      const result = runProgram("unshare", [...UNSHARE, ...command], dir.path);
      const [stdout, files] = result.stdout.split("on the disk:\n");
      return { ...result, stdout, files: files.split("\n").filter(Boolean) };
    }

    it("names the file of the cache, and leaves none", async () => {
      const args = ["data", "--data", "images", "--json", "--image-size", "200"];
      const { status, stdout, stderr, files } = runOnSmallDisk(args, "cache", "64k");
      assert.deepEqual([status, stdout], [1, ""]);
      assert.match(
        stderr,
        /^ferkit: Expected to write at \S+\/cache\/ferkit\/pixels\/\S+ but found a full disk\. [^\n]*\n$/,
      );
      assert.ok(stderr.endsWith(`${ROOM}\n`));
      assert.deepEqual(files, []);
    });

    it("does not take a full disk for a damaged Parquet file", async () => {
      const data = path.join(projectDir, "test/golden/datasets/parquet");
      const { status, stderr, files } = runOnSmallDisk(["data", "--data", data, "--json"], "cache", "32k");
      assert.equal(status, 1);
      assert.match(
        stderr,
        /^ferkit: Expected to write at \S+\/cache\/ferkit\/unpacked\/\S+ but found a full disk\. [^\n]*\n$/,
      );
      assert.deepEqual(files, []);
    });

    it("names the folder that the faces were to be drawn into, and leaves none of them", async () => {
      const { status, stderr, files } = runOnSmallDisk(["data", "--json"], "cache", "256k");
      assert.equal(status, 1);
      assert.match(
        stderr,
        /^ferkit: Expected to write at \S+\/cache\/ferkit\/synthetic\/\S+ but found a full disk\. [^\n]*\n$/,
      );
      assert.deepEqual(files, []);
    });

    it("names the state or the model that could not be kept, and leaves no half-written one", async () => {
      const names = (files: string[]) =>
        files
          .map((file) => path.basename(file).replace(/weights-.*/, "weights"))
          .filter((name) => !["environment.json", "metrics.jsonl"].includes(name))
          .sort();
      for (const [size, folder, left] of [
        ["4m", "last", []],
        ["45m", "best", ["state.json", "weights"]],
      ] as const) {
        const { status, stderr, files } = runOnSmallDisk([...TRAIN, "--run", "disk/run"], "disk", size);
        assert.equal(status, 1);
        const [start, end] = ["Expected to write at", "but found a full disk"];
        assert.match(
          stderr,
          new RegExp(
            `^ferkit: ${start} \\S+/disk/run/${folder}/weights-\\S+\\.bin ${end}\\. [^\\n]*\\n$`,
            "m",
          ),
        );
        const lists = folder === "best" ? ["images.jsonl.gz", "images.jsonl.gz"] : ["images.jsonl.gz"];
        assert.deepEqual(names(files), ["config.json", ...lists, "lock", ...left].sort());
      }
      // With room again, the same command resumes.
      assert.equal((await dir.ferkit(...TRAIN, "--run", "disk/run")).status, 0);
      assert.ok(readdirSync(dir.file("disk/run/best")).includes("model.json"));
    });
  });
});

const UNSHARE = ["--user", "--map-root-user", "--mount", "sh", "-c"];
