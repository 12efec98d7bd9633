// What `npm pack` adds to the files of the clone: compiled copies, the lock file, which npm would leave out, and a digest of it all.
import {
  copyFileSync,
  existsSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  rmSync,
  statSync,
  writeFileSync,
} from "node:fs";
import path from "node:path";
import { javascriptOf } from "../compiled.cjs";
import { packed } from "../home.cjs";
import { digestOf } from "./context.cjs";
import { isPackageCurrent } from "./package-files.cjs";

const root = path.resolve(__dirname, "../..");

/** Lists the files of a file or folder, in an order that does not depend on the machine. */
function filesIn(name: string): string[] {
  const file = path.join(root, name);
  if (!existsSync(file)) return []; // npm passes over it too
  if (!statSync(file).isDirectory()) return [name];
  const names = readdirSync(file).filter((inside) => inside !== "__pycache__");
  return names.sort().flatMap((inside) => filesIn(path.join(name, inside)));
}

function preparePackage(): void {
  if (!isPackageCurrent(root)) throw new Error("The declarations are not those of src. Run: npm run setup");
  rmSync(path.join(root, packed.compiled), { recursive: true, force: true });
  for (const name of [...filesIn("src"), ...filesIn("scripts")].filter((file) => file.endsWith(".ts"))) {
    const copy = path.join(root, packed.compiled, name.replace(/ts$/, "js"));
    mkdirSync(path.dirname(copy), { recursive: true });
    writeFileSync(copy, javascriptOf(path.join(root, name)));
  }
  copyFileSync(path.join(root, "package-lock.json"), path.join(root, packed.lock));
  rmSync(path.join(root, packed.digest), { force: true });
  const { files } = JSON.parse(readFileSync(path.join(root, "package.json"), "utf8")) as { files: string[] };
  const all = [...files.filter((name) => !name.startsWith("!")).flatMap(filesIn), "package.json"];
  const digest = digestOf(all.flatMap((name) => [name, { file: path.join(root, name) }]));
  writeFileSync(path.join(root, packed.digest), digest);
}

preparePackage();
