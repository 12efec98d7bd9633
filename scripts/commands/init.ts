// Starts a project of one's own: the notebooks, a test and a workflow, for images in its folder data.
import { existsSync, readdirSync, statSync } from "node:fs";
import { cp, mkdir, readFile, rename, rm, writeFile } from "node:fs/promises";
import path from "node:path";
import type { Command } from "commander";
import { InputError, internals } from "../../src/index.js";
import { callerPath, withExamples } from "../options.js";
import { checkFolderAbove } from "../outputs.js";

const root = path.resolve(__dirname, "../..");
/** What is read of a package.json. */
type Manifest = Partial<Record<"dependencies" | "devDependencies", Record<string, string>>>;

const TEMPLATE = path.join(root, "examples/project");
const NOTEBOOKS = path.join(root, "notebooks");

export function addInitCommand(program: Command): void {
  withExamples(program.command("init"), "npx ferkit init pets", "npx ferkit init pets --data ../photographs")
    .argument("<folder>", "a new or empty folder")
    .option("--data <source>", "synthetic, fer2013, or where the images are (default: data in the project)")
    .action(async (folder: string, flags: { data?: string }) => {
      const project = callerPath(folder);
      const data = flags.data === undefined ? "data" : sourceFrom(project, flags.data);
      await writeProject(project, data, ferkitFrom(project));
      const cd = path.relative(callerPath("."), project) || ".";
      const isEmpty = flags.data === undefined || hasNoFile(path.resolve(project, data));
      const images = isEmpty ? `Put images into ${path.join(cd, data)}/CLASS/. ` : "";
      console.log(`${project} is a project. ${images}Then run: cd ${quoted(cd)} && npm start`);
    });
}

/** Returns whether a path is a folder that holds no file at any depth. */
function hasNoFile(source: string): boolean {
  return existsSync(source) && statSync(source).isDirectory() && internals.imagesIn(source).files.found === 0;
}

/** Quotes what a shell would split or act on. */
function quoted(word: string): string {
  return /^[\w./-]+$/.test(word) ? word : `'${word.replaceAll("'", "'\\''")}'`;
}

/** Returns what the project calls its images: a source of ferkit's own, or a path from the project. */
function sourceFrom(project: string, data: string): string {
  if (Object.hasOwn(internals.OWN_SOURCES, data)) return data;
  const source = callerPath(data);
  if (existsSync(source)) return path.relative(project, source);
  throw new InputError({
    expected: "images for --data",
    where: source,
    found: "no such path",
    fix: "Fix --data.",
  });
}

/** Returns the dependency that gives the project this ferkit: as the folder around has it, or its clone. */
function ferkitFrom(project: string): string {
  const file = (target: string) => `file:${path.relative(project, target)}`;
  const { FERKIT_PACKAGE } = process.env;
  if (FERKIT_PACKAGE === undefined) return file(root);
  const owner = path.dirname(path.dirname(FERKIT_PACKAGE));
  const manifest = path.join(owner, "package.json");
  const found: Manifest = existsSync(manifest) ? require(manifest) : {};
  const { version } = require(path.join(root, "package.json"));
  const spec = found.dependencies?.ferkit ?? found.devDependencies?.ferkit ?? version;
  return spec.startsWith("file:") ? file(path.resolve(owner, spec.slice("file:".length))) : spec;
}

/**
 * Writes a project that is whole or not there.
 *
 * @param data - What the notebooks and the test load by default.
 * @param ferkit - The project's dependency.
 * @throws InputError if the folder holds something, or cannot be made since a file is above it.
 */
async function writeProject(project: string, data: string, ferkit: string): Promise<void> {
  checkFolderAbove("a project", project);
  const isFile = existsSync(project) && !statSync(project).isDirectory();
  if (isFile || (existsSync(project) && readdirSync(project).length > 0))
    throw new InputError({
      expected: "a new or empty folder",
      where: project,
      found: isFile ? "a file" : "files in it",
      fix: "Choose another folder.",
    });
  const temporary = `${project}.${process.pid}.tmp`;
  try {
    internals.makeFolder(path.dirname(project));
    await cp(TEMPLATE, temporary, { recursive: true });
    await rename(path.join(temporary, "gitignore"), path.join(temporary, ".gitignore"));
    await mkdir(path.join(temporary, ".github"));
    await rename(path.join(temporary, "workflows"), path.join(temporary, ".github/workflows"));
    const name = packageName(path.basename(project));
    await replaceIn(path.join(temporary, "README.md"), [["# NAME", `# ${path.basename(project)}`]]);
    await replaceIn(path.join(temporary, "package.json"), [
      ['"NAME"', JSON.stringify(name)],
      ['"FERKIT"', JSON.stringify(ferkit)],
    ]);
    const [was, is] = ['data = "data";', `data = ${JSON.stringify(data)};`];
    await replaceIn(path.join(temporary, "test/images.test.mjs"), [[was, is]]);
    await mkdir(path.join(temporary, "notebooks"));
    for (const name of readdirSync(NOTEBOOKS).filter((file) => /\.(ipynb|jpg)$/.test(file))) {
      const write = name.endsWith(".jpg") ? cp : writeNotebook(data);
      await write(path.join(NOTEBOOKS, name), path.join(temporary, "notebooks", name));
    }
    await rm(project, { recursive: true, force: true }); // empty
    await rename(temporary, project);
  } finally {
    await rm(temporary, { recursive: true, force: true });
  }
}

/** Returns a name that npm takes. */
function packageName(folder: string): string {
  return (
    folder
      .toLowerCase()
      .replace(/[^a-z0-9-]+/g, "-")
      .replace(/^-+|-+$/g, "") || "images"
  );
}

async function replaceIn(file: string, changes: [string, string][]): Promise<void> {
  let text = await readFile(file, "utf8");
  for (const [was, is] of changes) {
    if (!text.includes(was)) throw new Error(`${file} has no ${was}`);
    text = text.replaceAll(was, () => is);
  }
  await writeFile(file, text);
}

/** Returns what writes a notebook of the tutorial so that it loads the project's images. */
function writeNotebook(data: string): (source: string, target: string) => Promise<void> {
  return async (source, target) => {
    const notebook = JSON.parse(await readFile(source, "utf8")) as { cells: { source: string[] }[] };
    for (const cell of notebook.cells)
      cell.source = cell.source.map((line) =>
        line
          .replace(/\[([^\]]+)\]\(\.\.\/(docs\/[^)]+)\)/g, "$1 (ferkit's $2)")
          .replace(/^let data = "synthetic";/, () => `let data = ${JSON.stringify(data)};`),
      );
    await writeFile(target, `${JSON.stringify(notebook, null, 1)}\n`);
  };
}
