// Runs the kernels on processors that this machine does not have, in QEMU's emulator: `npm run test:processors`. On each, the program
// of kernels.cc compares every kernel with plain loops. Then the engine starts on two processors that are too old for our kernels.
import { spawnSync } from "node:child_process";
import { existsSync, mkdirSync } from "node:fs";
import path from "node:path";
import { createContext } from "../../scripts/setup/context.cjs";
import { machine, runCommand } from "../../scripts/setup/machine.cjs";
import { listObjects } from "../../scripts/setup/native-ops.js";
import pins from "../../scripts/setup/pins.json";
import type { Context } from "../../scripts/setup/step.js";
import { InputError } from "../../src/errors.js";
import { projectDir } from "../workspace.js";

/** A program for one architecture, and the processors to run it on. */
interface Target {
  platform: string;
  compiler: string;
  emulator: string;
  /** Models as QEMU names them, with the instruction set that must be chosen: that of the oldest model, then of newer ones. */
  processors: Record<string, "none" | "avx2" | "neon">;
}

const TARGETS: Target[] = [
  {
    platform: "linux-x64",
    compiler: process.arch === "x64" ? "g++" : "x86_64-linux-gnu-g++",
    emulator: "qemu-x86_64",
    // Without AVX, with AVX, with AVX2. The emulator has no AVX-512.
    processors: { Nehalem: "none", SandyBridge: "none", Haswell: "avx2" },
  },
  {
    platform: "linux-arm64",
    compiler: process.arch === "arm64" ? "g++" : "aarch64-linux-gnu-g++",
    emulator: "qemu-aarch64",
    processors: { "cortex-a53": "neon", "neoverse-n1": "neon" },
  },
];
/** What set-up compiles without TensorFlow's headers: the kernels and the choice among them. */
const KERNELS = /^(plan_kernels|kernels|processor)-/;
const PROGRAM = ["kernels.cc", "plans.cc"].map((name) => path.join(__dirname, name));

let numFailed = 0;

function report(isRight: boolean, what: string, found: string): void {
  console.log(`${isRight ? "passed" : "FAILED"}  ${what}: ${found}`);
  if (!isRight) numFailed++;
}

function requireTools(): void {
  const tools = TARGETS.flatMap(({ compiler, emulator }) => [compiler, emulator]);
  const missing = tools.filter((tool) => machine.run(tool, ["--version"]) === undefined);
  if (missing.length === 0) return;
  throw new InputError({
    expected: "cross compilers and QEMU's emulators",
    found: `no ${missing.join(", ")} on PATH`,
    fix: "Run: sudo apt-get install qemu-user g++ g++-aarch64-linux-gnu g++-x86-64-linux-gnu",
  });
}

/** Compiles the program for a target, with set-up's own options for the kernels; what did not change is kept. */
async function compile({ platform, compiler }: Target): Promise<string> {
  const context: Context = {
    ...createContext({ root: projectDir }),
    ...{ platform, accelerator: "cpu", pins, onCore: (work) => work(), note: console.log },
  };
  const dir = path.join(context.cacheDir, "processors", platform);
  mkdirSync(dir, { recursive: true });
  const call = async (args: string[]) => {
    const { status, output } = await runCommand(compiler, args);
    if (status !== 0) throw new Error(`${compiler} ${args.join(" ")}\n${output}`);
  };
  const objects = listObjects(context, compiler).filter(({ name }) => KERNELS.test(name));
  for (const { name, sources, args } of objects) {
    const file = path.join(dir, name);
    if (!existsSync(file)) await call([...args, "-c", ...sources, "-o", file]);
  }
  const program = path.join(dir, "kernels");
  const files = objects.map(({ name }) => path.join(dir, name));
  await call(["-std=c++20", "-O1", "-w", "-static", ...PROGRAM, ...files, "-o", program]);
  return program;
}

/** Runs the program; every kernel must be right, and the instruction set the expected one. */
function runKernels(what: string, command: string, args: string[], expected: string | null, env = {}): void {
  const { status, signal, stdout } = spawnSync(command, args, {
    encoding: "utf8",
    env: { ...process.env, ...env },
  });
  const lines = stdout.split("\n");
  const chosen = lines[0].replace("instruction set: ", "");
  const numRight = lines.filter((line) => line.startsWith("ok")).length;
  const wrong = lines.filter((line) => line.startsWith("WRONG"));
  const isChoiceRight = expected === null ? numRight > 0 : chosen === expected;
  const isRight = status === 0 && isChoiceRight && (chosen === "none" || numRight > 100);
  const found = `${chosen}, ${numRight} results right, ${wrong.length} wrong${signal ? `, ended by ${signal}` : ""}`;
  report(isRight, what, [found, ...wrong].join("\n"));
}

/** Starts the engine on an emulated processor. */
function startEngine(cpu: string, fits: (text: string) => boolean): void {
  const args = [
    "-cpu",
    cpu,
    process.execPath,
    "--require",
    "./scripts/compiled.cjs",
    "scripts/setup/engine-probe.ts",
  ];
  const { stdout, stderr, signal } = spawnSync("qemu-x86_64", args, { cwd: projectDir, encoding: "utf8" });
  const text = `${stdout}${stderr}`
    .split("\n")
    .filter((line) => line !== "" && !/^qemu-x86_64: warning|^ {2,}|^\(Use/.test(line))
    .join("\n");
  report(!signal && fits(text), `engine on ${cpu}`, signal ? `ended by ${signal}` : text);
}

async function main(): Promise<void> {
  requireTools();
  for (const target of TARGETS) {
    const program = await compile(target);
    if (target.platform === createContext().platform) {
      runKernels(`${target.platform}, this processor`, program, [], null);
      if (process.arch === "x64")
        runKernels(`${target.platform}, this processor with FERKIT_CPU=avx2`, program, [], null, {
          FERKIT_CPU: "avx2",
        });
    }
    for (const [cpu, expected] of Object.entries(target.processors))
      runKernels(`${target.platform}, ${cpu}`, target.emulator, ["-cpu", cpu, program], expected);
  }
  if (process.arch === "x64") {
    startEngine("Nehalem", (text) => /Expected a processor with AVX, .* but found one without/.test(text));
    startEngine(
      "SandyBridge",
      (text) => text.includes('"kernels":"stock"') && text.split("the processor has no AVX2").length === 2,
    );
  }
  console.log(`${numFailed} failed`);
  if (numFailed > 0) process.exitCode = 1;
}

main().catch((error: Error) => {
  console.error(error instanceof InputError ? error.message : error);
  process.exitCode = 1;
});
