import assert from "node:assert/strict";
import { workspace } from "../workspace.js";
import { type CellResult, contentsOf, printed, runCells } from "./kernel.js";

/** By title: a cell whose programs share the kernel's output, what it prints on standard output, and on standard error. */
const CELLS: Record<string, [code: string, stdout: string, stderr: string]> = {
  spawn: [
    'const child = spawn("sh", ["-c", "echo out; echo err >&2"], { stdio: "inherit" });\nawait new Promise((resolve) => child.on("close", resolve));\nconsole.log(child.stdout);',
    "out\nnull\n",
    "err\n",
  ],
  "spawn with numbers": [
    'const both = spawn("sh", ["-c", "echo out; echo err >&2"], { stdio: ["ignore", 2, process.stderr] });\nawait new Promise((resolve) => both.on("close", resolve));',
    "",
    "out\nerr\n",
  ],
  "spawn with pipes": [
    'const piped = spawn("echo", ["out"]);\nfor await (const part of piped.stdout) console.log("read", String(part).trim());',
    "read out\n",
    "",
  ],
  fork: [
    'writeFileSync(script, "console.log(1 + 1);");\nconst forked = fork(script);\nconsole.log(forked.connected);\nawait new Promise((resolve) => forked.on("close", resolve));\nconsole.log("end");',
    "true\n2\nend\n",
    "",
  ],
  spawnSync: [
    'const { status, stdout } = spawnSync("sh", ["-c", "echo out; exit 3"], { stdio: "inherit" });\nconsole.log(status, stdout);',
    "out\n3 null\n",
    "",
  ],
  execSync: [
    'console.log(execSync("echo out && echo err >&2", { stdio: "inherit" }));\nconsole.log(execSync("echo kept").toString());',
    "out\nnull\nkept\n\n",
    "err\n",
  ],
  "much output": [
    'execFileSync("head", ["-c", "3000000", "/dev/zero"], { stdio: ["ignore", "inherit", "inherit"] });',
    "\0".repeat(3_000_000),
    "",
  ],
  "a failure": [
    'try { execFileSync("sh", ["-c", "echo out; exit 2"], { stdio: "inherit" }); } catch (error) { console.log((error as { status: number }).status, (error as Error).message); }',
    "out\n2 Command failed: sh -c echo out; exit 2\n",
    "",
  ],
};

/** The same, of cells that write to the kernel's output themselves. */
const WRITES: typeof CELLS = {
  "in order": [
    'console.log("a"); writeSync(1, "b\\n"); console.log("c"); writeSync(process.stderr.fd, "d\\n");',
    "a\nb\nc\n",
    "d\n",
  ],
  "parts of a buffer, and lists": [
    'console.log(writeSync(1, Buffer.from("abc"), 1, 1), (writeSync as any)(1, Buffer.from("abc"), { offset: 2 }), writevSync(1, [Buffer.from("d"), new Uint8Array([101])]));',
    "bcde1 1 2\n",
    "",
  ],
  "text in other encodings": [
    'writeSync(1, "6869", null, "hex"); process.stdout.write("aGk=", "base64"); writeFileSync(1, "aGk=", "base64");',
    "hihihi",
    "",
  ],
  later: [
    'const written = await promisify(write)(1, Buffer.from("abc"), 1, 2, null);\nawait new Promise((resolve) => writev(2, [Buffer.from("d")], resolve));\nawait new Promise((resolve) => writeFile("/dev/stderr", "e", resolve));\nconsole.log(written.bytesWritten);',
    "bc2\n",
    "de",
  ],
  "as a file": [
    'writeFileSync(1, "a\\n"); appendFileSync(2, "b\\n"); writeFileSync("/dev/stdout", "c\\n");\nconst stream = createWriteStream("", { fd: 1, autoClose: false });\nawait new Promise<void>((resolve) => stream.end("d\\n", resolve));',
    "a\nc\nd\n",
    "b\n",
  ],
  "from another module": [
    `writeFileSync(module, 'import { writeSync } from "node:fs"; import { execSync } from "node:child_process"; writeSync(1, "a\\\\n"); execSync("echo b", { stdio: "inherit" });');\nrequire(module);`,
    "a\nb\n",
    "",
  ],
  "characters in pieces": [
    'const bytes = Buffer.from("é€");\nfor (const byte of bytes) process.stdout.write(Buffer.of(byte));\nfor (const byte of bytes) writeSync(1, Buffer.of(byte));',
    "é€é€",
    "",
  ],
};

/** By title: a value, and what `console.log` must print of it. */
const VALUES: Record<string, [code: string, text: RegExp]> = {
  "a chart": [
    'ferkit.classBalanceChart([{ split: "train", className: "cat", count: 1 }])',
    /^A chart "Images per class"\. To see it, make it the last line of a cell, or call show\.\n$/,
  ],
  "a data frame": [
    'await ferkit.dataFrame([{ class: "cat", images: 10 }])',
    /│ class +│ images [\s\S]*│ cat +│ 10 [\s\S]*\nA data frame of 1 × 2 values\. To see it, make it the last line of a cell, or call show\.\n$/,
  ],
  "a tensor": ["ferkit.tf.tensor1d([1, 2])", /^Tensor float32 \[2\]\n {4}\[1, 2\]\n$/],
  "a proxy that was revoked": [
    "(() => { const { proxy, revoke } = Proxy.revocable({}, {}); revoke(); return proxy; })()",
    /^<Revoked Proxy>\n$/,
  ],
  "an error": [
    'new Error("x", { cause: new Error("y") })',
    /^Error: x\n {4}at cell \d+, line 1:13 \{\n {2}\[cause\]: Error: y\n {6}at cell \d+, line 1:37\n\}\n$/,
  ],
  "another object": ["{ title: 1 }", /^\{ title: 1 \}\n$/],
  "text with a sign of formats": ['"100 %s", 5', /^100 5\n$/],
};

describe("a cell prints", function () {
  this.timeout(600_000);
  const folder = workspace("suite");
  const cells = [...Object.entries(CELLS), ...Object.entries(WRITES)];
  let results: CellResult[];

  before(async () => {
    const imports = [
      'import { execFileSync, execSync, fork, spawn, spawnSync } from "node:child_process";',
      'import { appendFileSync, createWriteStream, write, writeFile, writeFileSync, writeSync, writev, writevSync } from "node:fs";',
      'import { promisify } from "node:util";',
      'import * as ferkit from "ferkit";',
      `const script = ${JSON.stringify(folder.file("forked.cjs"))};`,
      `const module = ${JSON.stringify(folder.file("writes.mjs"))};`,
    ].join("\n");
    const logs = Object.values(VALUES).map(([code]) => `console.log(${code});`);
    results = await runCells("tslab", [imports, ...cells.map(([, [code]]) => code), ...logs]);
  });

  for (const [i, [title, [, stdout, stderr]]] of cells.entries())
    it(`what ${title in CELLS ? "a program prints that shares" : "it writes to"} the kernel's output: ${title}`, () => {
      const result = results[1 + i];
      assert.deepEqual(contentsOf(result, "error"), []);
      assert.ok(printed(result) === stdout, printed(result).slice(0, 1000));
      const errors = contentsOf(result, "stream").filter(({ name }) => name === "stderr");
      assert.equal(errors.map(({ text }) => text).join(""), stderr);
    });

  for (const [i, [title, [, text]]] of Object.entries(VALUES).entries())
    it(`a short text of ${title}`, () => assert.match(printed(results[1 + cells.length + i]), text));
});
