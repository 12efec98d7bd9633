// Measures the search for near-duplicates: how many made copies of a data set's images it finds, and how many other pairs.
//
// Takes one image from each group of near-duplicates, makes a copy of each by one kind of change at a time, and searches originals
// and copies together. A pair of an image with its copy is right, any other pair is wrong.
//
//   npx tsx experiments/near-duplicates.mts DATA [COUNT]
import sharp, { type Sharp } from "sharp";
import {
  decodeImage,
  findNearDuplicates,
  loadDataset,
  type PackedImages,
  PixelArray,
  Random,
} from "../src/index.js";

const [IMAGE_SIZE, SEED] = [48, 0];

/** Changes of one image, as people make them; each drawn by `random`. */
const CHANGES: Record<string, (image: Sharp, random: Random) => Promise<Sharp> | Sharp> = {
  "JPEG, quality 75": (image) => saved(image, 75),
  "JPEG, quality 30": (image) => saved(image, 30),
  "half the size, enlarged again": async (image) =>
    sharp(
      await image
        .resize(IMAGE_SIZE / 2)
        .png()
        .toBuffer(),
    ),
  "cropped by up to 6% of the side": (image, random) => cropped(image, random, 3),
  "cropped by up to 10% of the side": (image, random) => cropped(image, random, 5),
  "brightness by up to 20%, contrast by up to 30%": (image, random) => {
    const gain = random.uniform(0.7, 1.3);
    return image.linear(gain, 128 * (1 - gain) + 255 * random.uniform(-0.2, 0.2));
  },
  "gamma of up to 1.5": (image, random) => image.gamma(random.uniform(1.05, 1.5), 1),
  mirrored: (image) => image.flop(),
  "cropped by up to 6%, brightness, JPEG": async (image, random) =>
    saved((await cropped(image, random, 3)).linear(random.uniform(0.85, 1.15), random.uniform(-20, 20)), 60),
};

async function saved(image: Sharp, quality: number): Promise<Sharp> {
  return sharp(await image.jpeg({ quality }).toBuffer());
}

async function cropped(image: Sharp, random: Random, most: number): Promise<Sharp> {
  const side = IMAGE_SIZE - 1 - random.integer(most);
  const [left, top] = [random.integer(IMAGE_SIZE - side + 1), random.integer(IMAGE_SIZE - side + 1)];
  return sharp(await image.extract({ left, top, width: side, height: side }).png().toBuffer());
}

async function changed(original: PackedImages, change: (typeof CHANGES)[string]): Promise<PackedImages> {
  const { numImages, numChannels } = original;
  const raw = { width: IMAGE_SIZE, height: IMAGE_SIZE, channels: numChannels };
  const length = IMAGE_SIZE ** 2 * numChannels;
  const bytes = new Uint8Array(numImages * length);
  const random = new Random(SEED, "changes");
  for (let i = 0; i < numImages; i++) {
    const image = sharp(await original.pixels.read(Int32Array.of(i)), { raw });
    const result = await change(image, random);
    const { pixels } = await decodeImage(await result.png().toBuffer(), IMAGE_SIZE);
    bytes.set(numChannels === 3 ? pixels : pixels.filter((_, at) => at % 3 === 0), i * length);
  }
  return { ...original, pixels: new PixelArray(bytes, length) };
}

async function main(data: string, count: number): Promise<void> {
  const { train, validation } = await loadDataset({ data, imageSize: IMAGE_SIZE, seed: SEED });
  const found = await findNearDuplicates([train, validation]);
  console.log(`${data}: ${found.pairs.length} pairs among ${train.numImages + validation.numImages} images`);
  const firsts = found.groups.filter((first, index) => first === index && first < train.numImages);
  const order = new Random(SEED, "images").permutation(firsts.length).subarray(0, count);
  const indices = Int32Array.from(order, (i) => firsts[i]);
  const original: PackedImages = {
    ...train,
    pixels: new PixelArray(await train.pixels.read(indices), IMAGE_SIZE ** 2 * train.numChannels),
    labels: Int32Array.from(indices, (index) => train.labels[index]),
    numImages: indices.length,
    paths: [...indices].map((index) => train.paths[index]),
  };
  for (const [name, change] of Object.entries(CHANGES)) {
    const { groups, duplicates, pairs } = await findNearDuplicates([
      original,
      await changed(original, change),
    ]);
    const numFound = [...indices.keys()].filter((i) => groups[i] === groups[indices.length + i]).length;
    const numWrong = pairs.filter(({ indices: [a, b] }) => a % indices.length !== b % indices.length).length;
    const numEqual = [...indices.keys()].filter((i) => duplicates[indices.length + i] === i).length;
    const percent = (value: number) => `${((100 * value) / indices.length).toFixed(1)}%`;
    console.log(`${name}: found ${percent(numFound)} (${numEqual} unchanged), ${numWrong} wrong pairs`);
  }
}

const [data, count = "1000"] = process.argv.slice(2);
main(data, Number(count));
