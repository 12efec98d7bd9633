// The presets: how they differ, and why.
import { BASELINE, checkTrainConfig, type TrainConfig } from "./config.js";
import { type AugmentOptions, BASELINE_AUGMENTATION, NO_AUGMENTATION } from "./data/augment.js";
import { DATA_OPTIONS, type DataOptions } from "./data/data-options.js";
import { checkChoice, InputError, ParameterError, plainName } from "./errors.js";
import type { Variant } from "./model/efficientnet.js";
import type { AnyText } from "./text.js";

/** For faces in photographs, which are tilted and off-centre a little, in varying light. */
const PHOTO_AUGMENTATION: AugmentOptions = {
  ...BASELINE_AUGMENTATION,
  rotation: 15,
  translation: 0.06,
  zoom: [0.9, 1.15],
  brightness: 0.15,
  contrast: 0.15,
  erasing: 0.25,
};

/** Names of the presets. */
export type PresetName = "tutorial" | "baseline" | "fer2013" | "fer2013-fast" | "fer2013-best";

/**
 * Recipes to start from. docs/presets.md lists their values; why each has them is beside it in src/presets.ts.
 *
 * @example
 * ```ts
 * import { PRESETS } from "ferkit";
 *
 * for (const [name, { imageSize, epochs }] of Object.entries(PRESETS)) console.log(name, imageSize, epochs);
 * ```
 */
export const PRESETS: Record<PresetName, TrainConfig> = frozen({
  baseline: BASELINE,
  /**
   * For the drawn faces, in half a minute on two cores. Trains the whole network from the start, since a network that is
   * frozen as photographs left it would learn little from drawings.
   */
  tutorial: {
    ...BASELINE,
    epochs: 8,
    learningRate: 2e-3,
    schedule: "cosine",
    warmupShare: 0.1,
    weightDecay: 0.05,
    labelSmoothing: 0.1,
    dropoutRate: 0.2,
    augment: { ...BASELINE_AUGMENTATION, translation: 0.05, zoom: [0.9, 1.1] },
  },
  /**
   * For real faces, in about an hour on two cores.
   *
   * Enlarges to 144 pixels, since the pre-trained filters expect more than 48: a validation accuracy of 0.718 (mean of three
   * seeds), where 96 pixels give 0.703 in half the time. Decay, smoothing, stochastic depth and EMA work against the
   * overfitting that stops `baseline` at its seventh epoch. Mixup and CutMix cost accuracy in a run this short. The bundled
   * model as one of `teachers` added 1.2 points at 96 pixels (experiments/README.md).
   */
  fer2013: {
    ...BASELINE,
    imageSize: 144,
    epochs: 12,
    batchSize: 128,
    learningRate: 2.5e-3,
    schedule: "cosine",
    warmupShare: 0.1,
    weightDecay: 0.05,
    labelSmoothing: 0.1,
    emaDecay: 0.995,
    dropoutRate: 0.3,
    dropPathRate: 0.1,
    augment: PHOTO_AUGMENTATION,
  },
  /**
   * For real faces, in two hours on two cores, with three teachers. `models/fer2013` was trained by this recipe in PyTorch, with five `teachers`.
   *
   * 144 pixels give a point more than 112. Mixup and CutMix in half of the batches, stronger stochastic depth and a longer EMA
   * keep 30 epochs from overfitting (experiments/README.md).
   */
  "fer2013-best": {
    ...BASELINE,
    imageSize: 144,
    epochs: 30,
    batchSize: 128,
    learningRate: 2e-3,
    schedule: "cosine",
    warmupShare: 0.05,
    weightDecay: 0.05,
    labelSmoothing: 0.1,
    mixup: 0.2,
    cutmix: 1,
    mixShare: 0.5,
    emaDecay: 0.999,
    dropoutRate: 0.3,
    dropPathRate: 0.15,
    augment: PHOTO_AUGMENTATION,
  },
  /**
   * For real faces, in minutes on two slow cores. Few epochs need little augmentation and smoothing; 64 pixels for the same
   * reason as the 144 of `fer2013`.
   */
  "fer2013-fast": {
    ...BASELINE,
    imageSize: 64,
    epochs: 5,
    batchSize: 64,
    learningRate: 2e-3,
    schedule: "cosine",
    warmupShare: 0.15,
    weightDecay: 0.05,
    labelSmoothing: 0.1,
    emaDecay: 0.99,
    dropoutRate: 0.2,
    augment: { ...BASELINE_AUGMENTATION, rotation: 10, translation: 0.05, zoom: [0.9, 1.1] },
  },
});

/** Freezes an object and all that is in it, since every program of a process shares it. */
function frozen<T extends object>(values: T): T {
  for (const value of Object.values(values)) if (Object(value) === value) frozen(value);
  return Object.freeze(values);
}

/**
 * Values that replace a preset's; null keeps the preset's. Options of the augmentation are replaced one by one, inside `augment`
 * or by their own names: `{ horizontalFlip: 0 }`.
 */
export type Overrides = {
  [Name in keyof Omit<TrainConfig, "variant" | "augment">]?: TrainConfig[Name] | null;
} & { [Name in keyof AugmentOptions]?: AugmentOptions[Name] | null } & {
  variant?: Variant | AnyText | null;
  augment?: Partial<AugmentOptions> | null;
};

/** Name of a preset, or any text, which is checked. */
export type PresetText = PresetName | AnyText;

/**
 * Builds a preset's configuration with some values replaced, and checks it. With balanced class weights, `monitor` is macro-F1
 * by default.
 *
 * @param preset - `tutorial` for the drawn faces; `baseline` to compare with; `fer2013-fast`, `fer2013` and `fer2013-best` for
 * real faces, in minutes, about one hour and two hours on two cores.
 * @param overrides - Values to replace. Options of the augmentation may be given by their own names; null keeps the preset's
 * value.
 * @throws ParameterError for an unknown preset, an unknown name, or a value out of range; InputError for an option of
 * `loadDataset`.
 * @example
 * ```ts
 * import { trainConfig } from "ferkit";
 *
 * const config = trainConfig("fer2013", { imageSize: 64, seed: 1, rotation: 20 });
 * console.log(config.epochs, config.augment.rotation); // 12 20
 * ```
 */
export function trainConfig(preset: PresetText, overrides: Overrides = {}): TrainConfig {
  if (Object(overrides) !== overrides || Array.isArray(overrides))
    throw new ParameterError("overrides", "options by name, as in { epochs: 3 },", overrides);
  const base = PRESETS[checkChoice("preset", preset, Object.keys(PRESETS) as PresetName[])];
  const given: Record<string, unknown> = {};
  const augment: Record<string, unknown> = { ...NO_AUGMENTATION, ...base.augment };
  for (const [name, value] of Object.entries(overrides)) {
    const short = name.replace(/^augment\./, "");
    const isAugmentation = Object.hasOwn(NO_AUGMENTATION, short);
    if (!isAugmentation) refuseDataOption(name);
    if (!isAugmentation) checkChoice("a training option", name, OPTION_NAMES, OTHER_NAMES);
    if ((value ?? null) === null) continue;
    if (isAugmentation) augment[short] = value;
    else if (name !== "augment") given[name] = value;
    else if (Object(value) === value && !Array.isArray(value)) Object.assign(augment, value);
    else
      throw new ParameterError(
        "augment",
        `augmentation options by name, as in --set 'augment={"rotation":10,"zoom":[0.9,1.1]}',`,
        value,
      );
  }
  const monitor = given.classWeights === "balanced" ? "macroF1" : base.monitor;
  const config = checkTrainConfig({ ...base, monitor, ...given, augment } as unknown as TrainConfig);
  return structuredClone(config); // so that no list is shared with the preset, or with the caller
}

/** Settings, and options of the augmentation by their own names. */
const OPTION_NAMES: string[] = [...Object.keys(BASELINE), ...Object.keys(NO_AUGMENTATION)];

/** What PyTorch, timm, Keras and fastai call some of the options. */
const OTHER_NAMES: Record<string, keyof TrainConfig | keyof AugmentOptions> = {
  lr: "learningRate",
  baselr: "learningRate",
  wd: "weightDecay",
  bs: "batchSize",
  size: "imageSize",
  imgsize: "imageSize",
  imgsz: "imageSize",
  model: "variant",
  arch: "variant",
  architecture: "variant",
  numepochs: "epochs",
  nepochs: "epochs",
  smoothing: "labelSmoothing",
  dropout: "dropoutRate",
  droppath: "dropPathRate",
  scheduler: "schedule",
  sched: "schedule",
  randomseed: "seed",
  pretrained: "weights",
  hflip: "horizontalFlip",
  scale: "zoom",
  shift: "translation",
  randomerasing: "erasing",
  reprob: "erasing",
  gaussnoise: "noise",
  gaussiannoise: "noise",
  gaussianblur: "blur",
};

/**
 * Refuses the name of an option of `loadDataset` that is no setting of a training, also one with hyphens, as it is on the command
 * line.
 */
function refuseDataOption(name: string): void {
  const option = Object.keys(DATA_OPTIONS).find((one) => plainName(one) === plainName(name));
  if (option === undefined || DATA_OPTIONS[option as keyof DataOptions] !== "data") return;
  const flag = `--${option.replace(/[A-Z]/g, (letter) => `-${letter.toLowerCase()}`)}`;
  throw new InputError({
    expected: "the name of a training option",
    found: `${name}, which is an option of the data set`,
    fix: `Choose it with ${flag}, or in a program as ${option} of loadDataset.`,
  });
}
