// Writes the reference of the public API: `npm run docs` writes docs/api, a page for each group of src/index.ts; with `--html`, pages
// with a search field. TypeDoc is installed into ferkit's cache, since nothing else needs it.
import { execFileSync } from "node:child_process";
import { createHash } from "node:crypto";
import { existsSync, mkdirSync, readdirSync, readFileSync, renameSync, rmSync, writeFileSync } from "node:fs";
import path from "node:path";
import { parseArgs } from "node:util";
import { InputError, internals } from "../src/index.js";

const TYPEDOC = "typedoc@0.28.20";
const MARKDOWN_PLUGIN = "typedoc-plugin-markdown@4.14.1";
/** Adds the types that signatures mention and that have no public name, such as those of options. */
const TYPES_PLUGIN = "typedoc-plugin-missing-exports@4.1.4";

const root = path.resolve(__dirname, "..");

/** A group of public names: a section of src/index.ts. */
export interface Group {
  /** The first word of its comment. */
  name: string;
  /** The rest of it. */
  about: string;
  /** Its exports, as written in src/index.ts. */
  exports: string;
}

/** Reads the groups of src/index.ts: each begins with a comment such as "// Data: images in class folders." */
export function readGroups(): Group[] {
  const text = readFileSync(path.join(root, "src/index.ts"), "utf8");
  const sections = [...text.matchAll(/^\/\/ (\w+): (.+)\n((?:(?!\/\/ ).*\n)+)/gm)];
  return sections.map(([, name, about, exports]) => {
    return { name, about: about[0].toUpperCase() + about.slice(1), exports };
  });
}

/**
 * Writes the reference into an empty or new folder.
 *
 * @param tools - What `installTypeDoc` returned.
 * @param format - `markdown`, to read in the repository, or `html`, to publish.
 */
export function writeReference(tools: string, out: string, format: "markdown" | "html"): void {
  // A file for each group, from which TypeDoc makes a page. Beside src, so that its imports resolve.
  const dir = path.join(root, ".ferkit", `reference-${process.pid}`);
  mkdirSync(dir, { recursive: true });
  try {
    const groups = readGroups();
    const files = groups.map(({ name, about, exports }) => {
      const file = path.join(dir, `${name.toLowerCase()}.ts`);
      writeFileSync(
        file,
        `/**\n * ${about}\n * @module ${name.toLowerCase()}\n */\n${exports.replaceAll('"./', '"../../src/')}`,
      );
      return file;
    });
    const config = path.join(dir, "tsconfig.json");
    const compilerOptions = { incremental: false, tsBuildInfoFile: null, types: ["node"] };
    writeFileSync(
      config,
      JSON.stringify({ extends: "../../tsconfig.json", compilerOptions, include: ["*.ts"] }),
    );
    const settings = path.join(dir, "typedoc.json");
    const isMarkdown = format === "markdown";
    const packages = path.join(tools, "node_modules");
    writeFileSync(
      settings,
      JSON.stringify({
        name: "ferkit",
        entryPoints: files,
        tsconfig: config,
        out,
        plugin: [
          path.join(packages, "typedoc-plugin-missing-exports/index.js"),
          ...(isMarkdown ? [path.join(packages, "typedoc-plugin-markdown/dist/index.js")] : []),
        ],
        readme: "none",
        skipErrorChecking: true, // the type check does that
        disableSources: true,
        disableGit: true,
        excludeExternals: true,
        excludePrivate: true,
        placeInternalsInOwningModule: true,
        validation: { notExported: false, invalidLink: true },
        groupOrder: ["Functions", "Classes", "Variables", "*"],
        sort: ["source-order"],
        treatWarningsAsErrors: true,
        logLevel: "Warn",
        ...(isMarkdown && MARKDOWN),
      }),
    );
    const program = path.join(packages, "typedoc/bin/typedoc");
    execFileSync(process.execPath, [program, "--options", settings], { cwd: root, stdio: "inherit" });
    if (isMarkdown) writeFileSync(path.join(out, "README.md"), contents(out, groups));
  } finally {
    rmSync(dir, { recursive: true, force: true });
  }
}

/** What the Markdown looks like. */
const MARKDOWN = {
  router: "module",
  hideBreadcrumbs: true,
  hidePageHeader: true,
  hideGroupHeadings: false,
  useCodeBlocks: true,
  expandObjects: true,
  useHTMLAnchors: true,
  anchorPrefix: "api-",
  pageTitleTemplates: { module: "{name}" },
  ...Object.fromEntries(
    ["parameters", "interfaceProperties", "classProperties", "typeAliasProperties", "propertyMembers"].map(
      (name) => [`${name}Format`, "table"],
    ),
  ),
  typeDeclarationFormat: "table",
  tableColumnSettings: { hideInherited: true, hideOverrides: true, hideModifiers: true },
};

/** Builds the first page: every public name, by group, with the first sentence about it. */
function contents(out: string, groups: Group[]): string {
  const lists = groups.map(({ name, about, exports }) => {
    const file = `${name.toLowerCase()}.md`;
    const names = namesOf(exports);
    const page = inOrder(readFileSync(path.join(out, file), "utf8").replace(/^# .+/, `# ${name}`), names);
    writeFileSync(path.join(out, file), `[Reference](README.md). ${EXAMPLES}\n\n${page}`);
    const rows = names.map((one) => {
      const { anchor, summary } = findSection(page, one);
      return `| [\`${one}\`](${file}#${anchor}) | ${summary} |`;
    });
    return `## [${name}](${file})\n\n${about}\n\n| name | |\n| --- | --- |\n${rows.join("\n")}\n`;
  });
  return `${INTRODUCTION}\n${lists.join("\n")}`;
}

const EXAMPLES =
  "The examples use images in `data/pets/CLASS/`, a run in `runs/pets` and a photograph `photo.jpg`: put yours there, or change the paths.";

const INTRODUCTION = `# Reference

Every name that \`import { … } from "ferkit"\` offers, by what it is for. Each has an example. ${EXAMPLES} Made by \`npm run docs\` from the docstrings in \`src\`.
`;

/** Returns the names that exports list, without types' keyword. */
export function namesOf(exports: string): string[] {
  return [...exports.matchAll(/\{([^}]*)\}/g)]
    .flatMap(([, names]) => names.split(","))
    .map((name) => name.replace(/^\s*type\b/, "").trim())
    .filter((name) => name !== "");
}

/** Returns the name that a heading such as `### NO\_AUGMENTATION` or `### train()` is for. */
function headedName(heading: string): string {
  return heading.replace(/^### /, "").replace("()", "").replaceAll("\\", "");
}

/** Puts the sections below each second heading of a page into the order of some names, and other sections after them. */
function inOrder(page: string, names: string[]): string {
  const rank = (section: string) => {
    const at = names.indexOf(headedName(section.match(/^### .+$/m)?.[0] ?? ""));
    return at < 0 ? names.length : at;
  };
  const [head, ...parts] = page.split(/^(?=## )/m);
  const sorted = parts.map((part) => {
    const [heading, ...lines] = part.split("\n");
    const sections = lines.join("\n").split("\n***\n");
    const texts = sections.sort((a, b) => rank(a) - rank(b)).map((section) => section.trim());
    return `${heading}\n\n${texts.join("\n\n***\n\n")}\n`;
  });
  return [head, ...sorted].join("\n").replace(/\n{3,}/g, "\n\n");
}

/** Finds the section of a name in a page: its anchor, and the first sentence about the name. */
function findSection(page: string, name: string): { anchor: string; summary: string } {
  const lines = page.split("\n");
  const start = lines.findIndex((line) => line.startsWith("### ") && headedName(line) === name);
  const [, anchor] = lines[start - 2]?.match(/^<a id="(.+)"><\/a>$/) ?? [];
  if (anchor === undefined) throw new Error(`The reference has no ${name}`);
  return { anchor, summary: firstSentence(lines.slice(start + 1)) };
}

/** Returns the first sentence of the text between a section's signature and its next heading. */
function firstSentence(lines: string[]): string {
  const end = lines.findIndex((line) => line.startsWith("#"));
  const text = lines
    .slice(0, end)
    .join("\n")
    .replace(/```[\s\S]*?```/g, "")
    .trim()
    .replaceAll("\n", " ");
  return text.match(/^.*?\.(?= |$)/)?.[0] ?? text;
}

/** Installs TypeDoc with the TypeScript of this clone into the cache, once, and returns its folder. */
export function installTypeDoc(): string {
  const { devDependencies } = JSON.parse(readFileSync(path.join(root, "package.json"), "utf8"));
  const versions = [TYPEDOC, MARKDOWN_PLUGIN, TYPES_PLUGIN, `typescript@${devDependencies.typescript}`];
  const key = createHash("sha256").update(versions.join()).digest("hex").slice(0, 8);
  const dir = path.join(internals.cacheDir(), `typedoc-${key}`);
  const stamp = path.join(dir, "complete");
  if (existsSync(stamp)) return dir;
  rmSync(dir, { recursive: true, force: true });
  mkdirSync(dir, { recursive: true });
  writeFileSync(path.join(dir, "package.json"), "{}");
  const options = ["--ignore-scripts", "--no-audit", "--no-fund", "--save-exact"];
  execFileSync("npm", ["install", ...options, ...versions], {
    cwd: dir,
    stdio: ["ignore", "ignore", "inherit"],
  });
  writeFileSync(stamp, "");
  return dir;
}

if (require.main === module) {
  const { values: flags } = parseArgs({ options: { html: { type: "boolean" }, out: { type: "string" } } });
  const out = path.resolve(flags.out ?? path.join(root, flags.html ? "out/api" : "docs/api"));
  if (flags.out !== undefined && existsSync(out) && readdirSync(out).length > 0)
    throw new InputError({
      expected: "a new or empty folder for --out",
      where: out,
      found: "other files",
      fix: "Choose another.",
    });
  const temporary = `${out}.${process.pid}.tmp`;
  writeReference(installTypeDoc(), temporary, flags.html ? "html" : "markdown");
  rmSync(out, { recursive: true, force: true });
  renameSync(temporary, out);
  console.log(`${out}: ${readdirSync(out).length} files`);
}
