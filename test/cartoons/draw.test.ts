import assert from "node:assert/strict";
import { mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import os from "node:os";
import path from "node:path";
import sharp from "sharp";
import { drawFace, drawSyntheticFaces, SYNTHETIC_DEFAULTS, syntheticKey } from "../../src/cartoons/draw.js";
import { EXPRESSIONS } from "../../src/cartoons/expression.js";
import { Random } from "../../src/random.js";

const OPTIONS = { seed: 1, imagesPerClass: { train: 2, validation: 1 }, imageSize: 32 };

describe("drawSyntheticFaces", () => {
  let root: string;
  beforeEach(() => {
    root = mkdtempSync(path.join(os.tmpdir(), "ferkit-faces-"));
  });
  afterEach(() => rmSync(root, { recursive: true }));

  const draw = async (name: string, options = {}) => {
    const dir = path.join(root, name);
    await drawSyntheticFaces(dir, { ...OPTIONS, ...options });
    return (file: string) => readFileSync(path.join(dir, file));
  };

  it("writes a class folder of numbered PNG images for each split", async () => {
    const read = await draw("faces");
    assert.deepEqual(readdirSync(root), ["faces"]);
    assert.deepEqual(readdirSync(path.join(root, "faces")).sort(), ["train", "validation"]);
    for (const [split, files] of [
      ["train", ["0001.png", "0002.png"]],
      ["validation", ["0001.png"]],
    ] as const) {
      assert.deepEqual(readdirSync(path.join(root, "faces", split)).sort(), EXPRESSIONS);
      for (const expression of EXPRESSIONS)
        assert.deepEqual(readdirSync(path.join(root, "faces", split, expression)).sort(), files);
    }
    const { format, width, height, channels } = await sharp(read("train/sad/0002.png")).metadata();
    assert.deepEqual(
      { format, width, height, channels },
      { format: "png", width: 32, height: 32, channels: 3 },
    );
  });

  it("draws the same bytes from the same seed, different bytes from another seed, and no image twice", async () => {
    const [first, second, other] = [await draw("a"), await draw("b"), await draw("c", { seed: 2 })];
    const files = EXPRESSIONS.flatMap((name) => [
      `train/${name}/0001.png`,
      `train/${name}/0002.png`,
      `validation/${name}/0001.png`,
    ]);
    for (const file of files) {
      assert.deepEqual(first(file), second(file));
      assert.notDeepEqual(first(file), other(file));
    }
    assert.equal(new Set(files.map((file) => first(file).toString("base64"))).size, files.length);
  });

  it("draws the same first images when it draws more", async () => {
    const few = await draw("few");
    const more = await draw("more", { imagesPerClass: { train: 3, validation: 2 } });
    for (const file of ["train/happy/0002.png", "validation/fear/0001.png"])
      assert.deepEqual(few(file), more(file));
  });

  it("reports progress from none to all: 7 × (2 + 1) images", async () => {
    const reports: unknown[] = [];
    await draw("faces", { onProgress: (progress: unknown) => reports.push(progress) });
    assert.deepEqual(
      reports,
      Array.from({ length: 22 }, (_, done) => ({ stage: "draw", done, total: 21, unit: "images" })),
    );
  });

  it("leaves nothing behind when it is stopped", async () => {
    const onProgress = ({ done }: { done: number }) => {
      if (done > 0) throw new Error("stopped");
    };
    await assert.rejects(draw("faces", { onProgress }), { message: "stopped" });
    assert.deepEqual(readdirSync(root), []);
  });

  it("refuses a folder that is not empty, and fills an empty one", async () => {
    mkdirSync(path.join(root, "empty"));
    await draw("empty");
    writeFileSync(path.join(root, "empty/train/note.txt"), "mine");
    await assert.rejects(draw("empty"), {
      name: "InputError",
      message: `Expected a new or empty folder at ${path.join(root, "empty")} but found 2 files or folders in it. Choose a new folder, or remove this one to draw it again.`,
    });
    assert.equal(readFileSync(path.join(root, "empty/train/note.txt"), "utf8"), "mine");
    assert.deepEqual(readdirSync(root), ["empty"]);
  });

  it("says that there is a file in place of the folder", async () => {
    writeFileSync(path.join(root, "file"), "");
    const dir = path.join(root, "file/faces");
    await assert.rejects(draw("file/faces"), {
      name: "InputError",
      message: `Expected to write at ${dir} but found a file instead of a folder. Rename it or choose another folder; what was there is kept.`,
    });
  });

  it("refuses counts, sizes and seeds out of range, and writes nothing", async () => {
    const refusals: [object, string][] = [
      [
        { imagesPerClass: { train: 0, validation: 1 } },
        "Expected an integer in [1, 9999] for imagesPerClass.train but received 0 of type number",
      ],
      [
        { imagesPerClass: { train: 1, validation: -3 } },
        "Expected an integer in [1, 9999] for imagesPerClass.validation but received -3 of type number",
      ],
      [
        { imagesPerClass: 5 },
        "Expected counts { train, validation } for imagesPerClass but received 5 of type number",
      ],
      [
        { imageSize: Number.NaN },
        "Expected an integer in [16, 1024] for imageSize but received NaN of type number",
      ],
      [
        { imageSize: 48.5 },
        "Expected an integer in [16, 1024] for imageSize but received 48.5 of type number",
      ],
      [{ seed: -1 }, "Expected an integer in [0, 2147483647] for seed but received -1 of type number"],
    ];
    for (const [options, message] of refusals)
      await assert.rejects(draw("faces", options), { name: "ParameterError", message });
    assert.deepEqual(readdirSync(root), []);
  });
});

describe("SYNTHETIC_DEFAULTS", () => {
  it("has options for all images", () => {
    assert.deepEqual(Object.keys(SYNTHETIC_DEFAULTS), ["seed", "imagesPerClass", "imageSize"]);
    assert.ok(SYNTHETIC_DEFAULTS.imagesPerClass.train * EXPRESSIONS.length >= 500);
  });
});

describe("syntheticKey", () => {
  it("is a key that changes with every option, but not with their order", () => {
    const key = syntheticKey(OPTIONS);
    assert.match(key, /^[0-9a-f]{16}$/);
    assert.equal(syntheticKey({ imageSize: 32, imagesPerClass: { validation: 1, train: 2 }, seed: 1 }), key);
    const others = [
      { ...OPTIONS, seed: 2 },
      { ...OPTIONS, imageSize: 33 },
      { ...OPTIONS, imagesPerClass: { train: 3, validation: 1 } },
      { ...OPTIONS, imagesPerClass: { train: 2, validation: 2 } },
    ];
    assert.equal(new Set([key, ...others.map(syntheticKey)]).size, 5);
  });
});

describe("drawFace", () => {
  it("exposes all expressions alike, so that the mean brightness does not give a class away", async () => {
    const means = await Promise.all(
      EXPRESSIONS.map(async (expression) => {
        let sum = 0;
        for (let i = 0; i < 12; i++) {
          const { channels } = await sharp(await drawFace(expression, new Random(6, i), 32)).stats();
          sum += (channels[0].mean + channels[1].mean + channels[2].mean) / 3;
        }
        return sum / 12;
      }),
    );
    // the same twelve people in each class: only mouth, eyes and exposure differ
    assert.ok(
      Math.max(...means) - Math.min(...means) < 12,
      `mean values ${means.map(Math.round).join(", ")}`,
    );
  });

  it("may leave out a blur below 0.5573 pixels, which changes no pixel", async () => {
    const raw = { width: 16, height: 16, channels: 3 } as const;
    const random = new Random(8);
    const pixels = Buffer.from(Array.from({ length: 16 * 16 * 3 }, () => random.uint32() & 255));
    const blurred = (sigma: number) => sharp(pixels, { raw }).blur(sigma).raw().toBuffer();
    assert.deepEqual(await blurred(0.5573), pixels);
    assert.notDeepEqual(await blurred(0.5574), pixels);
  });

  it("adds noise", async () => {
    const pixels = await sharp(await drawFace("neutral", new Random(7), 96))
      .raw()
      .toBuffer();
    const corner = Array.from({ length: 8 }, (_, x) => pixels[x * 3]);
    assert.ok(new Set(corner).size > 2, `first values ${corner.join(", ")}`);
  });
});
