// The engine: libtensorflow in the cache, and the addon that joins it to Node.js.
import { existsSync, lstatSync, readFileSync, readlinkSync, renameSync, rmSync, symlinkSync } from "node:fs";
import path from "node:path";
import { InputError } from "../../src/errors.js";
import { replaceFile, writeFileAtomically } from "../../src/files.js";
import { digestOf } from "./context.cjs";
import { describeFailure, findCompiler, machine, runCommand, showPip } from "./machine.cjs";
import { platformOf } from "./platforms.cjs";
import type { Context, Show, Step } from "./step.js";
import { dropWheel, fetchWheel, findLinks, makeWhole, type Pin, unpackWheel } from "./wheels.js";

/** A step that leaves these files; one that is missing makes set-up run again. */
type StepWithFiles = Step & { files(context: Context): string[] };

/** Returns the wheel that holds libtensorflow for this platform. */
function libtensorflowPin({ platform, accelerator, pins }: Context): Pin {
  const wheels: Record<string, Partial<Record<Context["accelerator"], Pin>>> = pins.libtensorflow;
  const pin = wheels[platform]?.[accelerator];
  if (!pin) throw new Error(`no libtensorflow for ${accelerator} on ${platform}`); // checkMachine has refused it before
  return pin;
}

/** Returns the folder of libtensorflow in the cache; its name holds the digest, so another pin is another folder. */
export function libtensorflowDir(context: Context): string {
  const { version, sha256 } = libtensorflowPin(context);
  const name = `${context.accelerator}-${version}-${sha256.slice(0, 8)}`;
  return path.join(context.cacheDir, "libtensorflow", name);
}

/** Returns where the engine's package looks for libtensorflow: a link into the cache. */
const depsLink = (context: Context) => path.join(engineDir(context), "deps");
const engineDir = ({ nodeModulesDir }: Context) => path.join(nodeModulesDir, "@tensorflow/tfjs-node-gpu");

export const libtensorflow: StepWithFiles = {
  name: "libtensorflow",
  files: (context) => [
    path.join(libtensorflowDir(context), "lib", platformOf(context.platform).libraries[0]),
    depsLink(context),
  ],
  isCurrent(context) {
    const [library, link] = this.files(context);
    return existsSync(library) && readLink(link) === libtensorflowDir(context);
  },
  async run(context, show) {
    const dir = libtensorflowDir(context);
    const isCached = existsSync(dir);
    if (!isCached) await makeLibtensorflow(context, dir, show);
    const link = depsLink(context);
    // A folder that the package's own installer left cannot be replaced by a rename.
    if (readLink(link) === null) rmSync(link, { recursive: true, force: true });
    await replaceFile(link, async (temporary) => {
      symlinkSync(dir, temporary);
      return { isKept: true, result: undefined };
    });
    return isCached ? "from the cache" : undefined;
  },
};

function readLink(file: string): string | null {
  return lstatSync(file, { throwIfNoEntry: false })?.isSymbolicLink() ? readlinkSync(file) : null;
}

async function makeLibtensorflow(context: Context, dir: string, show: Show): Promise<void> {
  const pin = libtensorflowPin(context);
  const { libraries, links } = platformOf(context.platform);
  const wheel = await fetchWheel(context, pin, show);
  await makeWhole(dir, async (folder) => {
    const targetOf = (name: string) => {
      const part = name.replace(/^tensorflow\//, "");
      if (libraries.includes(part)) return path.join(folder, "lib", part);
      return isHeader(part) ? path.join(folder, part) : null;
    };
    await unpackWheel(wheel, targetOf, show);
    for (const [link, target] of Object.entries(links)) symlinkSync(target, path.join(folder, "lib", link));
    // The library looks for CUDA in ../nvidia/*/lib beside itself (its RUNPATH).
    if (context.accelerator === "gpu") await installCuda(context, folder, show);
    return folder;
  });
  dropWheel(context, pin);
}

/** Tells whether a member is a header that addons may include. Those of TensorFlow's compilers, two thirds of all, are left out. */
function isHeader(member: string): boolean {
  return /^include\/(?!external\/|tensorflow\/compiler\/|xla\/(?!tsl\/))/.test(member);
}

async function installCuda(context: Context, folder: string, show: Show): Promise<void> {
  show("CUDA libraries (3 GB)");
  const site = path.join(folder, "site");
  const args = [
    ...[
      "-m",
      "pip",
      "install",
      "--no-deps",
      "--only-binary=:all:",
      "--no-cache-dir",
      "--progress-bar",
      "off",
    ],
    ...["--require-hashes", ...findLinks(context), "--target", site],
    ...["-r", path.join(context.root, "scripts/setup/cuda-requirements.txt")],
  ];
  const env = { ...context.env, TMPDIR: folder, PIP_DISABLE_PIP_VERSION_CHECK: "1" };
  const { status, output } = await runCommand(context.venvPython, args, { env, onLine: showPip(show) });
  if (status !== 0) throw describeFailure("the download of the CUDA libraries", output, context.cacheDir);
  renameSync(path.join(site, "nvidia"), path.join(folder, "nvidia"));
  rmSync(site, { recursive: true });
}

const SOURCES = ["tfjs_backend", "tfjs_binding"];
const COMPILE_FLAGS = ["-std=c++17", "-O2", "-fPIC", "-w", "-DNAPI_VERSION=8"];

/**
 * Returns what makes the linker produce an addon.
 *
 * @param library - Folder of libtensorflow, as seen from the addon's.
 */
export function linkFlags({ platform }: Context, library: string): string[] {
  const { addonFlags, origin } = platformOf(platform);
  return [...addonFlags, "-ltensorflow_framework", `-Wl,-rpath,${origin}/${library}`];
}

/** Returns the platform, and the distribution's name and release, which stand for its C++ runtime: several may share a home folder. */
export function distribution({ platform }: Context): string[] {
  return [platform, ...(machine.osRelease().match(/^(ID|VERSION_ID)=.*$/gm) ?? [])];
}

const addonLinkFlags = (context: Context) => [
  ...(platformOf(context.platform).emptyLibrary ? ["-Wl,--no-as-needed"] : []),
  ...["-ltensorflow", ...linkFlags(context, "../../deps/lib")],
];

/** Returns the digest of all that the addon is compiled from. */
function addonKey(context: Context): string {
  const { packages } = JSON.parse(readFileSync(path.join(context.root, "package-lock.json"), "utf8"));
  const sources = ["@tensorflow/tfjs-node-gpu", "node-api-headers"].map((name) => {
    const { version, integrity } = packages[`node_modules/${name}`];
    return `${name}@${version} ${integrity}`;
  });
  const { version } = libtensorflowPin(context);
  return digestOf([
    ...sources,
    ...COMPILE_FLAGS,
    ...addonLinkFlags(context),
    version,
    ...distribution(context),
  ]);
}

export const addon: StepWithFiles = {
  name: "native addon",
  files(context) {
    const dir = path.join(engineDir(context), "lib/napi-v8");
    return ["tfjs_binding.node", ".ferkit-stamp"].map((name) => path.join(dir, name));
  },
  isCurrent(context) {
    const [file, stamp] = this.files(context);
    return existsSync(file) && existsSync(stamp) && readFileSync(stamp, "utf8") === addonKey(context);
  },
  async run(context) {
    const [file, stamp] = this.files(context);
    const key = addonKey(context);
    const cached = path.join(context.cacheDir, "addons", key.slice(0, 16), path.basename(file));
    const isCached = existsSync(cached);
    if (!isCached) await compileAddon(context, cached);
    await writeFileAtomically(file, readFileSync(cached));
    await writeFileAtomically(stamp, key);
    return isCached ? "from the cache" : undefined;
  },
};

/** Seconds that a file of the addon takes. */
const ADDON_SECONDS = 4;

async function compileAddon(context: Context, target: string): Promise<void> {
  const { command: compiler, problem } = findCompiler(context.env);
  if (!compiler) throw problem;
  const deps = libtensorflowDir(context);
  const compile = async (args: string[]) => {
    const run = () => runCommand(compiler, args, { cwd: context.root });
    const { status, output } = await context.onCore(run, ADDON_SECONDS);
    if (status !== 0) throw describeFailure("the compilation of the native addon", output, context.cacheDir);
  };
  const includes = [
    path.join(context.nodeModulesDir, "node-api-headers/include"),
    path.join(deps, "include"),
  ];
  await makeWhole(target, async (folder) => {
    const objects = SOURCES.map((name) => path.join(folder, `${name}.o`));
    const { emptyLibrary, libraries } = platformOf(context.platform);
    // To read the 370,000 symbols of the true library takes the linker five seconds.
    if (emptyLibrary)
      await compile([...emptyLibrary(libraries[0]), "-o", path.join(folder, "libtensorflow.so")]);
    await Promise.all(
      SOURCES.map((name, i) => {
        const source = path.join(engineDir(context), "binding", `${name}.cc`);
        return compile([
          ...COMPILE_FLAGS,
          ...includes.map((dir) => `-I${dir}`),
          "-c",
          source,
          "-o",
          objects[i],
        ]);
      }),
    );
    const file = path.join(folder, path.basename(target));
    const folders = [folder, path.join(deps, "lib")].map((dir) => `-L${dir}`);
    await compile([...objects, "-o", file, ...folders, ...addonLinkFlags(context)]);
    return file;
  });
}

/** The addon that keeps TensorFlow's notices from the terminal. Without it they are printed, so it may be missing. */
export const notices: StepWithFiles = {
  name: "notices",
  files: ({ stateDir }) =>
    ["notices.node", "notices.stamp"].map((name) => path.join(stateDir, "native", name)),
  isCurrent(context) {
    const [, stamp] = this.files(context);
    return existsSync(stamp) && readFileSync(stamp, "utf8") === noticesKey(context);
  },
  async run(context) {
    const [file, stamp] = this.files(context);
    const key = noticesKey(context);
    const { command: compiler } = findCompiler(context.env);
    const headers = path.join(context.nodeModulesDir, "node-api-headers/include");
    const cached = path.join(context.cacheDir, "addons", key.slice(0, 16), path.basename(file));
    let isCompiled = existsSync(cached);
    if (!isCompiled && compiler)
      await replaceFile(cached, async (temporary) => {
        const args = [
          "-O2",
          "-fPIC",
          ...platformOf(context.platform).addonFlags,
          "-x",
          "c",
          `-I${headers}`,
          noticesSource(context),
          "-o",
          temporary,
        ];
        const { status } = await context.onCore(() => runCommand(compiler, args));
        isCompiled = status === 0;
        if (!isCompiled) await writeFileAtomically(temporary, "");
        return { isKept: isCompiled, result: undefined };
      });
    if (isCompiled) await writeFileAtomically(file, readFileSync(cached));
    else rmSync(file, { force: true });
    await writeFileAtomically(stamp, key);
    return isCompiled ? undefined : "not compiled";
  },
};

const noticesSource = ({ root }: Context) => path.join(root, "native/notices.c");
const noticesKey = (context: Context) =>
  digestOf([{ file: noticesSource(context) }, ...distribution(context)]);

/** What the engine says of itself. */
export interface EngineState {
  /** Whether it computes right. */
  isRight: boolean;
  libtensorflow: string;
  tfjs: string;
  isGpu: boolean;
  device: string;
  kernels: string;
}

/** Starts the engine in a process of its own; returns what it says, or what went wrong. */
export async function probeEngine({ root }: Context): Promise<EngineState | { error: string }> {
  const probe = path.join(root, "scripts/setup/engine-probe.ts");
  const args = ["--require", path.join(root, "scripts/compiled.cjs"), probe];
  const { status, output } = await runCommand(process.execPath, args, { cwd: root });
  const line = output
    .split("\n")
    .filter((text) => text.startsWith("{"))
    .at(-1);
  return status === 0 && line ? JSON.parse(line) : { error: output.trim() };
}

/** Checks that the engine works, after all else. */
export const checkEngine: Step = {
  name: "engine check",
  isCurrent: () => false,
  async run(context) {
    const engine = await probeEngine(context);
    if ("error" in engine || !engine.isRight) {
      throw new InputError({
        expected: "the engine to multiply two matrices and to derive x³",
        found: "error" in engine ? `an error:\n${engine.error}\n` : "wrong values",
        fix: `Remove what was built and run this again: rm -rf ${path.join(context.cacheDir, "addons")} node_modules`,
      });
    }
    if (context.accelerator === "gpu" && !engine.isGpu)
      context.note(
        "WARNING: the CUDA libraries are installed, but the engine found no usable GPU and runs on the CPU. " +
          "Run: nvidia-smi, to see whether the driver answers.",
      );
    return `TensorFlow ${engine.libtensorflow} on ${engine.device}, ${engine.kernels} kernels`;
  },
};
