import assert from "node:assert/strict";
import { spawnSync } from "node:child_process";
import fs from "node:fs";
import os from "node:os";
import path from "node:path";

const root = path.resolve(__dirname, "../..");

interface DoctorRecord {
  name: string;
  isOk: boolean;
  found: string;
  fix?: string;
}

describe("scripts/doctor", () => {
  describe("formatDiagnosis", () => {
    it("follows what is wrong by the remedy, once for neighbours that share it", async () => {
      const doctor: { formatDiagnosis: (records: DoctorRecord[]) => string } = await import(
        path.join(root, "scripts/doctor.mjs")
      );
      const text = doctor.formatDiagnosis([
        { name: "sharp", isOk: true, found: "0.35.5" },
        { name: "vega", isOk: false, found: "not installed", fix: "Run: npm run setup" },
        { name: "engine", isOk: false, found: "does not start", fix: "Run: npm run setup" },
      ]);
      const expected = [
        "ok     sharp   0.35.5",
        "WRONG  vega    not installed",
        "WRONG  engine  does not start",
        "               Run: npm run setup",
        "",
        "2 of 3 things are wrong.",
        "",
      ];
      assert.equal(text, expected.join("\n"));
    });
  });

  describe("doctor.mjs", () => {
    let clone: string;
    const run = (...args: string[]) =>
      spawnSync(process.execPath, [path.join(clone, "scripts/doctor.mjs"), ...args], {
        encoding: "utf8",
        env: { ...process.env, FERKIT_CACHE: path.join(clone, "cache"), FERKIT_ACCELERATOR: "cpu" },
      });

    beforeEach(() => {
      clone = fs.mkdtempSync(path.join(os.tmpdir(), "ferkit-doctor-"));
      for (const name of ["package.json", "package-lock.json", "scripts"]) {
        fs.cpSync(path.join(root, name), path.join(clone, name), { recursive: true });
      }
    });
    afterEach(() => fs.rmSync(clone, { recursive: true }));

    it("works in a clone that was never set up, says so, and exits with 1", () => {
      const { status, stdout, stderr } = run("--json");
      assert.equal(stderr, "");
      assert.equal(status, 1);
      const { isOk, records } = JSON.parse(stdout) as { isOk: boolean; records: DoctorRecord[] };
      assert.equal(isOk, false);
      const byName = Object.fromEntries(records.map((record) => [record.name, record]));
      assert.deepEqual(byName["set-up"], {
        name: "set-up",
        isOk: false,
        found:
          "to be done: npm packages, Python packages, libtensorflow, native addon, native ops, pre-trained weights, Jupyter kernel, engine check",
        fix: "Run: npm run setup",
      });
      assert.deepEqual(byName.tslab, {
        name: "tslab",
        isOk: false,
        found: "not installed",
        fix: "Run: npm run setup",
      });
      assert.equal(byName.engine.found, "does not start: Error: Cannot find module 'tsx/cjs'");
      assert.deepEqual(byName.data, { name: "data", isOk: true, found: "embedded faces" });
      assert.equal(fs.existsSync(path.join(clone, "cache")), false, "looking makes nothing");
    });

    it("names the data that lies in data/", () => {
      fs.mkdirSync(path.join(clone, "data/flowers"), { recursive: true });
      fs.writeFileSync(path.join(clone, "data/README.md"), "");
      assert.match(run().stdout, /^ok {5}data +embedded faces, data\/flowers$/m);
    });

    it("refuses an unknown option", () => {
      const { status, stderr } = run("--jsn");
      assert.equal(status, 1);
      assert.equal(stderr, "Expected --json or nothing but found --jsn. Run: npm run doctor\n");
    });
  });
});
