import assert from "node:assert/strict";
import { execFileSync } from "node:child_process";
import { projectDir, readProjectFile } from "./source-files.js";

/** Idioms that the style guide replaces, each with today's word. */
const IDIOMS: [idiom: RegExp, say: string][] = [
  [/\banew\b/i, "again, from scratch"],
  [/\b(go|goes|going|went|gone) on\b/i, "resume, continue"],
  [/\b(mend|mends|mended|mending)\b/i, "fix"],
  [/\bunless (it is |you are |one is )?told\b/i, "otherwise, by default"],
  [/\b(is|are|was|be) told of\b|^\s*(\*|\/\*\*)?\s*Told of\b/i, "notify, called with"],
  [/\b(whoever|whosoever)\b/i, "anyone who"],
  [/\b(lies|stands|lie|stand) (in|at|on|beside|below|above|under|between|there|twice|as)\b/i, "is in, is at"],
  [/\bshall\b/i, "must, will"],
  [/\bwhere there (is|are) (none|no|nothing)\b/i, "if there is none"],
  [/\bso many\b/i, "as many, up to"],
  [/\bgreatest\b/i, "largest"],
  [/(?<!\bat )(?<!\bAt )\bleast\b/i, "smallest"],
  [/\bsurest\b/i, "most confident"],
  [/\bnear-identical\b/i, "near-duplicate"],
  [/\bspeaks? for\b/i, "saliency"],
  [/\bin the box\b/i, "bundled"],
  [/\bnot? longer than needs be\b/i, "as short as possible"],
  [/\bby way of\b/i, "through, with"],
  [/\bof old\b/i, "earlier"],
  [/\bseed recipe\b/i, "preset baseline"],
];

/** A docstring that begins with a fragment. */
const FRAGMENT = /\/\*\*\s*\n?\s*\*?\s*Of\b/;

/** Places that need an idiom's words: `path: text of the line`. Keep this list short. */
const EXCEPTIONS: [path: RegExp, line: RegExp][] = [
  [/^test\/plain-english\.test\.ts$/, /./],
  [/^CONTRIBUTING\.md$/, /^\| .* \| .* \|$/], // the glossary names the words that it replaces
  [/^LICENSE$/, /./],
];

const PROSE = /\.(ts|mts|mjs|cjs|py|h|cc|md|ipynb|yml|sh|toml)$/;

function projectFiles(): string[] {
  return execFileSync("git", ["ls-files"], { cwd: projectDir, encoding: "utf8" })
    .split("\n")
    .filter((file) => PROSE.test(file));
}

function offences(file: string): string[] {
  const lines = readProjectFile(file).split("\n");
  return lines.flatMap((line, i) => {
    if (EXCEPTIONS.some(([path, text]) => path.test(file) && text.test(line))) return [];
    const found = IDIOMS.filter(([idiom]) => idiom.test(line));
    return found.map(([idiom, say]) => `${file}:${i + 1} ${idiom.exec(line)?.[0].trim()} → ${say}`);
  });
}

describe("the project's English", () => {
  it("uses today's words", () => {
    assert.deepEqual(projectFiles().flatMap(offences), []);
  });

  it("begins no docstring with a fragment", () => {
    const fragments = projectFiles().filter((file) => FRAGMENT.test(readProjectFile(file)));
    assert.deepEqual(fragments, []);
  });
});
