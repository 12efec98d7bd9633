import assert from "node:assert/strict";
import { spawnSync } from "node:child_process";
import fs from "node:fs";
import os from "node:os";
import path from "node:path";
import { type Context, load, type SetUpOptions, type Step, setUpSandbox } from "./fixtures.js";

describe("setUp", () => {
  const sandbox = setUpSandbox();
  const setUp = async (all: Step[], check: SetUpOptions["check"] = () => ({ problems: [] })) => {
    const run = await load<{ setUp: (context: Context, options: SetUpOptions) => Promise<string[]> }>("run");
    let output = "";
    const write = (text: string) => {
      output += text;
    };
    const ran = await run.setUp(sandbox.context, { stream: { write }, all, check });
    return { ran, output };
  };
  const fileStep = (name: string, needs?: string): Step => ({
    name,
    isCurrent: () => fs.existsSync(path.join(sandbox.folder, name)),
    async run() {
      if (needs && !fs.existsSync(path.join(sandbox.folder, needs))) throw new Error(`no ${needs}`);
      fs.writeFileSync(path.join(sandbox.folder, name), "");
      return undefined;
    },
  });

  it("runs each step once and nothing the second time", async () => {
    const all = [fileStep("one"), fileStep("two")];
    const first = await setUp(all);
    assert.deepEqual(first.ran, ["one", "two"]);
    assert.equal(
      first.output.replaceAll(/\d+\.\d s/g, "T"),
      "set-up 1/2  one …\nset-up 1/2  one: done in T\nset-up 2/2  two …\nset-up 2/2  two: done in T\n",
    );
    const noCheck = () => assert.fail("prerequisites were checked though nothing is to be done");
    assert.deepEqual(await setUp(all, noCheck), { ran: [], output: "" });
  });

  it("goes on at the step that failed", async () => {
    const all = [fileStep("one"), fileStep("two", "mended")];
    await assert.rejects(setUp(all), /no mended/);
    fs.writeFileSync(path.join(sandbox.folder, "mended"), "");
    assert.deepEqual((await setUp(all)).ran, ["two"]);
  });

  it("stops before the first step when a prerequisite is missing", async () => {
    const check = () => ({ problems: [new Error("no compiler"), new Error("no Python")] });
    await assert.rejects(setUp([fileStep("one")], check), {
      name: "MissingPrerequisites",
      message: "no compiler\nno Python",
    });
    assert.equal(fs.existsSync(path.join(sandbox.folder, "one")), false);
  });

  it("waits for another set-up of the same clone and takes over from one that was killed", async () => {
    const lock = path.join(sandbox.context.stateDir, "setup.lock");
    fs.mkdirSync(sandbox.context.stateDir, { recursive: true });
    fs.writeFileSync(lock, `${process.ppid} ${os.hostname()}`);
    setTimeout(
      () => fs.writeFileSync(lock, `${spawnSync(process.execPath, ["-e", ""]).pid} ${os.hostname()}`),
      50,
    );
    const { ran, output } = await setUp([fileStep("one")]);
    assert.deepEqual(ran, ["one"]);
    assert.ok(
      output.startsWith(`Waiting for another set-up of this clone (process ${process.ppid})`),
      output,
    );
    assert.equal(fs.existsSync(lock), false);
  });
});
