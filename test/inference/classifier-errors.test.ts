import assert from "node:assert/strict";
import { readdirSync, readFileSync, rmSync, truncateSync, writeFileSync } from "node:fs";
import path from "node:path";
import { tf } from "../../src/engine/tf.js";
import { loadClassifier } from "../../src/inference/classifier.js";
import { saveModel } from "../../src/model/weights/model-folder.js";
import { draw } from "./drawn.js";
import { classifierInFolder } from "./fixtures.js";

describe("a classifier's errors", () => {
  const given = classifierInFolder();
  const at = (name: string) => path.join(given.dir, name);

  describe("Classifier", () => {
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
        message: `Expected images at ${given.dir} but found a folder without any. Give another folder, or a file.`,
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
          /^Expected \d+ bytes of weights at .*\.bin but found 4096\. Copy the folder again, or train from scratch\.$/,
      });
      rmSync(path.join(at("model"), weights));
      await assert.rejects(loadClassifier(at("model")), { message: /bytes of weights .* but found 0\. / });
      truncateSync(at("model/model.json"), 1000);
      await assert.rejects(loadClassifier(at("model")), {
        message: /^Expected a model saved by ferkit at .*model\.json but found no JSON\. /,
      });
      assert.equal(tf.memory().numTensors, before);
    });
  });
});
