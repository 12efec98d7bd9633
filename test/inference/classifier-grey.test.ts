import assert from "node:assert/strict";
import path from "node:path";
import type { PackedImages } from "../../src/data/dataset.js";
import { PixelArray } from "../../src/data/pixels/pixels.js";
import { tf } from "../../src/engine/tf.js";
import { Classifier, loadClassifier, rank } from "../../src/inference/classifier.js";
import { classify } from "../../src/inference/evaluate.js";
import { loadModelConfig, saveModel } from "../../src/model/weights/model-folder.js";
import { buildTrainState, disposeTrainState } from "../../src/training/step.js";
import { randomNetwork } from "../model/fixtures.js";
import { config, stripes } from "../training/fixtures.js";
import { draw } from "./drawn.js";
import { CLASS_NAMES, classifierInFolder, IMAGE_SIZE } from "./fixtures.js";

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
