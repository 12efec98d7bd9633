import assert from "node:assert/strict";
import { existsSync, readFileSync, writeFileSync } from "node:fs";
import path from "node:path";
import type { TrainConfig } from "../../src/config.js";
import { ofType } from "../../src/training/events.js";
import { loadSessions, recordSession, type Session, startClock } from "../../src/training/sessions.js";
import { collect, runFolder } from "./fixtures.js";

const AT = "2026-01-02T03:04:05.678Z";

/** A session that starts with an epoch. */
function session(epoch: number, started = AT): Session {
  const versions = { ferkit: "0.1.0", node: "20.20.2", tfjs: "4.22.0", tensorflow: "2.21.0" };
  const machine = { cpu: "AMD EPYC", cores: 2, memoryGiB: 24 };
  return { epoch, started, versions, commit: null, machine, device: "CPU", kernels: "avx2" };
}

describe("recordSession", () => {
  const run = runFolder();
  const sessions = async () => (await loadSessions(run.dir, undefined)).sessions;

  it("keeps the sessions of earlier epochs, and replaces those of epochs trained again", async () => {
    for (const one of [session(1), session(3), session(5, "lost"), session(5), session(7)])
      await recordSession(run.dir, one);
    assert.deepEqual(await sessions(), [session(1), session(3), session(5), session(7)]);
  });

  it("replaces a file that cannot be read", async () => {
    writeFileSync(path.join(run.dir, "environment.json"), "[{");
    assert.deepEqual(await sessions(), []);
    await recordSession(run.dir, session(2));
    assert.deepEqual(await sessions(), [session(2)]);
  });
});

describe("the record of sessions", function () {
  this.timeout(600_000);
  const run = runFolder();
  const at = (...names: string[]) => path.join(run.dir, ...names);
  const train = (name: string, more: Partial<TrainConfig>) => collect(at(name), more);

  it("is moved aside, in words, if it is another run's or damaged", async () => {
    for (const seed of [1, 2]) await train(`${seed}`, { seed, epochs: 1 });
    const file = at("1/environment.json");
    const own = readFileSync(file, "utf8");
    const other = readFileSync(at("2/environment.json"), "utf8");
    const cases = [
      [other, "is of another run", 0],
      [
        "{",
        "is something other than JSON (line 1, column 2: the end of the file instead of a name in double quotes)",
        0,
      ],
      ["{}", "is something other than a list of sessions", 0],
      [own.replace("[", '["odd",'), "has entries that are no sessions (1 of 2)", 1],
    ] as const;
    let copies = 0;
    for (const [content, problem, numKept] of cases) {
      writeFileSync(file, content);
      const config = JSON.parse(readFileSync(at("1/config.json"), "utf8"));
      const record = await loadSessions(at("1"), config);
      assert.deepEqual([record.problem, record.sessions.length], [problem, numKept]);
      const notes = ofType(await train("1", { seed: 1, epochs: 1 }), "note").map(({ text }) => text);
      const aside = `${file}.${++copies}`;
      assert.ok(notes.includes(`environment.json ${problem}; the file is now ${aside}`), notes.join("\n"));
      assert.equal(readFileSync(aside, "utf8"), content);
      assert.equal(existsSync(file), numKept > 0);
    }
  });
});

describe("startClock", () => {
  const { now } = performance;
  afterEach(() => {
    performance.now = now;
  });

  it("is over after the given minutes, and never without a limit", () => {
    performance.now = () => 0;
    const [limited, unlimited] = [startClock(0.5), startClock(0)];
    performance.now = () => 29_999;
    assert.deepEqual([limited(), unlimited()], [false, false]);
    performance.now = () => 30_000;
    assert.deepEqual([limited(), unlimited()], [true, false]);
  });
});
