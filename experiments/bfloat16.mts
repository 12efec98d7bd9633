// Measures what inference in bfloat16 costs and gains: the same model on all validation images in both precisions.
//
//   npx tsx experiments/bfloat16.mts DATA [MODEL] [BATCH_SIZE]
//
// Rounds of both precisions take turns. Images per second are those of the network alone, the median over the rounds.
import { internals, loadDataset, loadModel, type Network, type PackedImages, tf } from "../src/index.js";

const NUM_ROUNDS = 3;

type Precision = Parameters<Network["setPrecision"]>[0];

/** Computes the probabilities of all images, and the milliseconds that the network takes. */
async function measure(network: Network, images: PackedImages, batchSize: number) {
  const probs: number[] = [];
  let milliseconds = 0;
  for (let start = 0; start < images.numImages; start += batchSize) {
    const length = Math.min(batchSize, images.numImages - start);
    const batch = await internals.gather(
      images,
      Int32Array.from({ length }, (_, i) => start + i),
    );
    const began = performance.now();
    const logits = network.logits(batch.images);
    await logits.data();
    milliseconds += performance.now() - began;
    const output = tf.softmax(logits);
    probs.push(...(await output.data()));
    tf.dispose([batch.images, logits, output]);
  }
  return { probs: Float32Array.from(probs), milliseconds };
}

async function main([data, model = "models/fer2013", batchSize = "32"]: string[]): Promise<void> {
  const network = await loadModel(model);
  const { classNames, imageSize, grey = false } = network.config;
  const { validation } = await loadDataset({ data, imageSize, classNames, grey, validationShare: 1 });
  const rounds: Record<Precision, Awaited<ReturnType<typeof measure>>[]> = { float32: [], bfloat16: [] };
  const precisions = Object.keys(rounds) as Precision[];
  for (let round = 0; round < NUM_ROUNDS; round++)
    for (const precision of precisions) {
      network.setPrecision(precision);
      rounds[precision].push(await measure(network, validation, Number(batchSize)));
    }
  for (const precision of precisions) {
    const { probs } = rounds[precision][0];
    const { accuracy, macroF1, loss } = internals.score(probs, validation.labels, classNames);
    const times = rounds[precision].map(({ milliseconds }) => milliseconds).sort((a, b) => a - b);
    const imagesPerSecond = (1000 * validation.numImages) / times[Math.floor(times.length / 2)];
    console.log(JSON.stringify({ precision, accuracy, macroF1, loss, imagesPerSecond }));
  }
  const [exact, rounded] = precisions.map((precision) => rounds[precision][0].probs);
  const gaps = exact.map((prob, i) => Math.abs(prob - rounded[i]));
  const [tops, others] = [exact, rounded].map((probs) => internals.argMax(probs, classNames.length));
  console.log(
    JSON.stringify({
      numImages: validation.numImages,
      batchSize: Number(batchSize),
      largestDifference: gaps.reduce((a, b) => Math.max(a, b)),
      meanDifference: gaps.reduce((a, b) => a + b) / gaps.length,
      otherTopClass: tops.filter((top, i) => top !== others[i]).length,
    }),
  );
  network.dispose();
}

void main(process.argv.slice(2));
