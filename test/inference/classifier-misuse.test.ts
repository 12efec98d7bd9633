import assert from "node:assert/strict";
import { tf } from "../../src/engine/tf.js";
import { Classifier } from "../../src/inference/classifier.js";
import { randomNetwork } from "../model/fixtures.js";
import { CLASS_NAMES, classifierInFolder, IMAGE_SIZE } from "./fixtures.js";

describe("a classifier that is misused", () => {
  const given = classifierInFolder();

  it("refuses numbers that are no pixels", async () => {
    for (const value of [Number.NaN, -1, 256]) {
      const pixels = new Float32Array(3 * IMAGE_SIZE ** 2).fill(value) as unknown as Uint8Array;
      await assert.rejects(given.classifier.predictPixels([{ name: "noise", pixels }]), {
        name: "ParameterError",
        message: `Expected numbers in [0, 255] for the pixels of noise but received ${value} of type number`,
      });
    }
  });

  it("refuses pixels that were scaled to 0 to 1", async () => {
    const pixels = new Float32Array(3 * IMAGE_SIZE ** 2).fill(0.5) as unknown as Uint8Array;
    await assert.rejects(given.classifier.predictPixels([{ name: "grey", pixels }]), {
      name: "ParameterError",
      message:
        "Multiply by 255: all are in [0, 1]. Expected numbers in [0, 255] for the pixels of grey but received 0.5 of type number",
    });
  });

  it("refuses options that are those of loadClassifier", async () => {
    await assert.rejects(given.classifier.predict("a.png", { views: "flip" } as never), {
      name: "ParameterError",
      message: "Expected one of signal for the name of an option but received views of type string",
    });
  });

  it("leaves no tensor behind if it was disposed", async () => {
    const before = tf.memory().numTensors;
    const classifier = new Classifier(randomNetwork({ imageSize: IMAGE_SIZE, classNames: CLASS_NAMES }));
    classifier.dispose();
    const pixels = new Uint8Array(3 * IMAGE_SIZE ** 2);
    await assert.rejects(classifier.predictPixels([{ name: "black", pixels }]));
    assert.equal(tf.memory().numTensors, before);
  });
});
