import assert from "node:assert/strict";
import { checkClassesFor, checkDataset, checkDecoding, checkDecodingFor } from "../../src/data/dataset.js";
import { loadDataset } from "../../src/data/load.js";
import { drawImages, temporaryFolder } from "./fixtures.js";

/** Grey but for one image in colour. */
const IMAGES = {
  "train/cat/1.png": "#101010",
  "train/cat/2.png": "#202020",
  "train/dog/1.png": "#303030",
  "train/dog/2.png": "#ff0000",
  "validation/cat/3.png": "#505050",
  "validation/dog/3.png": "#606060",
};

describe("a data set", () => {
  const inFolder = temporaryFolder();
  const load = async (options: Partial<Parameters<typeof loadDataset>[0]> = {}) =>
    loadDataset({ data: await drawImages(inFolder("data"), IMAGES), imageSize: 8, ...options });
  const model = (classNames = ["cat", "dog"]) => ({ classNames, imageSize: 8 });
  const refused = (run: () => void, message: string) => assert.throws(run, { name: "InputError", message });

  describe("for a model", () => {
    it("must have its classes in their order", async () => {
      const { validation } = await load();
      checkClassesFor(model(), validation);
      refused(
        () => checkClassesFor(model(["cow", "dog"]), validation),
        "Expected images with labels of the model's classes cow, dog but found the classes cat. Rename the classes, or choose a model that was trained on them.",
      );
      for (const classNames of [
        ["bird", "cat", "dog"],
        ["dog", "cat"],
      ]) {
        refused(
          () => checkClassesFor(model(classNames), validation),
          `Expected images with labels of the model's classes ${classNames.join(", ")} but found labels of cat, dog. Add classNames: network.config.classNames to the options of loadDataset.`,
        );
        checkClassesFor(model(classNames), (await load({ classNames })).validation);
      }
    });

    it("must be decoded as those that it was trained on", async () => {
      const { validation } = await load();
      const message = (setting: string, expected: unknown, found: unknown, option: string) =>
        `Expected images loaded with ${setting} ${expected}, as the model was trained on but found ${setting} ${found}. Add ${option} to the options of loadDataset.`;
      refused(
        () => checkDecodingFor({ ...model(), imageSize: 48 }, validation),
        message("imageSize", 48, 8, "imageSize: network.config.imageSize"),
      );
      refused(
        () => checkDecodingFor({ ...model(), decoding: { fit: "pad" } }, validation),
        message("fit", "pad", "crop", 'fit: "pad"'),
      );
      checkDecodingFor({ ...model(), decoding: { fit: "pad" } }, (await load({ fit: "pad" })).validation);
      const ofLevels = (level: number) => ({ fit: "crop", whiteLevels: { "16-bit": level } }) as const;
      const dark = { ...validation, decoding: ofLevels(4095) };
      checkDecodingFor({ ...model(), decoding: ofLevels(4095) }, dark);
      checkDecodingFor({ ...model(), decoding: ofLevels(4095) }, validation);
      refused(
        () => checkDecodingFor({ ...model(), decoding: ofLevels(65535) }, dark),
        message("whiteLevels of 16-bit", 65535, 4095, "whiteLevels: network.config.decoding.whiteLevels"),
      );
    });

    it("must keep colours for a model of colours", async () => {
      const { train, validation } = await load();
      assert.deepEqual([train.numChannels, train.lostColour, validation.lostColour], [1, true, undefined]);
      checkDecodingFor(model(), validation);
      checkDecodingFor({ ...model(), grey: true }, train);
      refused(
        () => checkDecodingFor(model(), train),
        "Expected images loaded with grey false, as the model was trained on but found grey true. Add grey: false to the options of loadDataset.",
      );
      checkDecodingFor(model(), (await load({ grey: false })).train);
    });
  });

  it("must have a label of one of its classes for each image", async () => {
    const dataset = await load();
    checkDataset(dataset);
    const { validation } = dataset;
    const wrong = (more: object) => () =>
      checkDataset({ ...dataset, validation: { ...validation, ...more } });
    assert.throws(wrong({ labels: Int32Array.of(0, 2) }), {
      name: "ParameterError",
      message: "Expected an integer in [0, 2) for validation.labels[1] but received 2 of type number",
    });
    assert.throws(wrong({ numImages: undefined }), {
      name: "ParameterError",
      message:
        "Expected 2, as there are labels, for numImages of validation but received undefined of type undefined",
    });
  });

  describe("for a training", () => {
    const configured = { imageSize: 8, fit: "crop", grey: "auto" } as const;

    it("must be loaded as the configuration says", async () => {
      const dataset = await load();
      checkDecoding(dataset, configured);
      const cases = { imageSize: [48, 8], fit: ["pad", "crop"], grey: [false, true] };
      for (const [setting, [expected, found]] of Object.entries(cases))
        refused(
          () => checkDecoding(dataset, { ...configured, [setting]: expected }),
          `Expected images loaded with ${setting} ${expected}, as the configuration says at data but found ${setting} ${found}. Add ${setting}: config.${setting} to the options of loadDataset.`,
        );
    });

    it("must have validation images of its own classes", async () => {
      const [dataset, other] = [await load(), await load({ classNames: ["bird", "cat", "dog"] })];
      refused(
        () => checkDecoding({ ...dataset, validation: other.validation }, configured),
        "Expected images of the classes cat, dog, as the data set says at data but found bird, cat, dog. Choose train and validation images of one data set.",
      );
    });
  });
});
