// Measures what thresholds of prediction sets are worth if they come from images that a model was trained on.
//
//   npx tsx experiments/conformal.mts DATA [MODEL] [NUM_IMAGES]
//
// It fits thresholds to as many training images, and to half of the validation images, and checks both on the other half.
import { internals, loadDataset, loadModel, Random } from "../src/index.js";

const SEED = 0;

async function main([data, model = "models/fer2013", numImages = "3000"]: string[]): Promise<void> {
  const network = await loadModel(model);
  const { classNames, imageSize, grey = false } = network.config;
  const { train, validation } = await loadDataset({ data, imageSize, classNames, grey });
  const draw = (from: typeof train, count: number, start = 0) =>
    internals.selectImages(
      from,
      new Random(SEED, "conformal").permutation(from.numImages).slice(start, start + count),
    );
  const half = Math.floor(validation.numImages / 2);
  const fitted = { train: draw(train, Number(numImages)), validation: draw(validation, half) };
  const checked = draw(validation, validation.numImages, half);
  const checkedProbs = await internals.classify(network, checked);
  for (const [name, images] of Object.entries(fitted)) {
    const probs = await internals.classify(network, images);
    const { accuracy, loss } = internals.score(probs, images.labels, classNames);
    for (const threshold of internals.fitThresholds(probs, images.labels, classNames.length)) {
      const scores = internals.setScores(checkedProbs, checked.labels, classNames, threshold);
      console.log(JSON.stringify({ from: name, numImages: images.numImages, accuracy, loss, ...scores }));
    }
  }
  network.dispose();
}

void main(process.argv.slice(2));
