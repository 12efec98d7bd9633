// A model exported for transformers.js, in Node.js: npm run test:browser. It is not among the usual tests, since the package with its
// runtimes is large.
import assert from "node:assert/strict";
import path from "node:path";
import sharp from "sharp";
import { loadClassifier, type Prediction } from "../../src/index.js";
import { exportTransformers } from "../../src/model/onnx/export.js";
import { loadParameters } from "../../src/model/weights/model-folder.js";
import { type Transformers, transformersRuntime } from "../model/onnx/runtimes.js";
import { projectDir, workspace } from "../workspace.js";

const MODEL = path.join(projectDir, "models/fer2013");
/** About the face in the photograph. */
const FACE = { left: 160, top: 110, width: 240, height: 240 };
/** Largest difference of a probability for an image of the model's size, and for a larger one, which transformers.js does not smooth. */
const [SAME_SIZE, LARGER] = [1e-5, 0.05];

describe("a model in transformers.js", function () {
  this.timeout(600_000);
  const folder = workspace("suite");
  let transformers: Transformers;

  before("finds transformers.js", async function () {
    const found = await transformersRuntime();
    if (found === null) {
      console.log("      skipped: npm cannot install transformers.js here");
      this.skip();
    }
    transformers = found as Transformers;
    transformers.env.allowRemoteModels = false;
  });

  it("gives the probabilities of ferkit", async () => {
    const { config, parameters } = await loadParameters(MODEL);
    await exportTransformers(folder.file("web"), config, parameters);
    const photo = sharp(path.join(projectDir, "test/faces/photos/grace-hopper.jpg")).extract(FACE);
    await photo.clone().resize(144, 144).toFile(folder.file("same.png"));
    await photo.toFile(folder.file("larger.png"));
    const classify = await transformers.pipeline("image-classification", folder.file("web"), {
      dtype: "fp32",
    });
    const classifier = await loadClassifier(MODEL);
    const differenceOf = async (name: string) => {
      const [{ predictions }] = await classifier.predict(folder.file(name));
      const found = await classify(folder.file(name), { top_k: 7 });
      assert.deepEqual(
        found.map(({ label }) => label),
        predictions.map(({ className }: Prediction) => className),
      );
      return Math.max(...found.map(({ score }, i) => Math.abs(score - predictions[i].prob)));
    };
    const differences = [await differenceOf("same.png"), await differenceOf("larger.png")];
    classifier.dispose();
    console.log(
      `      largest differences: same size ${differences[0].toExponential(1)}, larger ${differences[1].toExponential(1)}`,
    );
    assert.ok(differences[0] <= SAME_SIZE && differences[1] <= LARGER, `${differences}`);
  });
});
