// Every hyperparameter, with its unit and range.
import { type AugmentOptions, BASELINE_AUGMENTATION, checkAugment } from "./data/augment.js";
import { checkGrey } from "./data/pixels/cache.js";
import { PRECISIONS, type Precision } from "./engine/backend.js";
import { checkChoice, checkNames, checkNumber, ParameterError } from "./errors.js";
import { FAMILIES, type Family } from "./model/conventions.js";
import { efficientNet, VARIANTS, type Variant } from "./model/efficientnet.js";
import { type BlockText, trainableBlocks } from "./model/parameters.js";
import { FITS, type Fit } from "./model/preprocessing.js";
import type { AnyText } from "./text.js";
import { type ClassWeights, checkClassWeights, checkMix } from "./training/targets.js";

const MONITORS = ["accuracy", "macroF1", "loss"] as const;
export type Monitor = (typeof MONITORS)[number];

/**
 * Every hyperparameter of a training. `trainConfig` builds one from a preset.
 *
 * @example
 * ```ts
 * import { type TrainConfig, trainConfig } from "ferkit";
 *
 * const longer = (config: TrainConfig): TrainConfig => ({ ...config, epochs: 2 * config.epochs });
 * console.log(longer(trainConfig("tutorial")).epochs); // 16
 * ```
 */
export interface TrainConfig {
  /** Size of EfficientNet. */
  variant: Variant;
  /** `imagenet`, `random`, or the path of torch or safetensors weights or of a model folder to start from. */
  weights: "imagenet" | "random" | AnyText;
  /** Family of the weights in a file: padding and epsilon, mean and deviation; `auto`: as the file says. */
  weightsFamily: "auto" | Family;
  /** Side of the square input, in pixels, [33, 1024]. */
  imageSize: number;
  /** How images become square: `crop` to the central square, `pad` with black bars, or `squash`. */
  fit: Fit;
  /** Whether images are used in grey; `auto`: if most of them are grey. */
  grey: "auto" | boolean;
  /** Determines split, shuffle, augmentation, dropout and initial weights; [0, 2147483647]. */
  seed: number;
  /** Passes over the training images, including `headEpochs`; an integer ≥ 1. */
  epochs: number;
  /** First epochs, which train the last layer alone, [0, `epochs`]. */
  headEpochs: number;
  /** First block that trains after `headEpochs`; the blocks before it stay frozen. `stem` trains the whole network. */
  trainableFrom: BlockText;
  /** Images in a step, [1, 4096]. */
  batchSize: number;
  /** Type in which layers pass on their results: `bfloat16` takes half of the memory. All is computed in float32 in both. */
  activations: Precision;
  /** Peak of the schedule, after `headEpochs`, (0, 10]. */
  learningRate: number;
  /** Constant rate during `headEpochs`, (0, 10]. */
  headLearningRate: number;
  /** How the learning rate continues after the warm-up: half a cosine down to 0, or the peak to the end. */
  schedule: "cosine" | "constant";
  /** Share of the schedule's steps that rise linearly from 0, [0, 1). */
  warmupShare: number;
  /** AdamW's decay of kernels, times the learning rate, [0, 1]; 0 = Adam. */
  weightDecay: number;
  /** Mass of the target that is spread over all classes, [0, 1). */
  labelSmoothing: number;
  /** `none`, `balanced` (inverse to each class's count), or weights > 0, by class name or for each class. */
  classWeights: ClassWeights;
  /** Parameter of the Beta distribution that shares of two images are drawn from, [0.01, 10]; 0 = off. */
  mixup: number;
  /** Parameter of the Beta distribution that the size of a rectangle is drawn from, [0.01, 10]; 0 = off. */
  cutmix: number;
  /** Share of the batches that are mixed, if mixup or CutMix is on, [0, 1]. */
  mixShare: number;
  /** Model folders of the same classes to learn from (distillation); empty = learn from the labels alone. */
  teachers: string[];
  /** Share of the teachers' mean probabilities in the targets, [0, 1]; the rest comes from the labels. */
  teacherShare: number;
  /** Decay of the exponential moving average of weights that is validated and saved, [0, 1); 0 = off. */
  emaDecay: number;
  /** Share of the features that dropout hides before the last layer, [0, 1). */
  dropoutRate: number;
  /** Stochastic depth at the last block, [0, 1). */
  dropPathRate: number;
  /** Share of each batch in batch norm's moving statistics, [0, 1]. */
  batchNormMomentum: number;
  /** Score on the validation images by which epochs are compared. Of equal ones, the lower loss is better. */
  monitor: Monitor;
  /** Share of each class's training images that are set aside to calibrate the best model on, [0, 1); 0 = none. */
  calibrationShare: number;
  /** Epochs without a better monitored score before the run stops, counted after `headEpochs`; an integer ≥ 0, 0 = never. */
  patience: number;
  /** Time after which a session ends, in minutes from its first batch, ≥ 0; 0 = none. The same run resumes when it is started again. */
  maxMinutes: number;
  /** Random changes to the training images. */
  augment: AugmentOptions;
}

/** The preset `baseline`, which has a value for every setting: Adam at a constant rate, flip and rotation. */
export const BASELINE: TrainConfig = {
  variant: "lite0",
  weights: "imagenet",
  weightsFamily: "auto",
  imageSize: 48,
  fit: "crop",
  grey: "auto",
  seed: 0,
  epochs: 15,
  headEpochs: 0,
  trainableFrom: "stem",
  batchSize: 32,
  activations: "float32",
  learningRate: 1e-3,
  headLearningRate: 1e-3,
  schedule: "constant",
  warmupShare: 0,
  weightDecay: 0,
  labelSmoothing: 0,
  classWeights: "none",
  mixup: 0,
  cutmix: 0,
  mixShare: 1,
  teachers: [],
  teacherShare: 0.75,
  emaDecay: 0,
  dropoutRate: 0,
  dropPathRate: 0,
  batchNormMomentum: 0.1,
  monitor: "accuracy",
  calibrationShare: 0,
  patience: 0,
  maxMinutes: 0,
  augment: BASELINE_AUGMENTATION,
};

/**
 * Returns `config` if every name is known and every value is in range.
 *
 * @throws ParameterError otherwise.
 */
export function checkTrainConfig(config: TrainConfig): TrainConfig {
  checkNames(config, BASELINE);
  const count = { min: 1, integer: true };
  const share = { min: 0, max: 1, exclusiveMax: true };
  checkChoice("variant", config.variant, Object.keys(VARIANTS));
  if (typeof config.weights !== "string" || config.weights === "")
    throw new ParameterError("weights", "imagenet, random, or a path of weights", config.weights);
  checkChoice("weightsFamily", config.weightsFamily, ["auto", ...FAMILIES]);
  trainableBlocks(efficientNet(config.variant, 2), config.trainableFrom); // refuses a block that the variant does not have
  checkNumber("imageSize", config.imageSize, { min: 33, max: 1024, integer: true });
  checkChoice("fit", config.fit, FITS);
  checkGrey(config.grey);
  checkNumber("seed", config.seed, { min: 0, max: 0x7fffffff, integer: true });
  checkNumber("epochs", config.epochs, count);
  checkNumber("headEpochs", config.headEpochs, { min: 0, max: config.epochs, integer: true });
  checkNumber("batchSize", config.batchSize, { ...count, max: 4096 });
  checkChoice("activations", config.activations, PRECISIONS);
  for (const name of ["learningRate", "headLearningRate"] as const)
    if (!(checkNumber(name, config[name], { min: 0, max: 10 }) > 0))
      throw new ParameterError(name, "a number > 0", config[name]);
  checkChoice("schedule", config.schedule, ["cosine", "constant"]);
  for (const name of ["warmupShare", "labelSmoothing", "emaDecay", "dropoutRate", "dropPathRate"] as const)
    checkNumber(name, config[name], share);
  checkNumber("calibrationShare", config.calibrationShare, share);
  checkNumber("weightDecay", config.weightDecay, { min: 0, max: 1 });
  checkNumber("batchNormMomentum", config.batchNormMomentum, { min: 0, max: 1 });
  checkClassWeights(config.classWeights);
  checkMix(config);
  if (!Array.isArray(config.teachers) || config.teachers.some((dir) => typeof dir !== "string" || dir === ""))
    throw new ParameterError(
      "teachers",
      `a list of model folders, as in --set 'teachers=["runs/a/best","runs/b/best"]',`,
      config.teachers,
    );
  checkNumber("teacherShare", config.teacherShare, { min: 0, max: 1 });
  checkChoice("monitor", config.monitor, MONITORS);
  checkNumber("patience", config.patience, { min: 0, integer: true });
  checkNumber("maxMinutes", config.maxMinutes, { min: 0 });
  checkAugment(config.augment);
  return config;
}
