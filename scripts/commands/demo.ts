// Builds the page of demo/ into one folder that any static host can serve, and serves it.
import {
  cpSync,
  createReadStream,
  existsSync,
  readdirSync,
  readFileSync,
  renameSync,
  rmSync,
  statSync,
} from "node:fs";
import http from "node:http";
import type { AddressInfo } from "node:net";
import path from "node:path";
import type { Command } from "commander";
import type { Plugin } from "esbuild";
import { InputError, internals } from "../../src/index.js";
import { callerPath, modelFolder, numberFor, withExamples, withModelOption } from "../options.js";

const { checkNumber } = internals;

const DEFAULT_PORT = 8000;
const demoDir = path.resolve(__dirname, "../../demo");

/** Why a port cannot be had, by the code of the error. */
const PORT_FAILURES: Record<string, string> = {
  EADDRINUSE: "that another program uses it",
  EACCES: "no permission to use it",
};

interface Flags {
  model?: string;
  out: string;
  build?: boolean;
  port: number;
}

export function addDemoCommand(program: Command): void {
  const command = withModelOption(program.command("demo"), "ferplus");
  withExamples(command, "npx ferkit demo", "npx ferkit demo --model runs/mine/best --build --out site")
    .option("--out <folder>", "folder of the page", "out/demo")
    .option("--build", "only build the page, for a host of your own")
    .option("--port <number>", "port to serve it at, on this machine", numberFor("--port"), DEFAULT_PORT)
    .action(async (flags: Flags) => {
      const wanted = checkNumber("--port", flags.port, { min: 0, max: 65_535, integer: true });
      const dir = callerPath(flags.out);
      await buildPage(dir, modelFolder(flags.model, "ferplus"));
      console.log(`wrote ${dir}`);
      if (flags.build) return;
      const server = await servePage(dir, wanted).catch((error: NodeJS.ErrnoException) => {
        const found = PORT_FAILURES[error.code ?? ""];
        if (found === undefined) throw error;
        throw new InputError({ expected: `port ${wanted}`, found, fix: "Choose another with --port." });
      });
      const { port } = server.address() as AddressInfo;
      console.log(`serving it at http://127.0.0.1:${port}/ until Ctrl-C`);
    });
}

/** Returns the folder of an installed package. */
function packageDir(name: string): string {
  return path.dirname(require.resolve(`${name}/package.json`));
}

/** What the page has in place of modules of Node.js, which the code that it shares with Node.js imports. */
const inBrowser: Plugin = {
  name: "in-browser",
  setup({ onResolve, onLoad }) {
    const own = (file: string) => () => ({ path: path.join(demoDir, file) });
    onResolve({ filter: /^sharp$/ }, own("sharp.ts"));
    onResolve({ filter: /\/engine\/tf\.js$/ }, own("engine.ts"));
    onResolve({ filter: /^@vladmandic\/face-api$/ }, () => ({
      path: path.join(packageDir("@vladmandic/face-api"), "dist/face-api.esm-nobundle.js"),
    }));
    onResolve({ filter: /^node:/ }, ({ path: name }) => ({ path: name, namespace: "node" }));
    // Modules import them, but nothing on the page calls them; only `promisify` is called while modules are loaded.
    onLoad({ filter: /.*/, namespace: "node" }, () => ({
      contents: "module.exports = { promisify: () => null };",
    }));
  },
};

/**
 * Builds the page in `dir`, in place of an earlier page.
 *
 * @throws InputError if the folder holds something else, or the model's none, or the folder cannot be written.
 */
export async function buildPage(dir: string, modelDir: string): Promise<void> {
  if (existsSync(dir) && !isPage(dir))
    throw new InputError({
      expected: "a new or empty folder, or an earlier page, for --out",
      where: dir,
      found: "other files",
      fix: "Choose another.",
    });
  const model = modelFiles(modelDir);
  const temporary = `${dir}.${process.pid}.tmp`;
  try {
    internals.makeFolder(temporary);
    await writePage(temporary, modelDir, model);
    rmSync(dir, { recursive: true, force: true });
    renameSync(temporary, dir);
  } catch (error) {
    throw internals.writeError(dir, error);
  } finally {
    if (existsSync(temporary)) rmSync(temporary, { recursive: true });
  }
}

/** Whether a folder is empty or a page. */
function isPage(dir: string): boolean {
  if (!statSync(dir).isDirectory()) return false;
  const names = readdirSync(dir);
  return names.length === 0 || ["app.js", "faces", "model", "wasm"].every((name) => names.includes(name));
}

interface ModelJson {
  weightsManifest?: { paths: string[] }[];
  userDefinedMetadata?: { ferkit?: object };
}

/**
 * Lists the files that the page needs of a model folder: not the list of the images that it was trained on.
 *
 * @throws InputError if ferkit saved no model there.
 */
function modelFiles(modelDir: string): string[] {
  const file = path.join(modelDir, "model.json");
  const found = existsSync(file) ? (internals.parseJson(readFileSync(file)) as ModelJson) : null;
  if (found?.userDefinedMetadata?.ferkit && found.weightsManifest)
    return ["model.json", ...found.weightsManifest.flatMap(({ paths }) => paths)];
  throw new InputError({
    expected: "a model folder",
    where: modelDir,
    found: found ? "a model of another program" : "none",
    fix: "Choose another with --model, such as runs/NAME/best.",
  });
}

async function writePage(dir: string, modelDir: string, model: string[]): Promise<void> {
  const { build } = await import("esbuild");
  const folder = path.basename(modelDir) === "best" ? path.dirname(modelDir) : modelDir;
  await build({
    entryPoints: [path.join(demoDir, "app.ts")],
    outfile: path.join(dir, "app.js"),
    bundle: true,
    minify: true,
    format: "esm",
    target: "es2022",
    legalComments: "linked",
    define: { MODEL_NAME: JSON.stringify(path.basename(folder)) },
    plugins: [inBrowser],
    logLevel: "warning",
  });
  for (const file of ["index.html", "style.css"]) cpSync(path.join(demoDir, file), path.join(dir, file));
  for (const file of model) cpSync(path.join(modelDir, file), path.join(dir, "model", file));
  const faceApi = packageDir("@vladmandic/face-api");
  for (const network of ["ssd_mobilenetv1_model", "face_landmark_68_model"])
    for (const file of [`${network}-weights_manifest.json`, `${network}.bin`])
      cpSync(path.join(faceApi, "model", file), path.join(dir, "faces", file));
  for (const kind of ["", "-simd", "-threaded-simd"]) {
    const file = `tfjs-backend-wasm${kind}.wasm`;
    cpSync(
      path.join(packageDir("@tensorflow/tfjs-backend-wasm"), "dist", file),
      path.join(dir, "wasm", file),
    );
  }
}

const TYPES: Record<string, string> = {
  ".html": "text/html; charset=utf-8",
  ".css": "text/css",
  ".js": "text/javascript",
  ".json": "application/json",
  ".wasm": "application/wasm",
};

/** With these, browsers let WebAssembly use several processors. A host that cannot send them serves the page all the same. */
const ISOLATION = {
  "cross-origin-opener-policy": "same-origin",
  "cross-origin-embedder-policy": "require-corp",
};

/** Serves a folder on this machine only, as a static host would. Port 0 is any that is free. */
export function servePage(dir: string, port: number): Promise<http.Server> {
  const server = http.createServer((request, response) => {
    const pathname = pathOf(request.url ?? "/");
    if (pathname === null) {
      response.writeHead(400).end();
      return;
    }
    const file = path.join(dir, pathname.endsWith("/") ? `${pathname}index.html` : pathname);
    if (!file.startsWith(dir + path.sep) || !statSync(file, { throwIfNoEntry: false })?.isFile()) {
      response.writeHead(404).end();
      return;
    }
    response.writeHead(200, {
      "content-type": TYPES[path.extname(file)] ?? "application/octet-stream",
      ...ISOLATION,
    });
    createReadStream(file).pipe(response);
  });
  return new Promise((resolve, reject) => {
    server.on("error", reject);
    server.listen(port, "127.0.0.1", () => resolve(server));
  });
}

/** Returns the decoded path of a request, or null if it is malformed. */
function pathOf(url: string): string | null {
  try {
    const pathname = decodeURIComponent(new URL(url, "http://localhost").pathname);
    return pathname.includes("\0") ? null : pathname;
  } catch {
    return null;
  }
}
