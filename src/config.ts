// Every hyperparameter once: its unit, its reason, and the presets that differ in it.
import { type AugmentOptions, checkAugment, NO_AUGMENTATION, SEED_AUGMENTATION } from "./data/augment.js";
import { checkChoice, checkNumber, ParameterError } from "./errors.js";
import { efficientNet, VARIANTS, type Variant } from "./model/efficientnet.js";
import { trainableBlocks } from "./model/parameters.js";
import { type ClassWeights, checkClassWeights, checkMix } from "./training/targets.js";

export interface TrainConfig {
  /** EfficientNet's size. */
  variant: Variant;
  /** `imagenet`, `random`, or a path: of torch or safetensors weights, or of a model folder to start from. */
  weights: string;
  /** Side of the square input, in pixels. */
  imageSize: number;
  /** Governs split, shuffle, augmentation, dropout and initial weights. */
  seed: number;
  /** Passes over the training images, `headEpochs` included. */
  epochs: number;
  /** First passes that train the last layer alone. */
  headEpochs: number;
  /** First block that trains after that: `stem` = the whole network; the blocks before stay frozen. */
  trainableFrom: string;
  batchSize: number;
  /** Peak of the schedule of the whole network. */
  learningRate: number;
  /** Constant, while the last layer trains alone. */
  headLearningRate: number;
  schedule: "cosine" | "constant";
  /** Share of the schedule's steps that rise linearly from 0, [0, 1). */
  warmupShare: number;
  /** AdamW's decay of kernels, times the learning rate; 0 = Adam. */
  weightDecay: number;
  /** Mass of the target spread over all classes, [0, 1). */
  labelSmoothing: number;
  /** `none`, `balanced` (inverse to each class's count), or a weight per class. */
  classWeights: ClassWeights;
  /** Beta's parameter; 0 = off. */
  mixup: number;
  /** Beta's parameter; 0 = off. */
  cutmix: number;
  /** Decay of the moving average of weights that is validated and kept; 0 = off. */
  averageDecay: number;
  /** Before the last layer, [0, 1). */
  dropoutRate: number;
  /** Stochastic depth at the last block, [0, 1). */
  dropPathRate: number;
  /** How far batch norm's moving statistics go towards each batch's. */
  batchNormMomentum: number;
  /** Epochs without a better validation accuracy after which to stop; 0 = never. */
  patience: number;
  augment: AugmentOptions;
}

/** The recipe that ferkit's results are measured against: Adam at a constant rate, flip and rotation. */
const SEED: TrainConfig = {
  variant: "lite0",
  weights: "imagenet",
  imageSize: 48,
  seed: 0,
  epochs: 15,
  headEpochs: 0,
  trainableFrom: "stem",
  batchSize: 32,
  learningRate: 1e-3,
  headLearningRate: 1e-3,
  schedule: "constant",
  warmupShare: 0,
  weightDecay: 0,
  labelSmoothing: 0,
  classWeights: "none",
  mixup: 0,
  cutmix: 0,
  averageDecay: 0,
  dropoutRate: 0,
  dropPathRate: 0,
  batchNormMomentum: 0.1,
  patience: 0,
  augment: SEED_AUGMENTATION,
};

export type PresetName = "tutorial" | "seed" | "fer2013" | "fer2013-fast";

export const PRESETS: Record<PresetName, TrainConfig> = {
  seed: SEED,
  /**
   * Under two minutes on two cores, on the embedded faces: the whole network from the start, since drawings are far from the
   * photographs that it knows, and a frozen one would learn little from them.
   */
  tutorial: {
    ...SEED,
    epochs: 8,
    learningRate: 2e-3,
    schedule: "cosine",
    warmupShare: 0.1,
    weightDecay: 0.05,
    labelSmoothing: 0.1,
    dropoutRate: 0.2,
    augment: { ...SEED_AUGMENTATION, translation: 0.05, zoom: [0.9, 1.1] },
  },
  /**
   * Real faces within 45 minutes on two slow cores: enlarged to 72 pixels, since the pre-trained filters were made for more
   * than 48 (64 pixels and 10 epochs take two thirds of the time, for a point less); a large batch, which the engine runs
   * faster; decay, smoothing, stochastic depth and a moving average against the over-fitting that ends the seed recipe at
   * its seventh epoch.
   */
  fer2013: {
    ...SEED,
    imageSize: 72,
    epochs: 12,
    batchSize: 128,
    learningRate: 2.5e-3,
    schedule: "cosine",
    warmupShare: 0.1,
    weightDecay: 0.05,
    labelSmoothing: 0.1,
    averageDecay: 0.995,
    dropoutRate: 0.3,
    dropPathRate: 0.1,
    augment: {
      ...SEED_AUGMENTATION,
      rotation: 15,
      translation: 0.06,
      zoom: [0.9, 1.15],
      brightness: 0.15,
      contrast: 0.15,
      erasing: 0.25,
    },
  },
  /**
   * Real faces in minutes on two slow cores: few epochs, and so only as much augmentation and smoothing as keeps the images from
   * being learnt by heart; 64 pixels for the reason that `fer2013` has 72.
   */
  "fer2013-fast": {
    ...SEED,
    imageSize: 64,
    epochs: 5,
    batchSize: 64,
    learningRate: 2e-3,
    schedule: "cosine",
    warmupShare: 0.15,
    weightDecay: 0.05,
    labelSmoothing: 0.1,
    averageDecay: 0.99,
    dropoutRate: 0.2,
    augment: { ...SEED_AUGMENTATION, rotation: 10, translation: 0.05, zoom: [0.9, 1.1] },
  },
};

/** Values to put in place of a preset's; null leaves them as they are. Those of `augment` are replaced one by one. */
export type Overrides = {
  [Name in keyof Omit<TrainConfig, "variant" | "augment">]?: TrainConfig[Name] | null;
} & { variant?: string | null; augment?: Partial<AugmentOptions> | null };

/**
 * The configuration of a preset with some values replaced, checked.
 *
 * @throws ParameterError for an unknown preset, an unknown name, or a value out of range.
 */
export function trainConfig(preset: string, overrides: Overrides = {}): TrainConfig {
  const base = PRESETS[checkChoice("preset", preset, Object.keys(PRESETS) as PresetName[])];
  for (const name of Object.keys(overrides))
    checkChoice("the name of a training option", name, Object.keys(base));
  const given = Object.fromEntries(Object.entries(overrides).filter(([, value]) => (value ?? null) !== null));
  if (given.augment !== undefined && Object(given.augment) !== given.augment)
    throw new ParameterError("augment", "an object of augmentation options", given.augment);
  const augment = { ...NO_AUGMENTATION, ...base.augment, ...overrides.augment };
  return checkTrainConfig({ ...base, ...given, augment });
}

/** Returns `config` when every value is in range. */
export function checkTrainConfig(config: TrainConfig): TrainConfig {
  const count = { min: 1, integer: true };
  const share = { min: 0, max: 1, exclusiveMax: true };
  checkChoice("variant", config.variant, Object.keys(VARIANTS));
  trainableBlocks(efficientNet(config.variant, 2), config.trainableFrom); // refuses a block that is none of the variant's
  checkNumber("imageSize", config.imageSize, { min: 33, max: 1024, integer: true });
  checkNumber("seed", config.seed, { min: 0, max: 0x7fffffff, integer: true });
  checkNumber("epochs", config.epochs, count);
  checkNumber("headEpochs", config.headEpochs, { min: 0, max: config.epochs, integer: true });
  checkNumber("batchSize", config.batchSize, { ...count, max: 4096 });
  for (const name of ["learningRate", "headLearningRate"] as const)
    if (!(checkNumber(name, config[name], { min: 0, max: 10 }) > 0))
      throw new ParameterError(name, "a number > 0", config[name]);
  checkChoice("schedule", config.schedule, ["cosine", "constant"]);
  for (const name of [
    "warmupShare",
    "labelSmoothing",
    "averageDecay",
    "dropoutRate",
    "dropPathRate",
  ] as const)
    checkNumber(name, config[name], share);
  checkNumber("weightDecay", config.weightDecay, { min: 0, max: 1 });
  checkNumber("batchNormMomentum", config.batchNormMomentum, { min: 0, max: 1 });
  checkClassWeights(config.classWeights);
  checkMix(config);
  checkNumber("patience", config.patience, { min: 0, integer: true });
  checkAugment(config.augment);
  return config;
}
