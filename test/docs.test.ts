import assert from "node:assert/strict";
import { execFileSync } from "node:child_process";
import { existsSync, readFileSync } from "node:fs";
import path from "node:path";
import { Command } from "commander";
import { COMMANDS } from "../scripts/cli.js";
import { settingNames } from "../scripts/run-config.js";
import { linksOf, projectDir, readProjectFile, withoutCode } from "./source-files.js";

const pages = execFileSync("git", ["ls-files", "*.md"], { cwd: projectDir, encoding: "utf8" })
  .split("\n")
  .filter((file) => file !== "" && !file.startsWith("test/"));
const { scripts } = JSON.parse(readProjectFile("package.json")) as { scripts: Record<string, string> };

/** Returns the anchors of a page: those of its headings, as GitHub makes them, and those that it names itself. */
function anchorsOf(text: string): Set<string> {
  const anchors = new Set([...text.matchAll(/<a id="([^"]+)">/g)].map(([, id]) => id));
  const seen = new Map<string, number>();
  for (const [, title] of withoutCode(text).matchAll(/^#+ (.+)$/gm)) {
    const plain = title.replace(/\[([^\]]*)\]\([^)]*\)/g, "$1").toLowerCase();
    const slug = plain.replace(/[^\p{L}\p{N}_\- ]/gu, "").replaceAll(" ", "-");
    const count = seen.get(slug) ?? 0;
    seen.set(slug, count + 1);
    anchors.add(count === 0 ? slug : `${slug}-${count}`);
  }
  return anchors;
}

/** Returns the commands in a page's code that start with one of the programs, without comments. */
function commandsOf(text: string): string[] {
  const fenced = [...text.matchAll(/^```(\w*)\n([\s\S]*?)^```/gm)].flatMap(([, language, code]) =>
    ["", "sh"].includes(language) ? code.replaceAll("\\\n", " ").split("\n") : [],
  );
  const inline = [...withoutCode(text).matchAll(/`([^`]+)`/g)].map(([, code]) => code.replaceAll("\n", " "));
  return [...fenced, ...inline]
    .map((line) => line.replace(/\s#\s.*$/, "").trim())
    .filter((line) => /^(npx ferkit|npx tsx|npx mocha|npm (run|start|test))\b/.test(line));
}

/** Returns what is wrong with the names in a command, if anything. */
function problemOf(line: string): string | null {
  const words = line.split(/\s+/);
  const options = words
    .filter((word) => word.startsWith("--") && word !== "--")
    .map((word) => word.split("=")[0]);
  if (words[1] === "mocha" || words[1] === "tsx")
    return !words[2].includes("/") || existsSync(path.join(projectDir, words[2])) ? null : "no such file";
  if (words[1] === "ferkit")
    return words[2] === undefined || words[2].startsWith("-") ? null : ofFerkit(words[2], line, options);
  const name = words[1] === "run" ? words[2] : words[1];
  if (!Object.hasOwn(scripts, name)) return "no such script";
  const [, program, command] = scripts[name].match(/(?:node|tsx) (\S+\.(?:ts|mjs|cjs))(?: (\w+))?/) ?? [];
  if (command !== undefined) return ofFerkit(command, line, options);
  if (program === undefined) return null;
  const source = readFileSync(path.join(projectDir, program), "utf8");
  const isKnown = (option: string) =>
    new RegExp(`(--|["' ])${option.slice(2)}\\b|\\b${camelCase(option)}\\b`).test(source);
  return options.find((option) => option !== "--help" && !isKnown(option)) ?? null;
}

function camelCase(option: string): string {
  return option.slice(2).replace(/-(\w)/g, (_, letter: string) => letter.toUpperCase());
}

function ofFerkit(name: string, line: string, options: string[]): string | null {
  if (/^[A-Z…]/.test(name)) return null;
  if (!Object.hasOwn(COMMANDS, name)) return "no such command";
  if (name === "lab" || name === "setup") return null; // JupyterLab's options; set-up's are another program's
  const program = new Command();
  COMMANDS[name].load()(program);
  const known = program.commands.flatMap((command) => command.options.map(({ long }) => long));
  const unknown = options.find((option) => ![...known, "--help"].includes(option));
  if (unknown !== undefined) return unknown;
  const settings =
    name === "train" ? [...line.matchAll(/--set '?([\w.]+)=/g)].map(([, setting]) => setting) : [];
  return settings.find((setting) => !settingNames().includes(setting)) ?? null;
}

describe("the documentation", () => {
  it("links to pages and sections that are there", () => {
    const broken = pages.flatMap((page) => {
      return linksOf(readProjectFile(page))
        .filter((link) => {
          const [file, anchor] = link.split("#");
          const target = file === "" ? page : path.join(path.dirname(page), decodeURI(file));
          if (!existsSync(path.join(projectDir, target))) return true;
          return (
            anchor !== undefined && target.endsWith(".md") && !anchorsOf(readProjectFile(target)).has(anchor)
          );
        })
        .map((link) => `${page}: ${link}`);
    });
    assert.deepEqual(broken, []);
  });

  it("has commands, options and settings that are there", () => {
    const numCommands = pages.map((page) => commandsOf(readProjectFile(page)).length);
    assert.ok(numCommands.reduce((sum, count) => sum + count, 0) > 100);
    const wrong = pages
      .filter((page) => page !== "CHANGELOG.md")
      .flatMap((page) =>
        commandsOf(readProjectFile(page)).flatMap((line) => {
          const problem = problemOf(line);
          return problem === null ? [] : [`${page}: ${line} (${problem})`];
        }),
      );
    assert.deepEqual(wrong, []);
  });

  it("plans a cluster by the rates that were measured", () => {
    const [speed, cluster] = ["speed", "cluster"].map((name) => readProjectFile(`docs/${name}.md`));
    const cell = (workload: string, column: number) => {
      const row = speed.split("\n").find((line) => line.startsWith(`| ${workload} `)) ?? "";
      return Number(row.split("|")[column + 1]);
    };
    const [, images, seconds] = /^- ([\d,]+) JPEG files of 48 px: decoded in ([\d.]+) s/m.exec(speed) ?? [];
    const rates = [
      cell("train lite0, 48 px, batch 32", 2), // loading and augmenting
      cell("train lite0, 96 px, batch 32", 1),
      cell("infer lite0, 48 px, batch 32", 1),
      Math.round(Number(images.replace(",", "")) / Number(seconds)),
    ];
    const found =
      /augmentation ([\d,]+), at 96 pixels without them ([\d,]+), inference at 48 pixels ([\d,]+), decoding of 48-pixel files ([\d,]+)\./;
    const [, ...stated] = found.exec(cluster.replaceAll("\n", " ")) ?? [];
    assert.deepEqual(
      stated,
      rates.map((rate) => rate.toLocaleString("en-US")),
    );
    for (const [row, rate] of [
      ["training, a trial at 48 pixels", rates[0]],
      ["validation, a trial", rates[2]],
      ["training, a trial at 96 pixels", rates[1]],
    ] as const) {
      const line = cluster.split("\n").find((one) => one.startsWith(`| ${row} `)) ?? "";
      const [, numImages, by, result] = /20 × ([\d,]+) \/ ([\d,]+) = ([\d,]+) s/.exec(line) ?? [];
      const number = (text: string) => Number(text.replaceAll(",", ""));
      assert.equal(number(by), rate, row);
      assert.ok(Math.abs((20 * number(numImages)) / rate - number(result)) < 2, row);
    }
  });
});
