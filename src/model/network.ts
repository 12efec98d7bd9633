import * as kernels from "../engine/kernels.js";
import { type Tensor, type Tensor2D, type Tensor4D, tf } from "../engine/tf.js";
import { readVariables, Variable } from "../engine/variable.js";
import { InputError } from "../errors.js";
import { Random } from "../random.js";
import { type Architecture, efficientNet, type Variant } from "./efficientnet.js";
import { runForInference } from "./inference.js";
import { type ParameterSpec, parameterSpecs } from "./parameters.js";
import { LUMA, type Preprocessing } from "./preprocessing.js";

/** What a model must carry to be used with no further word: it is saved with the weights. */
export interface ModelConfig {
  variant: Variant;
  /** Sorted; `classNames[label]` names a class. */
  classNames: string[];
  /** Side of the square input, in pixels. */
  imageSize: number;
  /** What is subtracted from, then divided into, pixels of 0–255. */
  preprocessing: Preprocessing;
  /** Trained on grey images: others are turned grey before they are classified. */
  grey?: boolean;
  /** How the last layer was scaled after training; absent where it was not. */
  calibration?: Calibration;
}

/** What the logits were divided by, so that probabilities are as often right as they say. */
export interface Calibration {
  temperature: number;
  /** Images that it was fitted on. */
  numImages: number;
}

/** Weights outside the engine. */
export interface ParameterValue {
  shape: number[];
  data: Float32Array;
}

/** EfficientNet with its parameters in the engine. Dispose it when done. */
export class Network {
  readonly architecture: Architecture;
  /** In the order in which the layers run. */
  readonly specs: readonly ParameterSpec[];
  readonly variables: ReadonlyMap<string, Variable>;

  /** @param parameters - One for each of `parameterSpecs`, of its shape. */
  constructor(
    readonly config: ModelConfig,
    parameters: ReadonlyMap<string, ParameterValue>,
  ) {
    const { variant, classNames } = config;
    this.architecture = efficientNet(variant, classNames.length);
    this.specs = parameterSpecs(variant, classNames.length);
    for (const spec of this.specs) checkParameter(spec, parameters.get(spec.name));
    this.variables = new Map(
      this.specs.map(({ name, shape }) => {
        const { data } = parameters.get(name) as ParameterValue;
        return [name, new Variable(() => tf.tensor(data, shape))];
      }),
    );
  }

  /** The value of each parameter now; the caller disposes them. */
  read(): Map<string, Tensor> {
    return readVariables(this.variables);
  }

  /** Copies the parameters out of the engine. */
  async parameters(): Promise<Map<string, ParameterValue>> {
    return download(this.read());
  }

  /**
   * Logits of a batch by moving statistics.
   *
   * @param images - Pixels of 0–255 `[batchSize, imageSize, imageSize, 3]`.
   * @param values - Other values of the parameters, as those of an average.
   * @returns `[batchSize, numClasses]`; the caller disposes it.
   */
  logits(images: Tensor4D, values?: ReadonlyMap<string, Tensor>): Tensor2D {
    const own = values ?? this.read();
    const { architecture, config } = this;
    const { preprocessing } = config;
    const logits = runForInference({ architecture, preprocessing }, images, own);
    if (!values) tf.dispose([...own.values()]);
    return logits;
  }

  dispose(): void {
    for (const variable of this.variables.values()) variable.dispose();
  }
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
 * Fresh values for one parameter: kernels of convolutions from a normal distribution with variance 2 / fan-out, as the
 * reference code has it; the last layer's uniform within ±1/√fan-in; batch norm the identity.
 */
export function initialValue({ name, shape, kind }: ParameterSpec, seed: number): ParameterValue {
  const length = shape.reduce((product, dimension) => product * dimension, 1);
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

function checkParameter({ name, shape }: ParameterSpec, value: ParameterValue | undefined): void {
  if (value && value.shape.join() === shape.join()) return;
  throw new InputError({
    expected: `weights of shape [${shape}] for ${name}`,
    found: value ? `shape [${value.shape}]` : "none of that name",
    fix: "Take weights of the same variant and number of classes.",
  });
}

/**
 * Images as a network knows them: of its size, and without colour where it was trained on grey ones.
 *
 * @param images - Pixels of 0–255 `[batchSize, height, width, 3]`; stay the caller's, who disposes the result.
 */
export function resizeToInput(
  images: Tensor4D,
  { imageSize, grey }: Pick<ModelConfig, "imageSize" | "grey">,
): Tensor4D {
  return tf.tidy(() => {
    const pixels = grey ? greyImages(images) : images;
    return pixels.shape[1] === imageSize ? pixels.clone() : kernels.resizeBilinear(pixels, imageSize);
  });
}

/** As `toGrey` makes pixels grey. */
function greyImages(images: Tensor4D): Tensor4D {
  const brightness = images.mul(LUMA).sum(3, true).round();
  return tf.tile(brightness as Tensor4D, [1, 1, 1, 3]);
}
