import assert from "node:assert/strict";
import { existsSync, mkdirSync, renameSync } from "node:fs";
import sharp from "sharp";
import { Random } from "../../src/random.js";
import { workspace } from "../workspace.js";

describe("ferkit labels", function () {
  this.timeout(300_000);
  const folder = workspace("suite");
  const settings = ["weights=random", "epochs=14", "imageSize=33", "batchSize=8"].flatMap((value) => [
    "--set",
    value,
  ]);
  const labels = (...args: string[]) =>
    folder.ferkit("labels", "--data", "d", "--folds", "2", ...settings, ...args);

  before("draws noise of three colours, with two wrong labels", async () => {
    const random = new Random(0, "labels");
    for (const [name, colour] of [
      ["red", [200, 40, 40]],
      ["blue", [40, 40, 200]],
      ["green", [40, 180, 40]],
    ] as const) {
      mkdirSync(folder.file(`d/${name}`), { recursive: true });
      for (let i = 0; i < 20; i++) {
        const noise = () => colour.map((value) => value - 35 + random.integer(70));
        const pixels = Buffer.from(Array.from({ length: 32 * 32 }, noise).flat());
        await sharp(pixels, { raw: { width: 32, height: 32, channels: 3 } }).toFile(
          folder.file(`d/${name}/${i}.png`),
        );
      }
    }
    renameSync(folder.file("d/red/0.png"), folder.file("d/blue/wrong.png"));
    renameSync(folder.file("d/green/1.png"), folder.file("d/red/wrong.png"));
  });

  it("lists wrong labels with the likely class, and draws them", async () => {
    const { status, stdout, stderr } = await labels("--chart", "labels.svg");
    assert.equal(status, 0, stderr);
    const [heading, ...lines] = stdout.trimEnd().split("\n");
    assert.match(heading, /^d: \d+ of 60 labels are suspected, by 2 folds$/);
    assert.match(lines.join("\n"), /^blue\/wrong\.png +blue +\d+\.\d% +red +\d+\.\d%$/m);
    assert.match(lines.join("\n"), /^red\/wrong\.png +red +\d+\.\d% +green +\d+\.\d%$/m);
    assert.match(stderr, /^fold 1 of 2$/m);
    assert.match(stderr, /^wrote \S+\/labels\.svg$/m);
    assert.ok(
      existsSync(folder.file("labels.svg")) && existsSync(folder.file("runs/labels/fold-2-of-2/best")),
    );
  });

  it("prints all of them as JSON, from the runs that are there", async () => {
    const { stdout, stderr } = await labels("--top", "1", "--json");
    const { issues, numImages } = JSON.parse(stdout);
    assert.equal(numImages, 60);
    assert.ok(issues.length >= 2);
    assert.doesNotMatch(stderr, /^epoch /m);
    const given = issues.map(({ labelProb }: { labelProb: number }) => labelProb);
    assert.deepEqual(
      given,
      [...given].sort((a, b) => a - b),
    );
    const rest = await labels("--top", "1");
    assert.match(
      rest.stdout,
      new RegExp(`^${issues.length - 1} more \\(--top ${issues.length} prints all\\)$`, "m"),
    );
  });

  it("refuses a choice of validation images", async () => {
    for (const option of [
      ["--fold", "1/2"],
      ["--validation-share", "0.5"],
    ]) {
      const { status, stderr } = await labels(...option);
      assert.equal(status, 1);
      assert.match(
        stderr,
        new RegExp(
          `Expected no choice of validation images, since each image is in one of the folds but found ${option[0]}\\. Remove it; --folds chooses their number\\.`,
        ),
      );
    }
  });
});
