import assert from "node:assert/strict";
import { ofType } from "../../src/training/events.js";
import { collect, dataset, LAST_LAYER, runFolder } from "./fixtures.js";

describe("an epoch", function () {
  this.timeout(600_000);
  const run = runFolder();

  it("names the classes of the confusion matrix, whose order keys that are numbers do not keep", async () => {
    const numbered = { ...dataset, classNames: ["10", "2"] };
    const [{ validation }] = ofType(await collect(run.dir, { ...LAST_LAYER, epochs: 1 }, numbered), "epoch");
    assert.deepEqual(Object.keys(validation.perClassRecall), ["2", "10"]);
    assert.deepEqual(validation.classNames, ["10", "2"]);
    const recalls = validation.confusionMatrix.map((row, label) => row[label] / (row[0] + row[1]));
    assert.deepEqual(validation.perClassRecall, { "10": recalls[0], "2": recalls[1] });
  });
});
