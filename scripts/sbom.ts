// Lists everything that ferkit is made of, with its licence: a CycloneDX bill of materials, and a table to read. Packages of npm
// come from package-lock.json, those of Python from requirements.txt, and what set-up unpacks from pins.json.
import { existsSync, mkdirSync, readdirSync, readFileSync, writeFileSync } from "node:fs";
import path from "node:path";
import pins from "./setup/pins.json";

const root = path.join(__dirname, "..");
const UNKNOWN = "unknown";

interface License {
  license?: { id?: string; name?: string };
  expression?: string;
}

interface Component {
  type: "library" | "machine-learning-model";
  name: string;
  version: string;
  purl: string;
  licenses: License[];
  hashes?: { alg: string; content: string }[];
}

interface Bom {
  bomFormat: "CycloneDX";
  specVersion: string;
  /** Version of this bill. */
  version: number;
  metadata: { component: { type: "application"; name: string; version: string; purl: string } };
  components: Component[];
}

/** What package-lock.json says of each package, by its folder. */
interface Lock {
  packages: Record<string, { version: string; link?: boolean; license?: string; integrity?: string }>;
}

/** Licences that are in a package's text, not in its package.json. */
const STATED: Record<string, string> = { "typed-function": "MIT" };

/** Makes the bill of materials; packages of Python that are not installed have no licence in it. */
export function buildBom(): Bom {
  const { name, version } = JSON.parse(readFileSync(path.join(root, "package.json"), "utf8"));
  return {
    bomFormat: "CycloneDX",
    specVersion: "1.5",
    version: 1,
    metadata: { component: { type: "application", name, version, purl: `pkg:npm/${name}@${version}` } },
    components: [...npmComponents(), ...pythonComponents(), ...unpackedComponents()],
  };
}

/** Reads the packages that set-up installs; each version of a package is listed once. */
function npmComponents(): Component[] {
  const { packages } = JSON.parse(readFileSync(path.join(root, "package-lock.json"), "utf8")) as Lock;
  const components = new Map<string, Component>();
  for (const [at, { version, link, license, integrity = "" }] of Object.entries(packages)) {
    const name = at.split("node_modules/").at(-1) ?? "";
    if (link || name === at) continue;
    const purl = `pkg:npm/${name.replace("@", "%40")}@${version}`;
    const [, sha512] = /^sha512-(.*)$/.exec(integrity) ?? [];
    const hashes = sha512 && [{ alg: "SHA-512", content: Buffer.from(sha512, "base64").toString("hex") }];
    const licenses = licensesOf(license ?? STATED[name] ?? UNKNOWN);
    components.set(purl, { type: "library", name, version, purl, licenses, ...(hashes && { hashes }) });
  }
  return [...components.values()];
}

/** Reads the pinned packages of Python: those that are installed, or where none is, those of all its versions. */
function pythonComponents(): Component[] {
  const installed = licensesInVenv();
  const lines = readFileSync(path.join(root, "requirements.txt"), "utf8").split("\n");
  return lines.flatMap((line): Component[] => {
    const [, name, version] = /^([\w.-]+)==([\w.+!]+)/.exec(line) ?? [];
    if (name === undefined) return [];
    const license = installed.get(`${normalized(name)}@${version}`);
    if (installed.size > 0 && license === undefined) return []; // for another version of Python
    const licenses = licensesOf(license ?? UNKNOWN);
    return [{ type: "library", name, version, purl: `pkg:pypi/${normalized(name)}@${version}`, licenses }];
  });
}

/** What set-up takes from pinned wheels. */
function unpackedComponents(): Component[] {
  const wheels = [
    ...Object.values(pins.libtensorflow).flatMap((platform) => Object.values(platform)),
    ...Object.values(pins.weights),
  ];
  return wheels.map(({ package: name, version, sha256 }) => ({
    type: name.startsWith("tensorflow") ? "library" : "machine-learning-model",
    name,
    version,
    purl: `pkg:pypi/${normalized(name)}@${version}`,
    licenses: licensesOf("Apache-2.0"),
    hashes: [{ alg: "SHA-256", content: sha256 }],
  }));
}

/** The form that PyPI compares names in (PEP 503). */
function normalized(name: string): string {
  return name.toLowerCase().replace(/[-_.]+/g, "-");
}

/** Reads what the installed packages of Python say about their licences. */
function licensesInVenv(): Map<string, string> {
  const lib = path.join(root, ".venv/lib");
  const found = new Map<string, string>();
  for (const python of existsSync(lib) ? readdirSync(lib) : []) {
    const dir = path.join(lib, python, "site-packages");
    const names = readdirSync(dir).filter((name) => name.endsWith(".dist-info"));
    for (const name of names) {
      const file = path.join(dir, name, "METADATA");
      if (!existsSync(file)) continue;
      const [header] = readFileSync(file, "utf8").split(/\r?\n\r?\n/, 1);
      const field = (title: string) => new RegExp(`^${title}: (.*)$`, "m").exec(header)?.[1]?.trim();
      const classifier = /^Classifier: License :: (?:OSI Approved :: )?(.*)$/m.exec(header)?.[1];
      const short = field("License")?.match(/^[\w .,()-]{1,40}$/)?.[0];
      const license = field("License-Expression") ?? (short === "UNKNOWN" ? undefined : short) ?? classifier;
      found.set(`${normalized(field("Name") ?? "")}@${field("Version")}`, license ?? UNKNOWN);
    }
  }
  return found;
}

/** Names that packages use for licences of SPDX's list. */
const SPDX: Record<string, string> = {
  "3-Clause BSD License": "BSD-3-Clause",
  "Apache Software License": "Apache-2.0",
  "Apache License 2.0": "Apache-2.0",
  "BSD 3-Clause License": "BSD-3-Clause",
  "BSD-3-Clause License": "BSD-3-Clause",
  "ISC License (ISCL)": "ISC",
  "MIT License": "MIT",
  "MIT license": "MIT",
  PSFL: "PSF-2.0",
};

function licensesOf(name: string): License[] {
  if (/ (AND|OR) /.test(name)) return [{ expression: name }];
  const id = SPDX[name] ?? name;
  return [{ license: /^[A-Za-z]+(-[\w.]+)+$|^(MIT|ISC|0BSD|Unlicense)$/.test(id) ? { id } : { name: id } }];
}

/** Returns a component's licence in one word or expression. */
export function licenseOf({ licenses = [] }: Component): string {
  const names = licenses.map(
    ({ license, expression }) => expression ?? license?.id ?? license?.name ?? UNKNOWN,
  );
  return names.join(" AND ") || UNKNOWN;
}

function licenseTable({ components }: Bom): string {
  const counts = new Map<string, number>();
  for (const one of components) counts.set(licenseOf(one), (counts.get(licenseOf(one)) ?? 0) + 1);
  const row = (...cells: (string | number)[]) => `| ${cells.join(" | ")} |`;
  return [
    "# Licences",
    "",
    row("licence", "packages"),
    row("---", "---:"),
    ...[...counts].sort(([, a], [, b]) => b - a).map((cells) => row(...cells)),
    "",
    row("package", "version", "licence"),
    row("---", "---", "---"),
    ...components.map((one) => row(one.purl.replace(/@[^@]*$/, ""), one.version, licenseOf(one))),
    "",
  ].join("\n");
}

function main(): void {
  const out = path.join(root, "out");
  const bom = buildBom();
  mkdirSync(out, { recursive: true });
  const files = { "sbom.cdx.json": `${JSON.stringify(bom, null, 2)}\n`, "licences.md": licenseTable(bom) };
  for (const [name, content] of Object.entries(files)) {
    writeFileSync(path.join(out, name), content);
    console.log(path.join(out, name));
  }
}

if (require.main === module) main();
