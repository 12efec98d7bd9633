import assert from "node:assert/strict";
import { tf } from "../../src/engine/tf.js";
import { occlusionMap } from "../../src/inference/occlusion.js";
import { PATCH_PLACES, patchedPixels, patchNetwork, peakOf, plainPixels } from "./patch.js";

describe("occlusionMap", () => {
  const network = patchNetwork();
  after(() => network.dispose());

  for (const place of PATCH_PLACES)
    it(`is greatest where a bright patch decides, at ${place}`, async () => {
      const heat = await occlusionMap(network, patchedPixels(place), "patch");
      const [y, x] = peakOf(heat);
      assert.ok(Math.hypot(y - place[0], x - place[1]) < 16, `${[y, x]}`);
      assert.ok(heat.every((value) => value >= 0 && value <= 1));
    });

  it("is 0 everywhere in an image that hiding does not change", async () => {
    const before = tf.memory().numTensors;
    const heat = await occlusionMap(network, plainPixels(), "patch");
    assert.equal(tf.memory().numTensors, before);
    assert.ok(heat.every((value) => value === 0));
  });

  it("refuses a class that is none of the network's", async () => {
    await assert.rejects(occlusionMap(network, patchedPixels([72, 72]), "cat"), {
      message: "Expected one of never, patch for className but received cat of type string",
    });
  });
});
