// Compares a model's calibration error with that of exact probabilities on as many images, and with a temperature from other images.
//
//   npx tsx experiments/calibration.mts DATA [MODEL] [LABELS]
//
// It draws labels from the probabilities themselves, 1,000 times; and fits a temperature to each half of the validation images, to
// use it on the other half.
import { internals, loadDataset, loadModel, Random } from "../src/index.js";

const SEED = 0;
const NUM_DRAWS = 1000;

async function main([data, model = "models/fer2013", labelsFile]: string[]): Promise<void> {
  const network = await loadModel(model);
  const { classNames, imageSize, grey = false } = network.config;
  const labelled = labelsFile === undefined ? {} : { labels: labelsFile };
  const { validation } = await loadDataset({ data, imageSize, classNames, grey, ...labelled });
  const probs = await internals.classify(network, validation);
  network.dispose();
  const { labels, numImages } = validation;
  const numClasses = classNames.length;
  const errorOf = (some: Float32Array, ofImages: Int32Array) =>
    internals.calibrationError(internals.reliability(some, ofImages, numClasses));

  const random = new Random(SEED, "exact");
  const drawLabel = (image: number) => {
    let rest = random.uniform(0, 1);
    for (let c = 0; c < numClasses - 1; c++) {
      rest -= probs[image * numClasses + c];
      if (rest <= 0) return c;
    }
    return numClasses - 1;
  };
  const drawn = Array.from({ length: NUM_DRAWS }, () =>
    errorOf(
      probs,
      Int32Array.from({ length: numImages }, (_, i) => drawLabel(i)),
    ),
  ).sort((a, b) => a - b);

  const order = new Random(SEED, "halves").permutation(numImages);
  const halves = [order.slice(0, numImages / 2), order.slice(numImages / 2)].map((indices) => ({
    probs: Float32Array.from(
      [...indices].flatMap((i) => [...probs.slice(i * numClasses, (i + 1) * numClasses)]),
    ),
    labels: Int32Array.from(indices, (i) => labels[i]),
  }));
  const temperatures = halves.map((half) => internals.fitTemperature(half.probs, half.labels, numClasses));
  const scaled = halves.map((half, i) =>
    internals.withTemperature(half.probs, numClasses, temperatures[1 - i]),
  );
  console.log(
    JSON.stringify({
      model,
      numImages,
      error: errorOf(probs, labels),
      exact: {
        mean: drawn.reduce((sum, error) => sum + error, 0) / NUM_DRAWS,
        interval90: [drawn[NUM_DRAWS * 0.05], drawn[NUM_DRAWS * 0.95]],
        shareBelow15: drawn.filter((error) => error <= 0.015).length / NUM_DRAWS,
      },
      temperatures,
      errorWithTemperature: errorOf(
        Float32Array.from(scaled.flatMap((half) => [...half])),
        Int32Array.from(halves.flatMap((half) => [...half.labels])),
      ),
    }),
  );
}

void main(process.argv.slice(2));
