import assert from "node:assert/strict";
import { readdirSync, readFileSync, rmSync, truncateSync, writeFileSync } from "node:fs";
import path from "node:path";
import type { PackedImages } from "../../src/data/dataset.js";
import { PixelArray } from "../../src/data/pixels/pixels.js";
import { type Tensor4D, tf } from "../../src/engine/tf.js";
import { Classifier, loadClassifier, rank } from "../../src/inference/classifier.js";
import { classify } from "../../src/inference/evaluate.js";
import { loadModelConfig, saveModel } from "../../src/model/weights/model-folder.js";
import { buildTrainState, disposeTrainState } from "../../src/training/step.js";
import { randomNetwork } from "../model/fixtures.js";
import { projectDir } from "../source-files.js";
import { config, stripes } from "../training/fixtures.js";
import { draw } from "./drawn.js";
import { CLASS_NAMES, classifierInFolder, IMAGE_SIZE } from "./fixtures.js";

describe("a classifier", () => {
  const given = classifierInFolder();
  const at = (name: string) => path.join(given.dir, name);

  describe("Classifier", () => {
    it("gives each class the network's probability, most probable first", async () => {
      await draw(at("one.png"));
      const [{ name, predictions, pixels }] = await given.classifier.predict(at("one.png"));
      assert.equal(name, at("one.png"));
      assert.equal(pixels.length, IMAGE_SIZE * IMAGE_SIZE * 3);
      assert.equal(JSON.stringify({ name, pixels }), JSON.stringify({ name }));
      const expected = tf.tidy(() => {
        const images = tf.tensor(Float32Array.from(pixels), [1, IMAGE_SIZE, IMAGE_SIZE, 3]) as Tensor4D;
        return tf.softmax(given.classifier.network.logits(images)).dataSync();
      });
      for (const { className, prob } of predictions)
        assert.ok(Math.abs(prob - expected[CLASS_NAMES.indexOf(className)]) < 1e-6, className);
      assert.deepEqual(predictions.map(({ className }) => className).sort(), CLASS_NAMES);
      const probs = predictions.map(({ prob }) => prob);
      assert.deepEqual(
        probs,
        [...probs].sort((a, b) => b - a),
      );
      assert.ok(Math.abs(probs.reduce((a, b) => a + b) - 1) < 1e-6);
    });

    const drawn: [string, Parameters<typeof draw>[1]][] = [
      ["photo.jpg", { width: 90, height: 60 }],
      ["grey.jpeg", { grey: true }],
      ["wide.webp", { width: 200, height: 21 }],
      ["grey.png", { grey: true, height: 77 }],
      ["alpha.png", { alpha: true }],
      ["pixel.png", { width: 1, height: 1 }],
    ];
    for (const [file, look] of drawn)
      it(`takes ${file} as a path and as bytes, with the same result`, async () => {
        await draw(at(file), look);
        const [ofFile] = await given.classifier.predict(at(file));
        const [ofBytes] = await given.classifier.predict(readFileSync(at(file)));
        const plain = new Uint8Array(readFileSync(at(file)));
        for (const bytes of [plain, plain.buffer, plain.subarray(0)])
          assert.deepEqual((await given.classifier.predict(bytes))[0].predictions, ofBytes.predictions);
        assert.equal(ofBytes.name, "buffer 1");
        assert.deepEqual(ofBytes.predictions, ofFile.predictions);
        assert.deepEqual(ofBytes.pixels, ofFile.pixels);
        const total = ofFile.predictions.reduce((sum, { prob }) => sum + prob, 0);
        assert.ok(Math.abs(total - 1) < 1e-6);
        if (look?.grey) assert.ok(ofFile.pixels.every((value, i) => value === ofFile.pixels[i - (i % 3)]));
        if (look?.alpha) assert.deepEqual([...ofFile.pixels.slice(0, 3)], [255, 255, 255]);
      });

    it("takes paths and bytes side by side, in their order", async () => {
      await draw(at("b.png"));
      await draw(at("a.png"), { disc: "#ffffff" });
      const bytes = readFileSync(at("a.png"));
      const results = await given.classifier.predict([at("b.png"), bytes, at("a.png")]);
      assert.deepEqual(
        results.map(({ name }) => name),
        [at("b.png"), "buffer 2", at("a.png")],
      );
      assert.deepEqual(results[1].pixels, results[2].pixels);
      assert.notDeepEqual(results[0].pixels, results[2].pixels);
    });

    it("gives calls that overlap what it gives each alone", async () => {
      const colours = ["#ff0000", "#00ff00", "#0000ff"];
      const files = colours.map((_, i) => at(`${i}.png`));
      for (const [i, disc] of colours.entries()) await draw(files[i], { disc });
      const alone: Awaited<ReturnType<Classifier["predict"]>>[] = [];
      for (const file of files) alone.push(await given.classifier.predict(file));
      assert.notDeepEqual(alone[0][0].predictions, alone[1][0].predictions);
      const numTensors = tf.memory().numTensors;
      const together = await Promise.all([...files, ...files].map((file) => given.classifier.predict(file)));
      assert.deepEqual(together, [...alone, ...alone]);
      assert.equal(tf.memory().numTensors, numTensors);
    });

    it("stops before a batch if the signal says so", async () => {
      await draw(at("one.png"));
      const controller = new AbortController();
      const predicted = given.classifier.predict(at("one.png"), { signal: controller.signal });
      controller.abort(new Error("enough"));
      await assert.rejects(predicted, { message: "enough" });
      const many = Array.from({ length: 65 }, () => at("one.png")); // a batch of 64 and another
      const later = new AbortController();
      const seen: string[] = [];
      await assert.rejects(
        async () => {
          for await (const { name } of given.classifier.predictEach(many, undefined, {
            signal: later.signal,
          })) {
            seen.push(name);
            later.abort(new Error("enough"));
          }
        },
        { message: "enough" },
      );
      assert.equal(seen.length, 64);
    });

    it("takes a folder for the images in it and below, sorted, and nothing else", async () => {
      for (const file of ["b.png", "a.JPG", "deep/c.webp", ".hidden.png", "folder.png/d.png"])
        await draw(at(file));
      writeFileSync(at("notes.txt"), "no image");
      const results = await given.classifier.predict([given.dir]);
      assert.deepEqual(
        results.map(({ name }) => path.relative(given.dir, name)),
        ["a.JPG", "b.png", "deep/c.webp", "folder.png/d.png"],
      );
    });

    it("gives an image of a second batch what it gives the image alone", async () => {
      await draw(at("one.png"));
      await draw(at("other.png"), { disc: "#ffffff" });
      const [one, other] = ["one.png", "other.png"].map((file) => readFileSync(at(file)));
      const results = await given.classifier.predict([...new Array<Buffer>(65).fill(one), other]); // batches of 64
      assert.equal(results.length, 66);
      assert.equal(results[65].name, "buffer 66");
      const [alone] = await given.classifier.predict(other);
      assert.deepEqual(results[65].pixels, alone.pixels);
      const probOf = ({ predictions }: typeof alone) =>
        predictions.find(({ className }) => className === "circle")?.prob as number;
      assert.ok(Math.abs(probOf(results[65]) - probOf(alone)) < 1e-5);
      assert.ok(Math.abs(probOf(results[0]) - probOf(alone)) > 1e-5, "the two images can be told apart");
    });

    it("averages the views that it is asked for, as evaluate does", async () => {
      await draw(at("one.png"));
      const { network } = given.classifier;
      const [alone] = await given.classifier.predict(at("one.png"));
      for (const views of ["flip", "crops"] as const) {
        const [seen] = await new Classifier(network, { views }).predict(at("one.png"));
        assert.deepEqual(seen.pixels, alone.pixels);
        assert.notDeepEqual(seen.predictions, alone.predictions);
        const probs = await classify(network, packed(seen.pixels), { views });
        assert.deepEqual(seen.predictions, rank(probs, CLASS_NAMES));
      }
    });

    it("yields each result as it comes, and reports inputs that cannot be read", async () => {
      for (const file of ["a.png", "c.png"]) await draw(at(file));
      writeFileSync(at("b.png"), "no image");
      const events: string[] = [];
      const onError = ({ message }: Error) => events.push(message.split(" but ")[0]);
      for await (const { name } of given.classifier.predictEach([at("none.png"), given.dir], onError))
        events.push(path.basename(name));
      assert.deepEqual(events, [
        `Expected an image or a folder of images at ${at("none.png")}`,
        `Expected an image at ${at("b.png")}`,
        "a.png",
        "c.png",
      ]);
    });

    it("gives nothing for nothing", async () => {
      assert.deepEqual(await given.classifier.predict([]), []);
    });

    it("leaves no tensors behind, after an image that cannot be read either", async () => {
      await draw(at("one.png"));
      writeFileSync(at("bad.png"), "no image");
      await given.classifier.predict(at("one.png"));
      const before = tf.memory().numTensors;
      await given.classifier.predict([at("one.png"), readFileSync(at("one.png"))]);
      await assert.rejects(given.classifier.predict([at("one.png"), at("bad.png")]), { name: "InputError" });
      assert.equal(tf.memory().numTensors, before);
    });
  });

  describe("loadClassifier", () => {
    it("takes the name of a bundled model, or its folder", async () => {
      await draw(at("one.png"));
      const predict = async (...model: string[]) => {
        const classifier = await loadClassifier(...model);
        const [{ predictions }] = await classifier.predict(at("one.png"));
        classifier.dispose();
        return predictions;
      };
      const fer2013 = await predict("fer2013");
      assert.deepEqual(fer2013, await predict(path.join(projectDir, "models/fer2013")));
      assert.notDeepEqual(fer2013, await predict());
    });

    const save = async () =>
      saveModel(at("model"), given.classifier.config, await given.classifier.network.parameters());

    it("classifies as the network that was saved did, and is disposed whole", async () => {
      await draw(at("one.png"));
      await save();
      const [expected] = await given.classifier.predict(at("one.png"));
      const before = tf.memory().numTensors;
      const loaded = await loadClassifier(at("model"));
      assert.deepEqual(loaded.config, given.classifier.config);
      assert.deepEqual(await loaded.predict(at("one.png")), [expected]);
      loaded.dispose();
      assert.equal(tf.memory().numTensors, before);
    });
  });

  describe("rank", () => {
    it("sorts classes by probability", () => {
      assert.deepEqual(rank(Float32Array.of(0.25, 0.5, 0.25), CLASS_NAMES), [
        { className: "square", prob: 0.5 },
        { className: "circle", prob: 0.25 },
        { className: "triangle", prob: 0.25 },
      ]);
    });
  });
});

describe("a classifier's errors", () => {
  const given = classifierInFolder();
  const at = (name: string) => path.join(given.dir, name);

  describe("Classifier", () => {
    it("says what to do about an archive or an address", async () => {
      const archive = at("images.tar");
      writeFileSync(archive, "x");
      await assert.rejects(given.classifier.predict(archive), {
        name: "InputError",
        message: `Expected an image or a folder of images at ${archive} but found an archive. Unpack it, and choose the folder.`,
      });
      const address = "https://example.com/a.jpg";
      await assert.rejects(given.classifier.predict(address), {
        name: "InputError",
        message: `Expected a path on this computer but found the address ${address}. Download it, and choose the file.`,
      });
    });

    it("says that there is no such path", async () => {
      await assert.rejects(given.classifier.predict(at("none.png")), {
        name: "InputError",
        message: `Expected an image or a folder of images at ${at("none.png")} but found no such path. Check the path.`,
      });
    });

    it("says that a folder has no images", async () => {
      writeFileSync(at("notes.txt"), "no image");
      await assert.rejects(given.classifier.predict(given.dir), {
        name: "InputError",
        message: `Expected images at ${given.dir} but found a folder without any. Choose another folder, or a file.`,
      });
    });

    it("takes neither other inputs nor another number of pixels", async () => {
      for (const input of [null, 3, new Blob([]), [new Float32Array(3)]])
        await assert.rejects(given.classifier.predict(input as unknown as string), {
          name: "ParameterError",
          message:
            /^Expected a path, or the bytes of an image file \(Uint8Array or ArrayBuffer\) for an image but received /,
        });
      const pixels = new Uint8Array(10);
      await assert.rejects(given.classifier.predictPixels([{ name: "a.png", pixels }]), {
        name: "ParameterError",
        message: `Expected 33 × 33 × 3 = 3267 values for the pixels of a.png but received 10 of type number`,
      });
    });

    it("names the image that cannot be read, and the place of bytes", async () => {
      await draw(at("good.png"));
      await draw(at("cut.jpg"), { width: 300, height: 300 });
      truncateSync(at("cut.jpg"), 2000);
      writeFileSync(at("text.png"), "no image");
      await assert.rejects(given.classifier.predict([at("good.png"), at("cut.jpg")]), (error: Error) => {
        assert.equal(error.name, "InputError");
        assert.ok(
          error.message.startsWith(`Expected an image at ${at("cut.jpg")} but found `),
          error.message,
        );
        return true;
      });
      await assert.rejects(given.classifier.predict([at("good.png"), readFileSync(at("text.png"))]), {
        message: "Expected an image at buffer 2 but found no image that can be read. Remove or replace it.",
      });
      await assert.rejects(given.classifier.predict(Buffer.alloc(0)), {
        message: "Expected an image at buffer 1 but found an empty file. Remove or replace it.",
      });
    });
  });

  describe("loadClassifier", () => {
    const save = async () =>
      saveModel(at("model"), given.classifier.config, await given.classifier.network.parameters());

    it("refuses a folder that is missing or half-written, and leaves no tensors behind", async () => {
      const before = tf.memory().numTensors;
      await assert.rejects(loadClassifier(at("none")), {
        message: /^Expected a model folder with model\.json at .*none but found none\. /,
      });
      await save();
      const weights = readdirSync(at("model")).find((name) => name.endsWith(".bin")) as string;
      truncateSync(path.join(at("model"), weights), 4096);
      await assert.rejects(loadClassifier(at("model")), {
        name: "InputError",
        message:
          /^Expected \d+ bytes of weights at .*\.bin but found 4096\. Copy the folder again, or choose another model\.$/,
      });
      rmSync(path.join(at("model"), weights));
      await assert.rejects(loadClassifier(at("model")), {
        message: /bytes of weights .* but found no file\. /,
      });
      truncateSync(at("model/model.json"), 1000);
      await assert.rejects(loadClassifier(at("model")), {
        message:
          /^Expected a model saved by ferkit at .*model\.json but found something other than JSON \(line 1, column \d+: .*\)\. /,
      });
      assert.equal(tf.memory().numTensors, before);
    });
  });
});

/** One image in colour. */
function packed(rgb: Uint8Array): PackedImages {
  return {
    pixels: new PixelArray(rgb, rgb.length),
    labels: Int32Array.of(0),
    numImages: 1,
    imageSize: IMAGE_SIZE,
    numChannels: 3,
    paths: ["0/colour.png"],
  };
}

describe("a classifier trained on grey images", () => {
  const given = classifierInFolder();
  const at = (name: string) => path.join(given.dir, name);

  it("sees a colour image grey, and a grey one as it is", async () => {
    await draw(at("colour.png"));
    await draw(at("grey.png"), { grey: true });
    const classifier = new Classifier(
      randomNetwork({ imageSize: IMAGE_SIZE, classNames: CLASS_NAMES, grey: true }),
    );
    const [colour, grey] = await classifier.predict([at("colour.png"), at("grey.png")]);
    classifier.dispose();
    // 0.299 · 0x20 + 0.587 · 0x40 + 0.114 · 0x80 = 61.7
    assert.deepEqual([...colour.pixels.slice(0, 3)], [62, 62, 62]);
    const [inColour, asItIs] = await given.classifier.predict([at("colour.png"), at("grey.png")]);
    assert.deepEqual([...inColour.pixels.slice(0, 3)], [0x20, 0x40, 0x80]);
    assert.notDeepEqual(colour.predictions, inColour.predictions);
    assert.deepEqual(grey.pixels, asItIs.pixels);
  });

  it("sees packed images of colour as it sees the files", async () => {
    await draw(at("colour.png"));
    const classifier = new Classifier(
      randomNetwork({ imageSize: IMAGE_SIZE, classNames: CLASS_NAMES, grey: true }),
    );
    const [ofFile] = await classifier.predict([at("colour.png")]);
    const [{ pixels }] = await given.classifier.predict([at("colour.png")]);
    const { numTensors } = tf.memory();
    const ofPacked = await classify(classifier.network, packed(pixels));
    assert.equal(tf.memory().numTensors, numTensors);
    const other = await classify(given.classifier.network, packed(pixels));
    classifier.dispose();
    assert.deepEqual(rank(ofPacked, CLASS_NAMES), ofFile.predictions);
    assert.notDeepEqual(other, ofPacked);
  });

  it("is saved and loaded as such; others say nothing of it", async () => {
    const network = randomNetwork({ imageSize: IMAGE_SIZE, classNames: CLASS_NAMES, grey: true });
    await saveModel(at("grey"), network.config, await network.parameters());
    network.dispose();
    const loaded = await loadClassifier(at("grey"));
    assert.equal(loaded.config.grey, true);
    loaded.dispose();
    await saveModel(at("other"), given.classifier.config, await given.classifier.network.parameters());
    assert.ok(!("grey" in (await loadModelConfig(at("other")))));
  });

  it("comes of training on images that are all grey", async () => {
    const images = stripes(8, 0);
    const ofGrey = await buildTrainState(config(), images, ["across", "down"]);
    const ofColour = await buildTrainState(config(), { ...images, numChannels: 3 }, ["across", "down"]);
    assert.deepEqual([ofGrey.network.config.grey, ofColour.network.config.grey], [true, undefined]);
    disposeTrainState(ofGrey);
    disposeTrainState(ofColour);
  });
});
