// Builds the page into one folder that any static host can serve: `npm run demo`, or with --build only builds.
import {
  cpSync,
  createReadStream,
  existsSync,
  mkdirSync,
  readdirSync,
  renameSync,
  rmSync,
  statSync,
} from "node:fs";
import http from "node:http";
import type { AddressInfo } from "node:net";
import path from "node:path";
import { parseArgs } from "node:util";
import { build, type Plugin } from "esbuild";
import { checkNumber, InputError } from "../src/errors.js";

const projectDir = path.resolve(__dirname, "..");
const faceApi = path.dirname(require.resolve("@vladmandic/face-api/package.json"));
const wasm = path.dirname(require.resolve("@tensorflow/tfjs-backend-wasm/package.json"));

/** What the page has in place of modules of Node.js, which the code that it shares with Node.js imports. */
const inBrowser: Plugin = {
  name: "in-browser",
  setup({ onResolve, onLoad }) {
    const own = (file: string) => () => ({ path: path.join(__dirname, file) });
    onResolve({ filter: /^sharp$/ }, own("sharp.ts"));
    onResolve({ filter: /\/engine\/tf\.js$/ }, own("engine.ts"));
    onResolve({ filter: /^@vladmandic\/face-api$/ }, () => ({
      path: path.join(faceApi, "dist/face-api.esm-nobundle.js"),
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
 * @throws InputError if the folder holds something else.
 */
export async function buildPage(
  dir: string,
  modelDir = path.join(projectDir, "models/ferplus"),
): Promise<void> {
  if (existsSync(dir) && !isPage(dir))
    throw new InputError({
      expected: "a new or empty folder, or an earlier page, for --out",
      where: dir,
      found: "other files",
      fix: "Choose another.",
    });
  const temporary = `${dir}.${process.pid}.tmp`;
  try {
    await writePage(temporary, modelDir);
    rmSync(dir, { recursive: true, force: true });
    renameSync(temporary, dir);
  } finally {
    rmSync(temporary, { recursive: true, force: true });
  }
}

async function writePage(dir: string, modelDir: string): Promise<void> {
  mkdirSync(dir, { recursive: true });
  await build({
    entryPoints: [path.join(__dirname, "app.ts")],
    outfile: path.join(dir, "app.js"),
    bundle: true,
    minify: true,
    format: "esm",
    target: "es2022",
    legalComments: "linked",
    plugins: [inBrowser],
    logLevel: "warning",
  });
  for (const file of ["index.html", "style.css"]) cpSync(path.join(__dirname, file), path.join(dir, file));
  cpSync(modelDir, path.join(dir, "model"), { recursive: true });
  for (const network of ["ssd_mobilenetv1_model", "face_landmark_68_model"])
    for (const file of [`${network}-weights_manifest.json`, `${network}.bin`])
      cpSync(path.join(faceApi, "model", file), path.join(dir, "faces", file));
  for (const kind of ["", "-simd", "-threaded-simd"]) {
    const file = `tfjs-backend-wasm${kind}.wasm`;
    cpSync(path.join(wasm, "dist", file), path.join(dir, "wasm", file));
  }
}

/** Whether a folder is empty or a page. */
function isPage(dir: string): boolean {
  if (!statSync(dir).isDirectory()) return false;
  const names = readdirSync(dir);
  return names.length === 0 || ["app.js", "faces", "model", "wasm"].every((name) => names.includes(name));
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

async function main(): Promise<void> {
  const options = { build: { type: "boolean" }, out: { type: "string" }, port: { type: "string" } } as const;
  const { values } = parseArgs({ options });
  const wanted = checkNumber("--port", Number(values.port ?? 8000), { min: 0, max: 65_535, integer: true });
  const dir = path.resolve(values.out ?? path.join(projectDir, "out/demo"));
  await buildPage(dir);
  console.log(`wrote ${dir}`);
  if (values.build) return;
  const server = await servePage(dir, wanted).catch((error: NodeJS.ErrnoException) => {
    if (error.code !== "EADDRINUSE") throw error;
    throw new Error(`Port ${wanted} is in use. Choose another: npm run demo -- --port ${wanted + 1}`);
  });
  const { port } = server.address() as AddressInfo;
  console.log(`serving it at http://127.0.0.1:${port}/ until Ctrl-C`);
}

if (require.main === module)
  main().catch((error) => {
    console.error((error as Error).message);
    process.exitCode = 1;
  });
