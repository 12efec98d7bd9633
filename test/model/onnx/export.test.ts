import assert from "node:assert/strict";
import { execFileSync } from "node:child_process";
import { existsSync, mkdirSync, readFileSync, statSync } from "node:fs";
import sharp from "sharp";
import { decodeImage } from "../../../src/data/pixels/decode.js";
import { tf } from "../../../src/engine/tf.js";
import { calibrated } from "../../../src/model/network.js";
import { exportOnnx, exportTransformers } from "../../../src/model/onnx/export.js";
import { Random } from "../../../src/random.js";
import { readProjectFile } from "../../source-files.js";
import { workspace } from "../../workspace.js";
import { type Example, largestDifference, ownProbs, randomExample, randomPixels } from "./examples.js";
import { nodeRuntime, type OnnxRuntime, pythonWithOnnx, runModel } from "./runtimes.js";

const IMAGENET = { mean: [123.675, 116.28, 103.53], std: [58.395, 57.12, 57.375] };
const NUM_IMAGES = 3;

describe("a network exported to ONNX", function () {
  this.timeout(600_000);
  const folder = workspace("suite");
  let runtime: OnnxRuntime;

  before("finds ONNX Runtime", async function () {
    const found = await nodeRuntime();
    if (found === null) {
      console.log("      skipped: npm cannot install ONNX Runtime here");
      this.skip();
    }
    runtime = found as OnnxRuntime;
  });

  /** Returns how far the probabilities of the exported network are from ferkit's, and these. */
  async function compare(example: Example, precision?: "float32" | "float16" | "uint8") {
    const { config, parameters } = example;
    const file = folder.file("model.onnx");
    await exportOnnx(file, config, parameters, precision);
    const pixels = randomPixels(NUM_IMAGES, config.imageSize);
    const dims = [NUM_IMAGES, config.imageSize, config.imageSize, 3];
    const probs = await runModel(runtime, file, { data: pixels, dims });
    assert.deepEqual([...probs.dims], [NUM_IMAGES, config.classNames.length]);
    const expected = ownProbs(example, pixels);
    return { error: largestDifference(probs.data, expected), probs: expected, bytes: statSync(file).size };
  }

  it("gives the probabilities that ferkit gives", async () => {
    const { error, probs } = await compare(await randomExample({}));
    assert.ok(Math.max(...probs) > 0.5, "no class stands out");
    assert.ok(error < 1e-4, `${error}`);
  });

  it("sees images in grey if it was trained on grey ones", async () => {
    const colour = await randomExample({});
    const grey = { ...colour, config: { ...colour.config, grey: true } };
    assert.ok((await compare(grey)).error < 1e-4);
    const pixels = randomPixels(NUM_IMAGES, 40);
    assert.ok(largestDifference(ownProbs(colour, pixels), ownProbs(grey, pixels)) > 1e-2);
  });

  for (const padding of ["same", "symmetric", "even"] as const)
    it(`computes squeeze-and-excite, and an odd size with padding ${padding}`, async () => {
      const { error } = await compare(
        await randomExample({
          variant: "b0",
          imageSize: 41,
          padding,
          epsilon: 1e-5,
          preprocessing: IMAGENET,
        }),
      );
      assert.ok(error < 1e-4, `${error}`);
    });

  it("is calibrated like the model", async () => {
    const example = await randomExample({});
    const warm = calibrated(example.config, example.parameters, { temperature: 2.5, numImages: 100 });
    assert.ok((await compare(warm)).error < 1e-4);
    const pixels = randomPixels(NUM_IMAGES, 40);
    assert.ok(largestDifference(ownProbs(example, pixels), ownProbs(warm, pixels)) > 1e-2);
  });

  it("takes half the bytes in float16 and about a quarter in uint8, with nearly the same probabilities", async () => {
    const example = await randomExample({ variant: "b0" });
    const whole = await compare(example);
    const half = await compare(example, "float16");
    const quarter = await compare(example, "uint8");
    assert.ok(half.bytes < 0.53 * whole.bytes, `${half.bytes} of ${whole.bytes} bytes`);
    assert.ok(quarter.bytes < 0.3 * whole.bytes, `${quarter.bytes} of ${whole.bytes} bytes`);
    assert.ok(half.error < 0.01, `${half.error}`);
    assert.ok(quarter.error < 0.1, `${quarter.error}`);
  });

  it("takes pixels of 0–255 in planes and gives logits as transformers.js wants them", async () => {
    const example = await randomExample({ grey: true });
    await exportTransformers(folder.file("web"), example.config, example.parameters);
    const read = (name: string) => JSON.parse(readFileSync(folder.file("web", name), "utf8"));
    assert.deepEqual(read("config.json").id2label, { 0: "circle", 1: "square", 2: "triangle" });
    assert.deepEqual(read("preprocessor_config.json").crop_size, { height: 40, width: 40 });
    const pixels = randomPixels(NUM_IMAGES, 40);
    const plane = 40 * 40;
    const data = Float32Array.from(pixels, (_, i) => {
      const [image, inImage] = [Math.floor(i / (3 * plane)), i % (3 * plane)];
      return pixels[(image * plane + (inImage % plane)) * 3 + Math.floor(inImage / plane)];
    });
    const file = folder.file("web/onnx/model.onnx");
    const logits = await runModel(runtime, file, { data, dims: [NUM_IMAGES, 3, 40, 40] });
    const probs = tf.tidy(() =>
      tf.softmax(tf.tensor2d(logits.data as Float32Array, [NUM_IMAGES, 3])).dataSync(),
    );
    assert.ok(largestDifference(probs, ownProbs(example, pixels)) < 1e-4);
  });

  it("is valid for ONNX's checker, and says its classes and image size", async function () {
    const python = await pythonWithOnnx();
    if (python === null) {
      console.log("      skipped: pip cannot install onnx here");
      this.skip();
    }
    const decoding = { fit: "pad" } as const;
    const { config, parameters } = await randomExample({ variant: "b0", decoding });
    for (const precision of ["float32", "float16", "uint8"] as const) {
      const file = folder.file(`${precision}.onnx`);
      await exportOnnx(file, config, parameters, precision);
      const program = [
        "import json, onnx, onnxruntime, sys",
        "onnx.checker.check_model(sys.argv[1], full_check=True)",
        "session = onnxruntime.InferenceSession(sys.argv[1])",
        "meta = session.get_modelmeta()",
        "shape = session.get_inputs()[0].shape",
        "print(json.dumps([meta.producer_name, meta.custom_metadata_map, shape]))",
      ];
      const output = execFileSync(python as string, ["-c", program.join("\n"), file], { encoding: "utf8" });
      const [producer, metadata, shape] = JSON.parse(output);
      assert.equal(producer, "ferkit");
      assert.match(metadata.ferkit_version, /^\d+\.\d+\.\d+/);
      const { ferkit_version, ...rest } = metadata;
      assert.deepEqual(rest, {
        variant: "b0",
        class_names: '["circle","square","triangle"]',
        image_size: "40",
        fit: "pad",
        grey: "false",
        precision,
      });
      assert.deepEqual(shape, ["batch", 40, 40, 3]);
    }
  });

  it("gets the pixels that ferkit decodes from the Python program in docs/export.md", async function () {
    const python = await pythonWithOnnx();
    if (python === null) {
      console.log("      skipped: pip cannot install Pillow here");
      this.skip();
    }
    const [, program] = readProjectFile("docs/export.md").match(/```python\n([^`]*read_image[^`]*)```/) ?? [];
    const [functions] = program.split("\nsession = ");
    const cases = [40, 33].flatMap((side) =>
      (["crop", "squash", "pad"] as const).map((fit) => ({ side, fit })),
    );
    const files = await photographs(folder);
    const outcomes: (number[] | string)[] = JSON.parse(
      execFileSync(python as string, ["-"], {
        encoding: "utf8",
        input: [
          functions,
          "def outcome(file, side, fit):",
          "    try: return read_image(file, side, fit).ravel().tolist()",
          "    except ValueError as error: return str(error)",
          `print(json.dumps([outcome(file, **case) for file in ${JSON.stringify(files)} for case in ${JSON.stringify(cases)}]))`,
        ].join("\n"),
      }),
    );
    for (const [i, file] of files.entries())
      for (const [j, { side, fit }] of cases.entries()) {
        const outcome = outcomes[i * cases.length + j];
        if (file.endsWith("16-bit.png")) {
          assert.match(String(outcome), /16-bit\.png has 16 bits a channel: convert it first$/);
          continue;
        }
        const { pixels } = await decodeImage(file, side, file, { fit });
        const error = largestDifference(outcome as number[], pixels);
        // libvips and Pillow round a mixture with white otherwise.
        assert.ok(
          error <= (file.endsWith("transparent.png") ? 2 : 0),
          `${file}, ${fit} to ${side}: ${error}`,
        );
      }
  });
});

/** Writes photographs of several sides, turned by EXIF, in grey, transparent, of few colours, and of 16 bits. */
async function photographs(folder: ReturnType<typeof workspace>): Promise<string[]> {
  const random = new Random(0, "photographs");
  const images: [string, number, number, 1 | 3 | 4][] = [
    ["wide.png", 97, 55, 3],
    ["high.png", 41, 100, 3],
    ["upright.png", 64, 90, 3],
    ["grey.png", 80, 45, 1],
    ["transparent.png", 71, 60, 4],
    ["palette.png", 160, 90, 3],
    ["grey-16-bit.png", 50, 40, 1],
    ["rgb-16-bit.png", 50, 40, 3],
  ];
  return Promise.all(
    images.map(async ([name, width, height, channels]) => {
      const pixels = Uint8Array.from({ length: width * height * channels }, () => random.integer(256));
      const image = sharp(pixels, { raw: { width, height, channels } });
      if (name === "upright.png") image.withMetadata({ orientation: 6 });
      if (name === "palette.png") image.png({ palette: true, colours: 16 });
      if (name.endsWith("16-bit.png")) image.toColourspace(channels === 1 ? "grey16" : "rgb16");
      await image.toFile(folder.file(name));
      return folder.file(name);
    }),
  );
}

describe("an export that cannot be written", () => {
  const folder = workspace();

  it("names a folder that is in place of the file", async () => {
    const { config, parameters } = await randomExample({});
    const file = folder.file("model.onnx");
    mkdirSync(file);
    await assert.rejects(exportOnnx(file, config, parameters), {
      name: "InputError",
      message: `Expected a file to write at ${file} but found a folder. Choose another file name.`,
    });
  });

  it("says that transformers.js cannot pad images, and writes nothing", async () => {
    const { config, parameters } = await randomExample({ decoding: { fit: "pad" } });
    await assert.rejects(exportTransformers(folder.file("web"), config, parameters), {
      name: "InputError",
      message:
        "Expected a model that crops or squashes images, for transformers.js but found fit pad. Choose --to onnx, and pad the images.",
    });
    assert.equal(existsSync(folder.file("web")), false);
  });
});
