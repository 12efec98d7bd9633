// The project's own ops, native/*.cc, compiled into an addon that is loaded beside the engine's. Training works without it,
// only slower, so what is missing here stops nothing.
import { existsSync, mkdirSync, readdirSync, readFileSync, renameSync, rmSync, writeFileSync } from "node:fs";
import path from "node:path";
import { writeFileAtomically } from "../../src/files.js";
import { digestOf } from "./context.cjs";
import { distribution, libtensorflowDir, linkFlags } from "./engine.js";
import { findCompiler, machine, runCommand } from "./machine.cjs";
import type { Context, Show, Step } from "./step.js";
import { makeWhole } from "./wheels.js";

const FLAGS = ["-std=c++20", "-O3", "-fPIC", "-w", "-DNDEBUG", "-DNAPI_VERSION=8"];
// Each instruction set has its table of kernels; the addon chooses one when it is loaded.
const AVX512 = [
  ...["f", "bw", "dq", "vl"].map((part) => `-mavx512${part}`),
  ...["-mfma", "-mprefer-vector-width=512"],
];
const INSTRUCTION_SETS = {
  neon: ["-DFERKIT_KERNELS=kernelsNeon", "-DFERKIT_PLAN_KERNELS=planNeon"],
  avx2: ["-DFERKIT_KERNELS=kernelsAvx2", "-DFERKIT_PLAN_KERNELS=planAvx2", "-mavx2", "-mfma"],
  avx512: ["-DFERKIT_KERNELS=kernelsAvx512", "-DFERKIT_PLAN_KERNELS=planAvx512", ...AVX512],
  avx512Bfloat16: [
    "-DFERKIT_PLAN_KERNELS=planAvx512Bfloat16",
    "-DFERKIT_BFLOAT16",
    ...AVX512,
    "-mavx512bf16",
  ],
};
/** Files with a table for each of some instruction sets, by architecture. */
const KERNELS: Record<string, Record<string, (keyof typeof INSTRUCTION_SETS)[]>> = {
  x64: { "kernels.cc": ["avx2", "avx512"], "plan_kernels.cc": ["avx2", "avx512", "avx512Bfloat16"] },
  arm64: { "kernels.cc": ["neon"], "plan_kernels.cc": ["neon"] },
};
/** No kernel asks for the error number that `sqrt` would set, which keeps several from being computed at once. */
const KERNEL_FLAGS = ["-ffp-contract=fast", "-fno-math-errno"];
/** Seconds that the file takes which includes TensorFlow's headers; it waits for them, and all else would be done before it. */
const TENSORFLOW_SECONDS = 8;
/** Folder of libtensorflow, as seen from the addon's. */
const LIBRARY = "../../node_modules/@tensorflow/tfjs-node-gpu/deps/lib";
/** Returns where src looks for the addon, and what is there if it could not be made. */
export function nativePaths({ stateDir }: Context) {
  const inDir = (name: string) => path.join(stateDir, "native", name);
  return {
    addon: inDir("ferkit_ops.node"),
    objects: inDir("objects"),
    failure: inDir("failure.txt"),
    stamp: inDir("stamp"),
  };
}

/**
 * Builds the step that compiles the ops. It starts at once with what needs no header of TensorFlow.
 *
 * @param library - Waits for libtensorflow.
 * @param cpuFlags - Features of an x86-64 processor.
 */
export function nativeOps(library: () => Promise<void>, cpuFlags = machine.cpuFlags()): Step {
  const isWanted = (context: Context) =>
    context.accelerator === "cpu" && hasInstructionSet(context, cpuFlags);
  return {
    name: "native ops",
    isCurrent(context) {
      const { addon, failure, stamp } = nativePaths(context);
      if (!isWanted(context)) return true;
      const isStamped = existsSync(stamp) && readFileSync(stamp, "utf8") === nativeKey(context);
      return isStamped && (existsSync(addon) || existsSync(failure));
    },
    async run(context, show) {
      const { addon, failure, stamp } = nativePaths(context);
      const key = nativeKey(context);
      const cached = path.join(context.cacheDir, "addons", key.slice(0, 16), path.basename(addon));
      const isCached = existsSync(cached);
      const why = isCached ? null : await makeAddon(context, cached, library, show);
      if (why === null) {
        await writeFileAtomically(addon, readFileSync(cached));
        rmSync(failure, { force: true });
      } else {
        rmSync(addon, { force: true });
        await writeFileAtomically(failure, why);
        context.note(
          "The native ops could not be compiled, so TensorFlow's own kernels are used and training is slower: " +
            `${failure} says why. To try again: rm -r ${path.dirname(failure)} && npm run setup`,
        );
      }
      await writeFileAtomically(stamp, key);
      if (why !== null) return "not compiled";
      return isCached ? "from the cache" : undefined;
    },
  };
}

/** Returns whether there are kernels for this processor. */
export function hasInstructionSet({ platform }: Context, cpuFlags = machine.cpuFlags()): boolean {
  return architecture(platform) !== "x64" || ["avx2", "fma"].every((flag) => cpuFlags.includes(flag));
}

/** Returns "x64" of "linux-x64". */
const architecture = (platform: string) => platform.split("-")[1];

/** Returns the digest of all that the ops are compiled from. */
function nativeKey(context: Context): string {
  const files = sourceFiles(context, ".cc", ".h");
  const names = files.map((file) => path.basename(file));
  return digestOf([...commonInputs(context), ...names, ...files.map((file) => ({ file }))]);
}

function sourceFiles({ root }: Context, ...endings: string[]): string[] {
  const dir = path.join(root, "native");
  const names = existsSync(dir) ? readdirSync(dir).sort() : [];
  return names.filter((name) => endings.includes(path.extname(name))).map((name) => path.join(dir, name));
}

function commonInputs(context: Context): string[] {
  const flags = [
    ...FLAGS,
    ...Object.values(INSTRUCTION_SETS).flat(),
    ...KERNEL_FLAGS,
    ...linkFlags(context, LIBRARY),
  ];
  return [...flags, libtensorflowDir(context), ...distribution(context)];
}

/** Makes the addon in the cache; returns why it could not, or null. */
async function makeAddon(
  context: Context,
  target: string,
  library: () => Promise<void>,
  show: Show,
): Promise<string | null> {
  const { command: compiler, problem } = findCompiler(context.env);
  if (!compiler) return problem?.message ?? "no compiler";
  try {
    await makeWhole(target, async (folder) => {
      const file = path.join(folder, path.basename(target));
      await build(context, compiler, file, library, show);
      return file;
    });
    return null;
  } catch (error) {
    await library(); // without it, set-up as a whole has failed
    return (error as Error).message;
  }
}

/** An object file; its name holds the digest of what it is made from, so that one that is there is kept. */
interface ObjectFile {
  name: string;
  sources: string[];
  args: string[];
  usesTensorFlow: boolean;
}

async function build(
  context: Context,
  compiler: string,
  addon: string,
  library: () => Promise<void>,
  show: Show,
): Promise<void> {
  const { objects: dir } = nativePaths(context);
  const objects = listObjects(context, compiler);
  mkdirSync(dir, { recursive: true });
  for (const name of readdirSync(dir))
    if (!objects.some((object) => object.name === name)) rmSync(path.join(dir, name), { recursive: true });
  const pending = objects.filter(({ name }) => !existsSync(path.join(dir, name)));
  let why: string | null = null;
  let numDone = 0;
  const compile = (args: string[], what: string, seconds?: number) =>
    context.onCore(async () => {
      if (why !== null) return;
      const { status, output } = await runCommand(compiler, args);
      if (status !== 0) why ??= `${what}:\n${output}`;
    }, seconds);
  const makeObject = async ({ name, sources, args, usesTensorFlow }: ObjectFile) => {
    const file = path.join(dir, name);
    const whole = `${file}.cc`;
    if (sources.length > 1) writeFileSync(whole, sources.map((source) => `#include "${source}"\n`).join(""));
    const source = sources.length > 1 ? whole : sources[0];
    await compile(
      [...args, "-c", source, "-o", `${file}.tmp`],
      sources.map((one) => path.basename(one)).join(", "),
      usesTensorFlow ? TENSORFLOW_SECONDS : undefined,
    );
    rmSync(whole, { force: true });
    if (why === null) renameSync(`${file}.tmp`, file);
    show(`${++numDone} of ${pending.length} files`);
  };
  await Promise.all(
    pending.map(async (object) => {
      if (object.usesTensorFlow) await library();
      await makeObject(object);
    }),
  );
  await library();
  const files = objects.map(({ name }) => path.join(dir, name));
  const lib = path.join(libtensorflowDir(context), "lib");
  await compile([...files, "-o", addon, `-L${lib}`, ...linkFlags(context, LIBRARY)], "linking");
  if (why !== null) throw new Error(why);
}

function includes(context: Context): string[] {
  const include = path.join(libtensorflowDir(context), "include");
  const headers = path.join(context.nodeModulesDir, "node-api-headers/include");
  return [include, headers].map((dir) => `-I${dir}`);
}

/** Lists the object files. TensorFlow's headers take longer to read than our ops to compile, so all files with ops are compiled as one. */
export function listObjects(context: Context, compiler: string): ObjectFile[] {
  const headers = sourceFiles(context, ".h");
  const objectOf = (name: string, sources: string[], flags: string[], usesTensorFlow = false): ObjectFile => {
    const args = [...FLAGS, ...flags];
    const files = sources.flatMap((source) => includedBy(source, headers)).map((file) => ({ file }));
    const inputs = [compiler, ...commonInputs(context), ...args, ...sources, ...files];
    return { name: `${name}-${digestOf(inputs).slice(0, 16)}.o`, sources, args, usesTensorFlow };
  };
  const includesTensorFlow = (source: string) =>
    includedBy(source, headers).some((file) => /^#include "tensorflow\//m.test(readFileSync(file, "utf8")));
  const sources = sourceFiles(context, ".cc");
  const ops = sources.filter(includesTensorFlow);
  const others = sources
    .filter((source) => !ops.includes(source))
    .flatMap((source) => {
      const sets = KERNELS[architecture(context.platform)][path.basename(source)];
      const variants = sets?.map((set) => [...INSTRUCTION_SETS[set], ...KERNEL_FLAGS]) ?? [includes(context)];
      return variants.map((flags) => objectOf(path.basename(source, ".cc"), [source], flags));
    });
  return ops.length > 0 ? [...others, objectOf("ops", ops, includes(context), true)] : others;
}

/** Returns the file and those of `headers` that it includes, directly or not. */
function includedBy(file: string, headers: string[]): string[] {
  const found = [file];
  for (const one of found)
    for (const [, name] of readFileSync(one, "utf8").matchAll(/^#include "(.*)"$/gm)) {
      const header = headers.find((candidate) => path.basename(candidate) === name);
      if (header && !found.includes(header)) found.push(header);
    }
  return found;
}
