import { inspect } from "node:util";
import { type Plan, PRECISIONS, type Precision } from "../engine/backend.js";
import { backend, hasBfloat16 } from "../engine/device.js";
import { matMul, type Padding, resizeBilinear } from "../engine/kernels.js";
import { type Tensor, type Tensor2D, type Tensor4D, tf } from "../engine/tf.js";
import { Variable } from "../engine/variable.js";
import { checkChoice, checkKind, InputError, ParameterError } from "../errors.js";
import { inShort } from "../names.js";
import { Random } from "../random.js";
import { formatCount } from "../text.js";
import { type Architecture, efficientNet, type Variant } from "./efficientnet.js";
import { infer, lastFeatures, type Values } from "./forward.js";
import { type ParameterSpec, parameterSpecs, sizeOf } from "./parameters.js";
import { type Decoding, LUMA, type Preprocessing } from "./preprocessing.js";

/**
 * What is needed to use a model; saved with its weights.
 *
 * @example
 * ```ts
 * import { loadModel, type ModelConfig } from "ferkit";
 *
 * const describe = ({ variant, imageSize, classNames }: ModelConfig) =>
 *   `${variant} for images of ${imageSize} pixels: ${classNames.join(", ")}`;
 *
 * const network = await loadModel("runs/pets/best");
 * console.log(describe(network.config));
 * network.dispose();
 * ```
 */
export interface ModelConfig {
  /** Size of EfficientNet. */
  variant: Variant;
  /** Sorted; `classNames[label]` names a class. */
  classNames: string[];
  /** Side of the square input, in pixels. */
  imageSize: number;
  /** How pixels become the input. */
  preprocessing: Preprocessing;
  /** Padding of convolutions; by default `same`. */
  padding?: Padding;
  /** Added to the variance in every batch norm; by default 1e-3. */
  epsilon?: number;
  /** True if it was trained on grey images: others are turned grey before they are classified. */
  grey?: boolean;
  /** How the training images became square; absent: their central squares. */
  decoding?: Decoding;
  /** Always 0: no image was mirrored in its training. Absent if some were, or that is not known. */
  horizontalFlip?: 0;
  /** How the last layer was scaled after training, if it was. */
  calibration?: Calibration;
  /** From which probability on a class is in an image's prediction set, if the model was calibrated on images set aside. */
  predictionSets?: PredictionSets;
  /** Name of the file of weights before the model was calibrated once more, after its run. */
  calibratedFrom?: string;
  /** Digest of the list of its run's images, which is beside it. */
  imageList?: string;
}

/** How a model was calibrated, so that predictions of 80% are correct 80% of the time. */
export interface Calibration {
  /** What the logits were divided by. */
  temperature: number;
  /** Number of images that it was fitted on. */
  numImages: number;
}

/** Sets of classes that hold the right one with a chosen probability, by split conformal prediction. */
export interface PredictionSets {
  /** One for each coverage. */
  thresholds: SetThreshold[];
  /** Number of images that they were fitted on, which the model was neither trained nor validated on. */
  numImages: number;
}

/** From which probability on a class is in a set. */
export interface SetThreshold {
  /** Share of images whose set holds the right class, (0, 1). */
  coverage: number;
  /** Classes of at least this probability are in the set, [0, 1]. */
  minProb: number;
}

/** Weights outside the engine. */
export interface ParameterValue {
  /** As in TensorFlow. */
  shape: number[];
  /** Its numbers, row after row. */
  data: Float32Array;
}

/** @throws ParameterError if an argument of a program without types is no network. */
export function checkNetwork(network: unknown): void {
  const kind = "a network, as loadModel returns it and classifier.network is one";
  checkKind("network", kind, network, ["config", "read", "logits"]);
}

/**
 * EfficientNet with its parameters in the engine. Dispose it when done.
 *
 * @example
 * ```ts
 * import { loadModel, type Network, tf } from "ferkit";
 *
 * // Returns the logits of a black image.
 * function blackLogits(network: Network): Float32Array {
 *   const { imageSize } = network.config;
 *   return tf.tidy(() => network.logits(tf.zeros([1, imageSize, imageSize, 3])).dataSync() as Float32Array);
 * }
 *
 * const network = await loadModel("runs/pets/best");
 * console.log(blackLogits(network)); // one for each class
 * network.dispose();
 * ```
 */
export class Network {
  readonly architecture: Architecture;
  /** In the order in which the layers run. */
  readonly specs: readonly ParameterSpec[];
  readonly variables: ReadonlyMap<string, Variable>;
  /** For inference, and the tensors or versions of the values that it was made from. */
  private plan: Plan | null = null;
  private madeFrom: number[] = [];
  private precision: Precision = "float32";
  private isDisposed = false;

  /**
   * @param parameters - A value for each of `parameterSpecs`, of its shape.
   * @param where - Folder or file that they come from, for errors.
   * @throws InputError as `checkParameters`.
   */
  constructor(
    readonly config: ModelConfig,
    parameters: ReadonlyMap<string, ParameterValue>,
    where?: string,
  ) {
    const { variant, classNames } = config;
    this.architecture = efficientNet(variant, classNames.length, config);
    this.specs = parameterSpecs(variant, classNames.length);
    checkParameters(this.specs, parameters, where);
    this.variables = new Map(
      this.specs.map(({ name, shape }) => {
        const { data } = parameters.get(name) as ParameterValue;
        return [name, new Variable(() => tf.tensor(data, shape))];
      }),
    );
  }

  /** @hidden Text where it is printed, in place of its fields. */
  [inspect.custom](): string {
    const { variant, imageSize, classNames } = this.config;
    const numParameters = this.specs.reduce((sum, { shape }) => sum + sizeOf(shape), 0);
    const parameters = `${formatCount(numParameters)} parameters`;
    return `Network ${variant}, ${parameters}, images of ${imageSize} pixels, ${classNames.length} classes: ${inShort(classNames, 20)}`;
  }

  /** Returns the current value of each parameter; the caller disposes them. */
  read(): Map<string, Tensor> {
    this.checkNotDisposed();
    return backend().readVariables(this.variables);
  }

  /** Copies the parameters out of the engine. */
  async parameters(): Promise<Map<string, ParameterValue>> {
    return download(this.read());
  }

  /**
   * Computes the logits of a batch by moving statistics. A network that was trained on grey images sees them in grey.
   *
   * @param images - Pixels of 0–255 `[batchSize, imageSize, imageSize, 3]`.
   * @param values - Values to use instead of the network's parameters, such as their moving average.
   * @returns `[batchSize, numClasses]`; the caller disposes it.
   */
  logits(images: Tensor4D, values?: Values): Tensor2D {
    const plan = this.planOf(values);
    return this.seeing(images, (seen) =>
      plan ? plan.logits(seen) : this.using(values, (own) => infer(this, seen, own)),
    );
  }

  /**
   * Chooses the type of the numbers that inference computes with: float32, or bfloat16, which is faster and less exact.
   *
   * @throws InputError when this processor does not multiply bfloat16 numbers.
   */
  setPrecision(precision: Precision): void {
    checkChoice("precision", precision, PRECISIONS);
    if (precision === "bfloat16" && !hasBfloat16())
      throw new InputError({
        expected: "a processor with AVX512-BF16 for precision bfloat16",
        found: "one without, or no native ops",
        fix: "Choose float32.",
      });
    this.precision = precision;
    this.madeFrom = [];
  }

  /** Computes the feature map whose mean the last layer takes, `[batchSize, height, width, channels]`; the caller disposes it. */
  features(images: Tensor4D, values?: Values): Tensor4D {
    const plan = this.planOf(values);
    return this.seeing(images, (seen) =>
      plan ? plan.features(seen) : this.using(values, (own) => lastFeatures(this, seen, own)),
    );
  }

  /**
   * Calls `run` with the images as the network sees them: as float32, and in grey if it was trained on grey images.
   *
   * @throws ParameterError for anything but one or more images of three channels.
   */
  private seeing<T extends Tensor>(images: Tensor4D, run: (seen: Tensor4D) => T): T {
    checkKind("images", "a tensor of images", images, ["shape", "dtype", "toFloat"]);
    const { shape, dtype } = images;
    if (shape.length !== 4 || shape[3] !== 3 || shape.includes(0))
      throw new ParameterError("images", "a tensor of shape [batchSize, height, width, 3]", shape);
    const { grey } = this.config;
    if (!grey && dtype === "float32") return run(images);
    const seen = tf.tidy(() => (grey ? toGrey(images.toFloat()) : images.toFloat()));
    try {
      return run(seen);
    } finally {
      seen.dispose();
    }
  }

  /** Returns the plan of the values, if the backend makes plans; a new one only when values have changed. */
  private planOf(values?: Values): Plan | null {
    this.checkNotDisposed();
    const { buildPlan } = backend();
    if (!buildPlan) return null;
    const madeFrom = this.specs.map(({ name }) =>
      values ? (values.get(name) as Tensor).id : -(this.variables.get(name) as Variable).version,
    );
    const isSame = this.madeFrom.length > 0 && madeFrom.every((version, i) => version === this.madeFrom[i]);
    if (this.plan && isSame) return this.plan;
    this.plan?.dispose();
    this.plan = null; // if the next line throws
    this.madeFrom = madeFrom;
    this.plan = this.using(values, (own) => {
      const weights = this.specs.map(({ name }) => own.get(name) as Tensor);
      return buildPlan(this.architecture, this.config.preprocessing, weights, this.precision);
    });
    return this.plan;
  }

  /** Calls `use` with the values, or with the network's own. */
  private using<T>(values: Values | undefined, use: (values: Values) => T): T {
    if (values) return use(values);
    const own = this.read();
    try {
      return use(own);
    } finally {
      tf.dispose([...own.values()]);
    }
  }

  private checkNotDisposed(): void {
    if (this.isDisposed)
      throw new Error("This network was disposed. Load it again, or dispose it after its last use.");
  }

  /** Frees the parameters. */
  dispose(): void {
    if (this.isDisposed) return;
    this.isDisposed = true;
    this.plan?.dispose();
    for (const variable of this.variables.values()) variable.dispose();
  }
}

/** Turns RGB images grey. */
function toGrey(images: Tensor4D): Tensor4D {
  return tf.tidy(() => {
    const shares = tf.tile(tf.tensor2d(LUMA, [3, 1]), [1, 3]);
    return matMul(images.reshape([-1, 3]), shares).reshape(images.shape);
  });
}

/** Copies tensors out of the engine and disposes them. */
export async function download(values: Map<string, Tensor>): Promise<Map<string, ParameterValue>> {
  const parameters = new Map<string, ParameterValue>();
  for (const [name, tensor] of values) {
    parameters.set(name, { shape: tensor.shape, data: (await tensor.data()) as Float32Array });
    tensor.dispose();
  }
  return parameters;
}

/**
 * Draws initial values for one parameter: kernels of convolutions from a normal distribution with variance 2 / fan-out, as in the
 * reference code; the last layer's from a uniform one within ±1/√fan-in; batch norm is the identity.
 */
export function initialValue({ name, shape, kind }: ParameterSpec, seed: number): ParameterValue {
  const length = sizeOf(shape);
  const data = new Float32Array(length);
  if (kind === "gamma" || kind === "movingVariance") data.fill(1);
  if (kind === "kernel") {
    const random = new Random(seed, "initial", name);
    const bound = 1 / Math.sqrt(shape[0]);
    const fanOut = shape[0] * shape[1] * shape[shape.length - 1];
    for (let i = 0; i < length; i++)
      data[i] = shape.length === 2 ? random.uniform(-bound, bound) : random.normal(0, Math.sqrt(2 / fanOut));
  }
  return { shape, data };
}

/** Returns the name of the first parameter with a value that is NaN or infinite; null if there is none. */
export function nonFinite(parameters: ReadonlyMap<string, ParameterValue>): string | null {
  for (const [name, { data }] of parameters)
    for (let i = 0; i < data.length; i++) if (!Number.isFinite(data[i])) return name;
  return null;
}

/**
 * Checks the values of a network's parameters.
 *
 * @param where - Folder or file that they come from, for errors.
 * @throws InputError when one is missing or of another shape, a value is not finite, or a variance is negative, of which batch norm
 * would make NaN.
 */
export function checkParameters(
  specs: readonly ParameterSpec[],
  parameters: ReadonlyMap<string, ParameterValue>,
  where?: string,
): void {
  for (const spec of specs) checkParameter(spec, parameters.get(spec.name));
  const name = nonFinite(parameters);
  const isNegative = ({ name: own, kind }: ParameterSpec) =>
    kind === "movingVariance" && parameters.get(own)?.data.some((value) => value < 0);
  const negative = specs.find(isNegative)?.name;
  if (name === null && negative === undefined) return;
  throw new InputError({
    expected: name === null ? "variances of 0 or more" : "finite weights",
    where,
    found: name === null ? `a negative number in ${negative}` : `NaN or infinity in ${name}`,
    fix: "Choose other weights: these come from a training that failed, or a broken file.",
  });
}

function checkParameter({ name, shape }: ParameterSpec, value: ParameterValue | undefined): void {
  if (value && value.shape.join() === shape.join()) return;
  throw new InputError({
    expected: `weights of shape [${shape}] for ${name}`,
    found: value ? `shape [${value.shape}]` : "none of that name",
    fix: "Choose weights of the same variant and number of classes.",
  });
}

/** Layer that the logits are linear in. */
const LAST_LAYER = ["predictions/kernel", "predictions/bias"];

/**
 * Returns a model whose logits are divided by a temperature, in its last layer, so that any loader gets calibrated probabilities.
 * The temperature of an earlier calibration is multiplied in.
 *
 * @param parameters - Not changed.
 */
export function calibrated(
  config: ModelConfig,
  parameters: ReadonlyMap<string, ParameterValue>,
  { temperature, numImages }: Calibration,
): { config: ModelConfig; parameters: Map<string, ParameterValue> } {
  const scaled = new Map(parameters);
  for (const name of LAST_LAYER) {
    const { shape, data } = parameters.get(name) as ParameterValue;
    scaled.set(name, { shape, data: data.map((value) => value / temperature) });
  }
  const before = config.calibration?.temperature ?? 1;
  return {
    config: { ...config, calibration: { temperature: before * temperature, numImages } },
    parameters: scaled,
  };
}

/**
 * Resizes images to a network's input.
 *
 * @param images - `[batchSize, height, width, 3]`; stay the caller's, who disposes the result.
 */
export function resizeToInput(images: Tensor4D, { imageSize }: Pick<ModelConfig, "imageSize">): Tensor4D {
  return tf.tidy(() => resizeBilinear(images, [imageSize, imageSize]));
}
