// Averages the weights of two models of the same network, of which one was trained on from the other.
//
//   npx tsx experiments/average_weights.mts MODEL MODEL SHARE OUTPUT
//
// SHARE is that of the second model, [0, 1].
import { internals, loadModel, saveModel } from "../src/index.js";

async function main([first, second, share, output]: string[]): Promise<void> {
  const networks = [await loadModel(first), await loadModel(second)];
  const [one, two] = await Promise.all(networks.map((network) => network.parameters()));
  // The list of images is that of the first model's run, and nothing calibrated the mean.
  const { imageList, calibration, predictionSets, ...config } = networks[0].config;
  for (const network of networks) network.dispose();
  const weight = Number(share);
  for (const [name, { shape, data }] of one) {
    const other = two.get(name)?.data;
    if (other?.length !== data.length)
      throw new Error(`${second} has no ${name} of ${internals.formatCount(data.length)} numbers`);
    one.set(name, {
      shape,
      data: Float32Array.from(data, (value, i) => (1 - weight) * value + weight * other[i]),
    });
  }
  await saveModel(output, config, one);
}

void main(process.argv.slice(2));
