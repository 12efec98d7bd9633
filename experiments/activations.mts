// Trains the preset `baseline` with activations kept in float32 and in bfloat16, from the same seeds, on a part of the training images.
//
//   npx tsx experiments/activations.mts DATA [NUM_IMAGES] [EPOCHS] [SEEDS]
//
// Each run has a folder in runs/activations, which `npx ferkit runs runs/activations --chart FILE` draws. Runs that are there resume.
import { internals, loadDataset, Random, train, trainConfig } from "../src/index.js";

async function main([data, numImages = "4096", epochs = "3", seeds = "0,1"]: string[]): Promise<void> {
  const { imageSize } = trainConfig("baseline");
  const whole = await loadDataset({ data, imageSize });
  const chosen = new Random(0, "activations").permutation(whole.train.numImages).slice(0, Number(numImages));
  const dataset = { ...whole, train: internals.selectImages(whole.train, chosen) };
  for (const seed of seeds.split(",").map(Number))
    for (const activations of ["float32", "bfloat16"] as const) {
      const config = trainConfig("baseline", { epochs: Number(epochs), seed, activations });
      const runDir = `runs/activations/${activations}-seed-${seed}`;
      const losses: number[] = [];
      for await (const event of train(dataset, config, { runDir, data })) {
        if (event.type === "batch") losses.push(event.loss);
        if (event.type === "epoch")
          console.log(
            JSON.stringify({
              activations,
              seed,
              epoch: event.epoch,
              ...event.validation,
              train: event.train.loss,
            }),
          );
      }
      const tenths = Array.from({ length: 10 }, (_, i) => {
        const part = losses.slice((losses.length * i) / 10, (losses.length * (i + 1)) / 10);
        return part.reduce((sum, loss) => sum + loss, 0) / part.length;
      });
      console.log(JSON.stringify({ activations, seed, meanLossOfEachTenth: tenths }));
    }
}

void main(process.argv.slice(2));
