import assert from "node:assert/strict";
import { BASELINE_AUGMENTATION, checkAugment, NO_AUGMENTATION } from "../../src/data/augment.js";
import { ALL } from "./augmented.js";

describe("checkAugment", () => {
  it("returns options in range", () => {
    assert.equal(checkAugment(ALL), ALL);
    assert.equal(checkAugment(BASELINE_AUGMENTATION), BASELINE_AUGMENTATION);
  });

  it("knows the seed recipe", () => {
    assert.deepEqual(BASELINE_AUGMENTATION, {
      horizontalFlip: 0.5,
      rotation: 20,
      translation: 0,
      zoom: [1, 1],
      brightness: 0,
      contrast: 0,
      erasing: 0,
    });
  });

  const share = (name: string, value: string) =>
    `Expected a number in [0, 1] for ${name} but received ${value} of type number`;
  const cases: [object, string][] = [
    [{ horizontalFlip: 1.5 }, share("horizontalFlip", "1.5")],
    [{ translation: -0.1 }, share("translation", "-0.1")],
    [{ brightness: Number.NaN }, share("brightness", "NaN")],
    [{ contrast: 2 }, share("contrast", "2")],
    [{ erasing: Number.POSITIVE_INFINITY }, share("erasing", "Infinity")],
    [{ rotation: -20 }, "Expected a number in [0, 180] for rotation but received -20 of type number"],
    [{ zoom: [0, 1] }, "Expected a number in [0.1, 1] for zoom[0] but received 0 of type number"],
    [{ zoom: [1.2, 0.8] }, "Expected a number in [0.1, 0.8] for zoom[0] but received 1.2 of type number"],
    [{ zoom: [1, 20] }, "Expected a number in [0.1, 10] for zoom[1] but received 20 of type number"],
    [
      { zoom: 1 },
      "Expected two numbers, the least and the greatest scale for zoom but received 1 of type number",
    ],
    [
      { flip: 0.5 },
      "Expected one of horizontalFlip, rotation, translation, zoom, brightness, contrast, erasing for the name of an augmentation option but received flip of type string",
    ],
  ];
  for (const [options, message] of cases)
    it(`refuses ${Object.entries(options).flat().join(" ")}`, () => {
      assert.throws(() => checkAugment({ ...NO_AUGMENTATION, ...options }), {
        name: "ParameterError",
        message,
      });
    });
});
