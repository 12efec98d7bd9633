import assert from "node:assert/strict";
import { mkdirSync, renameSync, writeFileSync } from "node:fs";
import { saveModel } from "../../src/model/weights/model-folder.js";
import { randomNetwork } from "../model/fixtures.js";
import { drawClassFolders, workspace } from "../workspace.js";

/** Clears the screen, retitles the window, begins a line, reorders text; the last is a control character of two bytes. */
const HOSTILE = "a\u001b[2J\u001b]0;x\u0007\rb\u202e\u009b31m";
const SHOWN = "a\\u001b[2J\\u001b]0;x\\u0007\\u000db\\u202e\\u009b31m";

describe("ferkit with terminal escapes in names", function () {
  this.timeout(600_000);
  const folder = workspace("suite");
  const control = /[^\P{Cc}\n\t]|\u202e/u;

  before("makes a class, an image and a run of such names", async () => {
    await drawClassFolders(folder.file("images"), 3);
    renameSync(folder.file("images/disc"), folder.file("images", HOSTILE));
    renameSync(folder.file("images/square/0.png"), folder.file("images/square", `${HOSTILE}\n.png`));
    writeFileSync(folder.file("images/square/odd.png"), "not an image");
    renameSync(folder.file("images/square/odd.png"), folder.file("images/square", `${HOSTILE}odd.png`));
    mkdirSync(folder.file("runs", HOSTILE), { recursive: true });
    writeFileSync(folder.file("runs", HOSTILE, "config.json"), "{");
  });

  const cases: [string, string[]][] = [
    ["data", ["data", "--data", "images", "--max-unreadable-share", "0.5"]],
    ["predict", ["predict", "images", "--no-faces"]],
    ["runs", ["runs", "runs"]],
    ["an error", ["data", "--data", HOSTILE]],
    ["an unknown option", ["data", `--${HOSTILE}`]],
    ["a value out of range", ["train", "--preset", HOSTILE]],
  ];
  for (const [what, args] of cases)
    it(`shows them in what it prints: ${what}`, async () => {
      const { stdout, stderr } = await folder.ferkit(...args);
      const printed = stdout + stderr;
      assert.doesNotMatch(printed, control, JSON.stringify(printed));
      assert.ok(printed.includes(SHOWN), printed);
    });

  it("prints a line for an image whose name has a line break", async () => {
    const { stdout } = await folder.ferkit("predict", "images/square", "--no-faces");
    assert.ok(
      stdout.split("\n").some((line) => line.includes(`${SHOWN}\\u000a.png  `)),
      stdout,
    );
  });

  it("prints a line for an image whose class has a line break", async () => {
    const network = randomNetwork({ imageSize: 33, classNames: ["a\nb", "c"] });
    await saveModel(folder.file("model"), network.config, await network.parameters());
    network.dispose();
    const { stdout } = await folder.ferkit("predict", "images/square", "--model", "model", "--no-faces");
    assert.equal(stdout.trim().split("\n").length, 3, stdout);
    assert.ok(stdout.includes("a\\u000ab "), stdout);
  });

  it("gives the same names in JSON", async () => {
    const { stdout } = await folder.ferkit(
      "data",
      "--data",
      "images",
      "--max-unreadable-share",
      "0.5",
      "--json",
    );
    assert.doesNotMatch(stdout, control);
    assert.deepEqual(JSON.parse(stdout).classNames, [HOSTILE, "square"]);
  });
});
