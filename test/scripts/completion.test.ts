import assert from "node:assert/strict";
import { spawnSync } from "node:child_process";
import { writeFileSync } from "node:fs";
import { workspace } from "../workspace.js";

describe("ferkit completion", () => {
  const folder = workspace("suite");

  before("prints the scripts", async () => {
    for (const shell of ["bash", "zsh", "fish"]) {
      const { status, stdout } = await folder.ferkit("completion", shell);
      assert.equal(status, 0);
      writeFileSync(folder.file(shell), stdout);
    }
  });

  /** Returns what bash completes the last word to. */
  function complete(...words: string[]): string[] {
    const script = `source "$1"; shift; COMP_WORDS=("$@"); COMP_CWORD=$(($# - 1)); _ferkit; printf '%s\\n' "\${COMPREPLY[@]}"`;
    const { stdout, stderr } = spawnSync("bash", ["-c", script, "bash", folder.file("bash"), ...words], {
      encoding: "utf8",
    });
    assert.equal(stderr, "");
    return stdout.trim().split("\n");
  }

  const cases: [string[], string[]][] = [
    [["ferkit", "tr"], ["train"]],
    [["npx", "ferkit", "ru"], ["runs"]],
    [["npx", "other", "ru"], [""]],
    [
      ["ferkit", "train", "--dr"],
      ["--drop-duplicates", "--drop-leaked"],
    ],
    [
      ["ferkit", "train", "--split", "off"],
      ["official", "official-test"],
    ],
    [["npx", "ferkit", "train", "--set", "epo"], ["epochs="]],
    [
      ["ferkit", "convert", "x", "--precision", ""],
      ["float32", "float16", "uint8"],
    ],
    [["ferkit", "train", "--data", "im"], [""]], // files are left to the shell
  ];
  for (const [words, expected] of cases)
    it(`completes ${words.join(" ")}`, () => {
      assert.deepEqual(complete(...words), expected);
    });

  it("has scripts for zsh and fish too", async () => {
    const { readFileSync } = await import("node:fs");
    assert.match(readFileSync(folder.file("zsh"), "utf8"), /bashcompinit/);
    const fish = readFileSync(folder.file("fish"), "utf8");
    assert.match(fish, /^complete -c ferkit -n '__fish_seen_subcommand_from train' -l preset -r -d '/m);
    assert.match(
      fish,
      /^complete -c npx -n '__fish_seen_subcommand_from ferkit; and not .*' -a predict -d '/m,
    );
  });

  it("refuses another shell", async () => {
    const { status, stderr } = await folder.ferkit("completion", "csh");
    assert.deepEqual(
      [status, stderr],
      [1, "ferkit: Expected bash, zsh or fish but found csh. Choose one of these shells.\n"],
    );
    const none = await folder.ferkit("completion");
    assert.deepEqual(
      [none.status, none.stderr],
      [1, "ferkit: Expected bash, zsh or fish but found no shell. Choose one of these shells.\n"],
    );
  });
});
