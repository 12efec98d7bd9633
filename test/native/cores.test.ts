import assert from "node:assert/strict";
import { execFileSync } from "node:child_process";
import { mkdirSync, writeFileSync } from "node:fs";
import path from "node:path";
import { workspace } from "../workspace.js";
import { compileProgram } from "./programs.js";

/** Files that the system shows a process about its control groups, by path. */
type Groups = Record<string, string>;

const v1 = (folder: string, quota: string, period = "100000"): Groups => ({
  [`sys/fs/cgroup/cpu${folder}/cpu.cfs_quota_us`]: `${quota}\n`,
  [`sys/fs/cgroup/cpu${folder}/cpu.cfs_period_us`]: `${period}\n`,
});
const v2 = (folder: string, max: string): Groups => ({ [`sys/fs/cgroup${folder}/cpu.max`]: `${max}\n` });
const member = (...lines: string[]): Groups => ({ "proc/self/cgroup": `${lines.join("\n")}\n` });

const CASES: [what: string, groups: Groups, quota: string][] = [
  ["no groups at all", {}, "inf"],
  ["version 2, a container", { ...member("0::/"), ...v2("", "150000 100000") }, "1.5"],
  ["version 2, no limit", { ...member("0::/"), ...v2("", "max 100000") }, "inf"],
  [
    "version 2, a service",
    { ...member("0::/a.slice/b.service"), ...v2("/a.slice/b.service", "50000 200000") },
    "0.25",
  ],
  [
    "version 2, a tighter limit above",
    { ...member("0::/a/b"), ...v2("/a/b", "400000 100000"), ...v2("/a", "300000 100000") },
    "3",
  ],
  [
    "version 1, a container",
    { ...member("3:cpuset:/x", "2:cpu,cpuacct:/docker/1f", "1:name=systemd:/"), ...v1("", "200000") },
    "2",
  ],
  ["version 1, no limit", { ...member("2:cpu:/"), ...v1("", "-1") }, "inf"],
  [
    "version 1, a group",
    { ...member("4:cpuacct,cpu:/a/b"), ...v1("/a/b", "25000", "10000"), ...v1("", "-1") },
    "2.5",
  ],
  ["both versions", { ...member("2:cpu:/a", "0::/"), ...v1("/a", "120000") }, "1.2"],
  ["version 1, only accounts", { ...member("2:cpuacct:/"), ...v1("", "100000") }, "inf"],
  ["files that are not understood", { ...member("", "nonsense", "0:", "0::"), ...v2("", "0 0") }, "inf"],
];

describe("cores", () => {
  const space = workspace();

  it("are those of the affinity, and those that the limits of control groups leave", function () {
    if (process.platform !== "linux") this.skip();
    const program = space.file("cores");
    compileProgram(this, "cores.cc", program);
    for (const [i, [what, groups, quota]] of CASES.entries()) {
      const root = space.file(`case-${i}`);
      for (const [file, text] of Object.entries({ "made-by-hand": "", ...groups })) {
        mkdirSync(path.join(root, path.dirname(file)), { recursive: true });
        writeFileSync(path.join(root, file), text);
      }
      assert.equal(execFileSync(program, [root], { encoding: "utf8" }), `${quota} 1\n`, what);
    }
  });
});
