import assert from "node:assert/strict";
import {
  appendFileSync,
  cpSync,
  existsSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  rmSync,
  writeFileSync,
} from "node:fs";
import path from "node:path";
import { nativeOps } from "../../../scripts/setup/native-ops.js";
import type { Context, Step } from "../../../scripts/setup/step.js";
import { ignore, setUpSandbox } from "./sandbox.js";

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

describe("nativeOps", () => {
  const sandbox = setUpSandbox();
  let step: Step;
  let native: string;
  let compiler: string;
  const library = async () => {};
  beforeEach(() => {
    step = nativeOps(library, ["avx2", "fma"]);
    const { context, folder } = sandbox;
    compiler = folder.file("compiler");
    writeFileSync(compiler, COMPILER, { mode: 0o755 });
    context.env.CXX = compiler;
    native = path.join(context.root, "native");
    mkdirSync(native, { recursive: true });
    writeFileSync(path.join(native, "ops.cc"), '#include "ops.h"\n');
    writeFileSync(path.join(native, "ops.h"), "");
    writeFileSync(path.join(native, "kernels.cc"), '#include "kernels.h"\n');
    writeFileSync(path.join(native, "kernels.h"), '#include "vector.h"\n');
    writeFileSync(path.join(native, "vector.h"), "");
  });
  const addonOf = ({ root }: Context) => path.join(root, ".ferkit/native/ferkit_ops.node");
  /** Names of the files compiled since the last call, "link" for the addon. */
  function calls(): string[] {
    const file = `${compiler}.calls`;
    const lines = existsSync(file) ? readFileSync(file, "utf8").trim().split("\n") : [];
    rmSync(file, { force: true });
    return lines.map((line) => path.basename(line.match(/ -c (\S+)/)?.[1] ?? "link")).sort();
  }

  it("compiles the kernels for each instruction set, once for all clones", async () => {
    const { context } = sandbox;
    assert.equal(step.isCurrent(context), false);
    assert.equal(await step.run(context, ignore), undefined);
    assert.equal(step.isCurrent(context), true);
    assert.equal(readFileSync(addonOf(context), "utf8"), "made\n");
    assert.deepEqual(calls(), ["kernels.cc", "kernels.cc", "link", "ops.cc"]);

    const root = sandbox.folder.file("second");
    cpSync(native, path.join(root, "native"), { recursive: true });
    const second = { ...context, root, stateDir: path.join(root, ".ferkit") };
    assert.equal(await step.run(second, ignore), "from the cache");
    assert.equal(readFileSync(addonOf(second), "utf8"), "made\n");
    assert.deepEqual(calls(), []);
  });

  it("compiles again what includes a header that changed, and no more", async () => {
    await step.run(sandbox.context, ignore);
    calls();
    writeFileSync(path.join(native, "vector.h"), "// changed\n");
    assert.equal(step.isCurrent(sandbox.context), false);
    await step.run(sandbox.context, ignore);
    assert.deepEqual(calls(), ["kernels.cc", "kernels.cc", "link"]);
  });

  it("continues without them if they do not compile, and says so once", async () => {
    const { context } = sandbox;
    await step.run(context, ignore);
    appendFileSync(path.join(native, "ops.cc"), "broken\n");
    assert.equal(await step.run(context, ignore), "not compiled");
    assert.equal(existsSync(addonOf(context)), false, "none that is out of date");
    const dir = path.join(context.stateDir, "native");
    assert.deepEqual(sandbox.notes, [
      `The native ops could not be compiled, so TensorFlow's own kernels are used and training is slower: ${dir}/failure.txt ` +
        `says why. To try again: rm -r ${dir} && npm run setup`,
    ]);
    assert.match(readFileSync(path.join(dir, "failure.txt"), "utf8"), /^ops\.cc:\n.*ops\.cc: error$/m);
    assert.equal(step.isCurrent(context), true);
    rmSync(dir, { recursive: true });
    assert.equal(step.isCurrent(context), false);
  });

  it("continues without a compiler", async () => {
    const { context } = sandbox;
    context.env.CXX = sandbox.folder.file("no-such-compiler");
    assert.equal(await step.run(context, ignore), "not compiled");
    const failure = path.join(context.stateDir, "native/failure.txt");
    assert.match(
      readFileSync(failure, "utf8"),
      /^Expected a C\+\+ compiler \(\S+\) but found none on PATH\./,
    );
  });

  it("compiles all files with TensorFlow's headers as one, after libtensorflow is there", async () => {
    for (const name of ["a.cc", "b.cc", "c.cc"])
      writeFileSync(path.join(native, name), '#include "tensorflow/core/framework/op.h"\n');
    const early: string[] = [];
    const untilOthersAreCompiled = async () => {
      while (early.length < 3) {
        await new Promise((resolve) => setTimeout(resolve, 50));
        early.push(...calls());
      }
    };
    let installed: Promise<void> | undefined;
    const waiting = nativeOps(() => {
      installed ??= untilOthersAreCompiled();
      return installed;
    }, ["avx2", "fma"]);
    await waiting.run(sandbox.context, ignore);
    assert.deepEqual(early.sort(), ["kernels.cc", "kernels.cc", "ops.cc"]);
    const [link, whole, ...others] = calls();
    assert.equal(link, "link");
    assert.match(whole, /^ops-\w{16}\.o\.cc$/);
    assert.deepEqual(others, []);
    const objects = path.join(sandbox.context.stateDir, "native/objects");
    assert.deepEqual(
      readdirSync(objects).filter((name) => !name.endsWith(".o")),
      [],
    );
  });

  it("leaves no stamp if libtensorflow could not be installed", async () => {
    const broken = nativeOps(() => Promise.reject(new Error("no disk")), ["avx2", "fma"]);
    await assert.rejects(broken.run(sandbox.context, ignore), /^Error: no disk$/);
    assert.equal(broken.isCurrent(sandbox.context), false);
  });

  it("compiles the kernels once for ARM, whatever features are listed", async () => {
    const context = { ...sandbox.context, platform: "linux-arm64" };
    const onArm = nativeOps(library, []);
    assert.equal(onArm.isCurrent(context), false);
    await onArm.run(context, ignore);
    const lines = readFileSync(`${compiler}.calls`, "utf8").trim().split("\n");
    const kernels = lines.filter((line) => line.includes("/kernels.cc"));
    assert.equal(kernels.length, 1);
    assert.match(kernels[0], / -DFERKIT_KERNELS=kernelsNeon -DFERKIT_PLAN_KERNELS=planNeon /);
    assert.doesNotMatch(lines.join("\n"), / -m/, "no option of x86");
    assert.match(lines.at(-1) ?? "", / -shared .* -Wl,-rpath,\$ORIGIN\/\.\.\/\.\.\/node_modules\//);
  });

  it("links an addon that Node.js loads on macOS, and finds the library beside it", async () => {
    const context = { ...sandbox.context, platform: "darwin-arm64" };
    await nativeOps(library, []).run(context, ignore);
    const link = readFileSync(`${compiler}.calls`, "utf8").trim().split("\n").at(-1) ?? "";
    assert.match(
      link,
      / -dynamiclib -undefined dynamic_lookup -ltensorflow_framework -Wl,-rpath,@loader_path\/\.\.\/\.\.\/node_modules\//,
    );
  });

  it("has nothing to do for GPUs and for processors without AVX2", () => {
    const { context } = sandbox;
    assert.equal(step.isCurrent({ ...context, accelerator: "gpu" }), true);
    assert.equal(nativeOps(library, ["avx", "fma"]).isCurrent(context), true);
    assert.equal(step.isCurrent(context), false);
  });
});
