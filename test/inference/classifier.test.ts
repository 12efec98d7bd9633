import assert from "node:assert/strict";
import { readFileSync, writeFileSync } from "node:fs";
import path from "node:path";
import { type Tensor4D, tf } from "../../src/engine/tf.js";
import { loadClassifier, rank } from "../../src/inference/classifier.js";
import { saveModel } from "../../src/model/weights/model-folder.js";
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
