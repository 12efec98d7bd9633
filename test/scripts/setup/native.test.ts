import assert from "node:assert/strict";
import fs from "node:fs";
import path from "node:path";
import { type Context, ignore, load, type Step, setUpSandbox } from "./fixtures.js";

/** Notes what it is called with, and makes what it is asked for unless that holds "broken". */
const COMPILER = `#!/bin/sh
[ "$1" = --version ] && exit 0
echo "$@" >> "$0.calls"
for argument; do
  [ "$previous" = -o ] && out="$argument"
  [ "$previous" = -c ] && grep -q broken "$argument" && echo "$argument: error" >&2 && exit 1
  previous="$argument"
done
echo made > "$out"
`;

describe("nativeOpsStep", () => {
  const sandbox = setUpSandbox();
  let step: Step;
  let native: string;
  let compiler: string;
  beforeEach(async () => {
    ({ nativeOpsStep: step } = await load<{ nativeOpsStep: Step }>("native"));
    const { context, folder } = sandbox;
    compiler = path.join(folder, "compiler");
    fs.writeFileSync(compiler, COMPILER, { mode: 0o755 });
    Object.assign(context, { cpuFlags: ["avx2", "fma"], notes: [], env: { ...context.env, CXX: compiler } });
    native = path.join(context.root, "native");
    fs.mkdirSync(native, { recursive: true });
    fs.writeFileSync(path.join(native, "ops.cc"), '#include "ops.h"\n');
    fs.writeFileSync(path.join(native, "ops.h"), "");
    fs.writeFileSync(path.join(native, "kernels.cc"), '#include "kernels.h"\n');
    fs.writeFileSync(path.join(native, "kernels.h"), '#include "vector.h"\n');
    fs.writeFileSync(path.join(native, "vector.h"), "");
  });
  const addonOf = ({ root }: Context) => path.join(root, ".ferkit/native/ferkit_ops.node");
  /** Names of the files compiled since the last call, "link" for the addon. */
  function calls(): string[] {
    const file = `${compiler}.calls`;
    const lines = fs.existsSync(file) ? fs.readFileSync(file, "utf8").trim().split("\n") : [];
    fs.rmSync(file, { force: true });
    return lines.map((line) => path.basename(line.match(/ -c (\S+)/)?.[1] ?? "link")).sort();
  }

  it("compiles the kernels for each instruction set, once for all clones", async () => {
    const { context } = sandbox;
    assert.equal(step.isCurrent(context), false);
    assert.equal(await step.run(context, ignore), undefined);
    assert.equal(step.isCurrent(context), true);
    assert.equal(fs.readFileSync(addonOf(context), "utf8"), "made\n");
    assert.deepEqual(calls(), ["kernels.cc", "kernels.cc", "link", "ops.cc"]);

    const root = path.join(sandbox.folder, "second");
    fs.cpSync(native, path.join(root, "native"), { recursive: true });
    const second = { ...context, root, stateDir: path.join(root, ".ferkit") };
    assert.equal(await step.run(second, ignore), "from the cache");
    assert.equal(fs.readFileSync(addonOf(second), "utf8"), "made\n");
    assert.deepEqual(calls(), []);
  });

  it("compiles again what includes a header that changed, and no more", async () => {
    await step.run(sandbox.context, ignore);
    calls();
    fs.writeFileSync(path.join(native, "vector.h"), "// changed\n");
    assert.equal(step.isCurrent(sandbox.context), false);
    await step.run(sandbox.context, ignore);
    assert.deepEqual(calls(), ["kernels.cc", "kernels.cc", "link"]);
  });

  it("goes on without them where they do not compile, and says so once", async () => {
    const { context } = sandbox;
    await step.run(context, ignore);
    fs.appendFileSync(path.join(native, "ops.cc"), "broken\n");
    assert.equal(await step.run(context, ignore), "not made");
    assert.equal(fs.existsSync(addonOf(context)), false, "none that is out of date");
    const dir = path.join(context.stateDir, "native");
    assert.deepEqual(context.notes, [
      `The native ops could not be made, so TensorFlow's own kernels serve and training is slower: ${dir}/failure.txt ` +
        `says why. To try again: rm -r ${dir} && npm run setup`,
    ]);
    assert.match(fs.readFileSync(path.join(dir, "failure.txt"), "utf8"), /^ops\.cc:\n.*ops\.cc: error$/m);
    assert.equal(step.isCurrent(context), true);
    fs.rmSync(dir, { recursive: true });
    assert.equal(step.isCurrent(context), false);
  });

  it("goes on without a compiler", async () => {
    const { context } = sandbox;
    context.env.CXX = path.join(sandbox.folder, "no-such-compiler");
    assert.equal(await step.run(context, ignore), "not made");
    const failure = path.join(context.stateDir, "native/failure.txt");
    assert.match(
      fs.readFileSync(failure, "utf8"),
      /^Expected a C\+\+ compiler \(\S+\) but found none on PATH\./,
    );
  });

  it("has nothing to do for GPUs and for processors without AVX2", () => {
    const { context } = sandbox;
    assert.equal(step.isCurrent({ ...context, accelerator: "gpu" }), true);
    assert.equal(step.isCurrent({ ...context, cpuFlags: ["avx", "fma"] }), true);
    assert.equal(step.isCurrent(context), false);
  });
});
