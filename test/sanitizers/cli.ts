// Compiles the native ops with AddressSanitizer and UndefinedBehaviorSanitizer, and runs their tests on them:
// `npm run test:sanitizers`. It uses set-up's own step, with folders of its own, so that the clone keeps its addon.
// ThreadSanitizer would have to know TensorFlow's threads, too, so it checks our own in a program without TensorFlow.
import { execFileSync, spawnSync } from "node:child_process";
import { existsSync, mkdirSync, rmSync, symlinkSync, writeFileSync } from "node:fs";
import path from "node:path";
import { parseArgs } from "node:util";
import { createContext } from "../../scripts/setup/context.cjs";
import { findCompiler } from "../../scripts/setup/machine.cjs";
import { nativeOps, nativePaths } from "../../scripts/setup/native-ops.js";
import pins from "../../scripts/setup/pins.json";
import type { Context } from "../../scripts/setup/step.js";
import { WORKERS } from "../native/programs.js";
import { projectDir } from "../workspace.js";

const FLAGS = [
  "-O1", // after set-up's own, so that it counts
  "-g1",
  "-fno-omit-frame-pointer",
  "-fsanitize=address,undefined",
  "-fno-sanitize=vptr", // TensorFlow's library is compiled without
  // With it, g++ refuses constants of absl's headers; AddressSanitizer finds the use of null pointers, too.
  ...["-fno-sanitize=null,nonnull-attribute,returns-nonnull-attribute", "-fdelete-null-pointer-checks"],
  "-fno-sanitize-recover=all",
];
const TESTS = [
  ...[
    "engine/fused",
    "engine/plan",
    "engine/plan-training",
    "data/augment",
    "training/optimizer",
    "training/step",
  ],
  "native/gradients",
].map((name) => `test/${name}.test.ts`);
const { values: flags } = parseArgs({ options: { only: { type: "string", default: TESTS.join(",") } } });

/** Makes the addon; what was compiled before is kept. */
async function compile(): Promise<{ addon: string; compiler: string; dir: string }> {
  const own: Context = {
    ...createContext({ root: projectDir }),
    accelerator: "cpu",
    pins,
    onCore: (work) => work(),
    note: console.log,
  };
  const { command: compiler, problem } = findCompiler(own.env);
  if (!compiler) throw problem;
  const dir = path.join(own.cacheDir, "sanitizers");
  mkdirSync(dir, { recursive: true });
  const link = path.join(dir, "libtensorflow");
  rmSync(link, { force: true });
  symlinkSync(path.join(own.cacheDir, "libtensorflow"), link);
  const wrapper = path.join(dir, "compiler.sh");
  writeFileSync(wrapper, `#!/bin/sh\nexec ${compiler} "$@" ${FLAGS.join(" ")}\n`, { mode: 0o755 });
  let last = Promise.resolve<unknown>(undefined);
  const context: Context = {
    ...own,
    cacheDir: dir,
    stateDir: path.join(dir, "state"),
    env: { ...own.env, CXX: wrapper },
    // One file at a time: a compiler with sanitizers takes much memory.
    onCore: (work) => {
      const next = last.then(work, work);
      last = next;
      return next;
    },
  };
  const { addon, failure } = nativePaths(context);
  if (existsSync(failure)) rmSync(path.dirname(failure), { recursive: true }); // or set-up would not try again
  const step = nativeOps(async () => {});
  if (!step.isCurrent(context)) await step.run(context, (text) => console.log(`compile ${text}`));
  if (!existsSync(addon)) throw new Error("the ops could not be compiled");
  return { addon, compiler, dir };
}

/** Runs the test of native/workers.h with ThreadSanitizer; returns whether all passed. */
function passesThreadSanitizer(compiler: string, dir: string): boolean {
  const program = path.join(dir, "workers");
  const source = path.join(projectDir, "test/native/workers.cc");
  execFileSync(compiler, [
    "-std=c++20",
    "-O1",
    "-g1",
    "-w",
    "-pthread",
    "-fsanitize=thread",
    source,
    "-o",
    program,
  ]);
  return WORKERS.every((args) => spawnSync(program, args, { stdio: "inherit" }).status === 0);
}

function libraryOf(compiler: string, name: string): string {
  return execFileSync(compiler, [`-print-file-name=${name}`], { encoding: "utf8" }).trim();
}

async function main(): Promise<void> {
  const { addon, compiler, dir } = await compile();
  const libraries = ["libasan.so", "libubsan.so"].map((name) => libraryOf(compiler, name));
  const env = {
    ...process.env,
    FERKIT_TEST_ADDON: addon,
    LD_PRELOAD: libraries.join(" "),
    // Node.js and TensorFlow keep memory to the end, and TensorFlow defines some names twice.
    ASAN_OPTIONS: "detect_leaks=0:detect_odr_violation=0:allocator_may_return_null=1:abort_on_error=0",
    UBSAN_OPTIONS: "print_stacktrace=1:halt_on_error=1",
  };
  let numFailed = 0;
  const start = performance.now();
  if (!passesThreadSanitizer(compiler, dir)) numFailed++;
  for (const cpu of ["", "avx2"])
    for (const file of flags.only.split(",")) {
      const mocha = ["node_modules/mocha/bin/mocha.js", "--timeout", "600000", "--reporter", "dot"];
      const args = [...mocha, "--require", "test/sanitizers/use-addon.cjs", file];
      const { status } = spawnSync(process.execPath, args, {
        cwd: projectDir,
        env: { ...env, ...(cpu && { FERKIT_CPU: cpu }) },
        stdio: "inherit",
      });
      console.log(`${status === 0 ? "passed" : "FAILED"}: ${file} on ${cpu || "the best instruction set"}`);
      if (status !== 0) numFailed++;
    }
  console.log(`${numFailed} failed, ${Math.round((performance.now() - start) / 1000)} seconds`);
  if (numFailed > 0) process.exitCode = 1;
}

main();
