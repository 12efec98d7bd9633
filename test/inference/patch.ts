// A network that tells images with a bright patch from those without, made by hand.
import { tf } from "../../src/engine/tf.js";
import { lastFeatures } from "../../src/model/forward.js";
import { initialValue, type ModelConfig, Network } from "../../src/model/network.js";
import { parameterSpecs } from "../../src/model/parameters.js";

const SIZE = 144;
/** Side of a patch, in pixels. */
const SIDE = 32;
const GROUND = 128;
const CONFIG: ModelConfig = {
  variant: "lite0",
  classNames: ["never", "patch"],
  imageSize: SIZE,
  preprocessing: { mean: [GROUND, GROUND, GROUND], std: [GROUND, GROUND, GROUND] },
};
/** Middles of patches, `[y, x]`. */
export const PATCH_PLACES: [number, number][] = [
  [72, 72],
  [40, 100],
  [100, 40],
];

/** A plain image. */
export const plainPixels = () => new Uint8Array(3 * SIZE ** 2).fill(GROUND);

/** A plain image with a bright patch, uint8 `[144, 144, 3]`. */
export function patchedPixels([middleY, middleX]: [number, number]): Uint8Array {
  const pixels = plainPixels();
  for (let y = middleY - SIDE / 2; y < middleY + SIDE / 2; y++)
    pixels.fill(255, 3 * (y * SIZE + middleX - SIDE / 2), 3 * (y * SIZE + middleX + SIDE / 2));
  return pixels;
}

/** Returns the position of a map's largest value, `[y, x]`. */
export function peakOf(heat: Float32Array): [number, number] {
  const place = heat.indexOf(heat.reduce((a, b) => Math.max(a, b)));
  return [Math.floor(place / SIZE), place % SIZE];
}

/**
 * A network of random layers whose depthwise convolutions pass on the pixel in their middle, so that the places of its last map see
 * around pixels 15, 47, …, 143 only, and to which a plain ground is nothing at all. The class `patch` has the features of a patch in
 * the middle as its weights, scaled to a logit of 4; the class `never` has none.
 */
export function patchNetwork(): Network {
  const specs = parameterSpecs("lite0", 2);
  const parameters = new Map(specs.map((spec) => [spec.name, initialValue(spec, 0)]));
  for (const [name, { shape, data }] of parameters)
    if (name.endsWith("depthwise_kernel")) {
      const taps = shape[0] * shape[1];
      for (let i = 0; i < data.length; i++) data[i] = Number(Math.floor(i / shape[2]) === (taps - 1) / 2);
    }
  const random = new Network(CONFIG, parameters);
  const means = tf.tidy(() => {
    const image = tf.tensor4d(Float32Array.from(patchedPixels([72, 72])), [1, SIZE, SIZE, 3]);
    return lastFeatures(random, image, random.read()).mean([0, 1, 2]).dataSync<"float32">();
  });
  random.dispose();
  const squares = means.reduce((sum, mean) => sum + mean * mean, 0);
  const kernel = Float32Array.from({ length: 2 * means.length }, (_, i) =>
    i % 2 ? (4 * means[(i - 1) / 2]) / squares : 0,
  );
  parameters.set("predictions/kernel", { shape: [means.length, 2], data: kernel });
  return new Network(CONFIG, parameters);
}
