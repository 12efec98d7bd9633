// Changes the pure modules in small ways, and counts the changes that their tests notice: `npm run test:mutation`. Stryker, which
// does that, is installed into ferkit's cache, since nothing else needs it. Survivors are explained in README.md beside this file.
import { execFileSync, spawnSync } from "node:child_process";
import { existsSync, mkdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import path from "node:path";
import { parseArgs } from "node:util";
import { internals } from "../../src/index.js";
import { projectDir } from "../workspace.js";

const VERSIONS = ["@stryker-mutator/core@9.6.1", "@stryker-mutator/mocha-runner@9.6.1", "mocha@11.7.5"];
/** Share of changes that the tests of a module must notice. */
const MIN_SCORE = 0.8;
/** Modules of src with the tests that are for them. */
const MODULES: Record<string, string[]> = {
  "metrics/classification": ["metrics/classification", "properties/metrics"],
  "metrics/calibration": ["metrics/calibration", "properties/metrics"],
  "metrics/bootstrap": ["metrics/bootstrap", "properties/metrics"],
  "training/schedule": ["training/schedule", "properties/schedule"],
  "data/split": ["data/split", "properties/split"],
  random: ["random"],
};
const { values: flags } = parseArgs({
  options: { only: { type: "string", default: Object.keys(MODULES).join(",") } },
});

interface Mutant {
  status: string;
  mutatorName: string;
  replacement?: string;
  location: { start: { line: number } };
}

function install(): string {
  const dir = path.join(internals.cacheDir(), "test-stryker-9.6.1");
  const stamp = path.join(dir, "complete");
  if (existsSync(stamp)) return dir;
  rmSync(dir, { recursive: true, force: true });
  mkdirSync(dir, { recursive: true });
  writeFileSync(path.join(dir, "package.json"), "{}");
  const args = ["install", "--ignore-scripts", "--no-audit", "--no-fund", "--save-exact", ...VERSIONS];
  execFileSync("npm", args, { cwd: dir, stdio: "inherit" });
  writeFileSync(stamp, "");
  return dir;
}

/** Returns the mutants of a module. */
function mutate(name: string, tool: string): Mutant[] {
  const out = path.join(projectDir, "out/mutation", name.replace("/", "-"));
  mkdirSync(out, { recursive: true });
  const report = path.join(out, "report.json");
  const mocha = path.join(out, "mocharc.json");
  writeFileSync(mocha, JSON.stringify({ require: [require.resolve("tsx/cjs")], timeout: 60_000 }));
  const settings = {
    mutate: [`src/${name}.ts`],
    plugins: [path.join(tool, "node_modules/@stryker-mutator/mocha-runner/dist/src/index.js")],
    testRunner: "mocha",
    mochaOptions: { spec: MODULES[name].map((test) => `test/${test}.test.ts`), config: mocha },
    coverageAnalysis: "perTest",
    reporters: ["json"],
    jsonReporter: { fileName: report },
    tempDirName: path.join(out, "sandbox"),
    ignorePatterns: ["**", "!src/**/*", "!test/**/*", "!scripts/**/*", "!*.json"],
    tsconfigFile: "none", // tsx needs no changed paths
    concurrency: 1,
    timeoutMS: 60_000,
    disableTypeChecks: false,
    allowConsoleColors: false,
    checkers: [],
  };
  const file = path.join(out, "stryker.config.json");
  writeFileSync(file, JSON.stringify(settings));
  const program = path.join(tool, "node_modules/@stryker-mutator/core/bin/stryker.js");
  const { status } = spawnSync(process.execPath, [program, "run", file], {
    cwd: projectDir,
    stdio: ["ignore", "ignore", "inherit"],
  });
  if (status !== 0) throw new Error(`Stryker ends with ${status}`);
  const { files } = JSON.parse(readFileSync(report, "utf8")) as {
    files: Record<string, { mutants: Mutant[] }>;
  };
  return Object.values(files).flatMap(({ mutants }) => mutants);
}

function main(): void {
  const tool = install();
  const rows: string[][] = [];
  let isGood = true;
  for (const name of flags.only.split(",")) {
    const mutants = mutate(name, tool).filter(
      ({ status }) => status !== "Ignored" && status !== "CompileError",
    );
    const survivors = mutants.filter(({ status }) => status === "Survived" || status === "NoCoverage");
    const noticed = mutants.length - survivors.length;
    for (const { location, mutatorName, replacement = "" } of survivors)
      console.log(`src/${name}.ts:${location.start.line} ${mutatorName}: ${replacement.split("\n")[0]}`);
    const score = noticed / mutants.length;
    isGood &&= score >= MIN_SCORE;
    rows.push([name, ...[mutants.length, noticed, survivors.length].map(String), internals.percent(score)]);
  }
  const heading = ["module", "changes", "noticed", "survivors", "score"];
  console.log(internals.textTable({ heading, rows, isNumeric: heading.map((_, i) => i > 0) }));
  if (!isGood) process.exitCode = 1;
}

main();
