// What a user should know of a training before it starts: guesses, with the option that settles each, and surprises.
import type { TrainConfig } from "../config.js";
import { trainingConclusions } from "../data/audit/conclusions.js";
import type { Conclusion } from "../data/audit/report.js";
import { NO_AUGMENTATION } from "../data/augment.js";
import type { Dataset } from "../data/dataset.js";
import type { LoadedDataset } from "../data/load.js";
import { visible } from "../errors.js";
import { isFolder } from "../files.js";
import type { ModelConfig } from "../model/network.js";
import { DEFAULT_DECODING } from "../model/preprocessing.js";
import { loadModelConfig } from "../model/weights/model-folder.js";
import { hasSameClasses } from "../names.js";
import { PRESETS } from "../presets.js";
import { counted } from "../text.js";
import { minutes } from "./events.js";
import { isOwnModel } from "./run-config.js";
import { runLearningRate } from "./schedule.js";
import type { TrainState } from "./step.js";

/** Says what the user should know of the network, the batches and the settings. */
export async function trainingNotes(state: TrainState, numImages: number): Promise<string[]> {
  const { config, network } = state;
  const { classNames } = network.config;
  const notes = [
    state.lostWeights ? null : await lastLayerNote(config, classNames),
    weightsNote(state, classNames),
    config.monitor === "macroF1" && config.classWeights === "balanced"
      ? "the best epoch is the one of highest macro-F1, since class weights are balanced; monitor=accuracy compares accuracy"
      : null,
    batchesNote(state, numImages),
    mixesImages(config) && numImages <= state.plan.numBatches
      ? "mixup and cutmix have no effect, since each batch is a single image"
      : null,
    targetsNote(state),
    ...teacherNotes(state),
    timeLimitNote(config),
    ...settingNotes(config, isOwnModel(config.weights) && !isFolder(config.weights)),
  ];
  return notes.filter((note): note is string => note !== null).map((note) => visible(note));
}

/** Adam changes each weight by about the rate in a step, which float32 rounds away if it is much smaller than the weight. */
const MIN_RATE = 1e-8;

const oneMinus = (share: number) => Number((1 - share).toFixed(6));

/**
 * Names settings that have no effect beside the others, and numbers that are probably meant by another program's convention.
 *
 * @param isFile - Whether the weights are those of a file, which may not say of which family they are.
 */
export function settingNotes(config: TrainConfig, isFile: boolean): string[] {
  const { headEpochs, epochs, mixup, cutmix, mixShare, teachers, teacherShare, augment } = config;
  const { learningRate, labelSmoothing, dropPathRate, emaDecay } = config;
  const { rotation, translation, zoom, noise, blur } = augment;
  const isChanged = (name: keyof TrainConfig) => config[name] !== PRESETS.baseline[name];
  const isOther = (name: "corruptionShare" | "fill") => augment[name] !== NO_AUGMENTATION[name];
  const mixes = mixup > 0 || cutmix > 0;
  const showsOutside = rotation > 0 || translation > 0 || zoom[0] < 1;
  const momentum = config.batchNormMomentum;
  const notes: [text: string, isTrue: boolean][] = [
    [
      `every epoch trains the last layer alone, at headLearningRate, since headEpochs is ${headEpochs}: learningRate, schedule, warmupShare and trainableFrom have no effect`,
      headEpochs === epochs,
    ],
    [
      "headLearningRate has no effect, since headEpochs is 0",
      headEpochs === 0 && isChanged("headLearningRate"),
    ],
    ["weightsFamily has no effect, since weights is no file", !isFile && isChanged("weightsFamily")],
    ["mixShare has no effect, since mixup and cutmix are 0", !mixes && isChanged("mixShare")],
    ["mixup and cutmix have no effect, since mixShare is 0", mixes && mixShare === 0],
    [
      "teacherShare has no effect, since there are no teachers",
      teachers.length === 0 && isChanged("teacherShare"),
    ],
    ["teachers have no effect, since teacherShare is 0", teachers.length > 0 && teacherShare === 0],
    [
      "corruptionShare has no effect, since noise and blur are 0",
      noise === 0 && blur === 0 && isOther("corruptionShare"),
    ],
    [
      "fill has no effect, since neither rotation, translation nor zoom shows what is outside of an image",
      !showsOutside && isOther("fill"),
    ],
    [
      `batchNormMomentum=${momentum} is the share of each batch, as in PyTorch, so the moving statistics are nearly those of the last batch; ` +
        `momentum=${momentum} in Keras is batchNormMomentum=${oneMinus(momentum)} here`,
      momentum > 0.5,
    ],
    [
      `rotation=${rotation} is in degrees, so images hardly rotate; factor=${rotation} in Keras is rotation=${Number((360 * rotation).toFixed(2))} here`,
      rotation > 0 && rotation <= 0.5,
    ],
    [`learningRate=${learningRate} is so small that the weights hardly change`, learningRate < MIN_RATE],
    [
      `labelSmoothing=${labelSmoothing} spreads most of a target over all classes; a confidence of ${labelSmoothing} is labelSmoothing=${oneMinus(labelSmoothing)} here`,
      labelSmoothing > 0.5,
    ],
    [
      `dropPathRate=${dropPathRate} leaves out most of the last blocks; a survival probability of ${dropPathRate} is dropPathRate=${oneMinus(dropPathRate)} here`,
      dropPathRate > 0.5,
    ],
    [
      `emaDecay=${emaDecay} averages hardly more than the last step; a share of ${emaDecay} for each step is emaDecay=${oneMinus(emaDecay)} here`,
      emaDecay > 0 && emaDecay < 0.5,
    ],
  ];
  return notes.filter(([, isTrue]) => isTrue).map(([text]) => text);
}

/**
 * Says that images are much larger than they are used, that classes differ much in size, by which seed images were held out if not by
 * the run's, which validation images look like training images, and which classes mirroring makes one, if images are mirrored.
 */
export async function imageNotes(dataset: Dataset, config: TrainConfig): Promise<string[]> {
  const { split, options } = dataset;
  const { augment, classWeights, seed } = config;
  const conclusions = await trainingConclusions(dataset, {
    isMirrored: augment.horizontalFlip > 0,
    isWeighted: classWeights !== "none",
  });
  return [
    ...(split === "held-out" && options?.seed !== undefined && options.seed !== seed
      ? [
          `the data set was split by seed ${options.seed}, with which it was loaded; everything else uses seed ${seed} of the configuration`,
        ]
      : []),
    ...[...sizeConclusions(dataset, config), ...conclusions].map(({ text }) => visible(text)),
  ];
}

/** Returns what the loader concluded from the size of the images, unless `imageSize` was chosen: no preset has it then. */
function sizeConclusions(dataset: Partial<LoadedDataset>, { imageSize }: TrainConfig): Conclusion[] {
  const isPresets = Object.values(PRESETS).some((preset) => preset.imageSize === imageSize);
  return isPresets ? (dataset.report?.conclusions.filter(({ about }) => about === "size") ?? []) : [];
}

/**
 * Describes what the training loss is measured against; null for plain labels.
 *
 * @param hasShares - Whether the images have shares of votes in place of labels.
 */
export function targetsInWords(config: TrainConfig, hasShares = false): string | null {
  const { labelSmoothing, teachers, teacherShare } = config;
  const plain = hasShares ? "shares of votes" : "labels";
  const labels = `${labelSmoothing > 0 ? "smoothed " : ""}${plain}${mixesImages(config) ? " of mixed images" : ""}`;
  if (teachers.length > 0 && teacherShare > 0)
    return teacherShare === 1 ? "the teachers' probabilities" : `${labels} and the teachers' probabilities`;
  return labels === "labels" ? null : labels;
}

function mixesImages({ mixup, cutmix, mixShare }: TrainConfig): boolean {
  return mixShare > 0 && (mixup > 0 || cutmix > 0);
}

/** Smoothing alone is said beside each loss. */
function targetsNote({ config, hasShares }: TrainState): string | null {
  const targets = targetsInWords(config, hasShares);
  if (targets === null || targets === "smoothed labels") return null;
  const labels = mixesImages(config) ? "the label of a mixed image's larger part" : "the labels";
  return `the train loss is against ${targets}, so it cannot be compared with the validation loss; the train accuracy is against ${labels}`;
}

/** Says which teachers see images that were made square otherwise than those of their training, or grey ones for coloured ones. */
function teacherNotes({ config, network, teachers }: TrainState): string[] {
  const fitOf = ({ decoding = DEFAULT_DECODING }: ModelConfig) => decoding.fit;
  const own = network.config;
  return teachers.flatMap((teacher, i) => {
    const known = teacher.config;
    const differences = [
      fitOf(known) === fitOf(own)
        ? []
        : `images with fit=${fitOf(known)}, and sees them with fit=${fitOf(own)}`,
      own.grey && !known.grey ? "images in colour, and sees grey ones" : [],
    ].flat();
    return differences.map(
      (difference) =>
        `the teacher ${config.teachers[i]} was trained on ${difference}: its answers may be worse than for its own images`,
    );
  });
}

/** A model folder's last layer is kept for the same classes, which `weights` alone does not tell. */
async function lastLayerNote({ weights }: TrainConfig, classNames: string[]): Promise<string | null> {
  if (!isOwnModel(weights)) return null;
  if (!isFolder(weights))
    return `starts from ${weights} with a new last layer: a file of weights does not name its classes`;
  const start = await loadModelConfig(weights);
  return hasSameClasses(start.classNames, classNames)
    ? `starts from ${weights} with its last layer, since the classes are the same`
    : `starts from ${weights} with a new last layer, since its classes are others: ${start.classNames.join(", ")}`;
}

function weightsNote({ config, classWeights }: TrainState, classNames: string[]): string | null {
  if (config.classWeights === "none") return null;
  const weights = classNames.map((name, c) => `${name} = ${Number(classWeights[c].toPrecision(3))}`);
  return `class weights: ${weights.join(", ")}`;
}

function batchesNote({ config: { batchSize }, plan }: TrainState, numImages: number): string | null {
  const { numBatches, numLeftOut, isEven } = plan;
  if (numLeftOut > 0)
    return `each epoch leaves out ${numLeftOut} of ${numImages} training images, different ones each time: they do not fill a batch of ${batchSize}`;
  if (!isEven || (numBatches === 1 && numImages === batchSize)) return null;
  const [small, large] = [Math.floor(numImages / numBatches), Math.ceil(numImages / numBatches)];
  const size = small === large ? `${small}` : `${small} or ${large}`;
  const [own, all] = [size === "1" ? "1 image" : `${size} images`, counted(numImages, "training image")];
  return `batches have ${own} instead of ${batchSize}, so that an epoch uses all ${all}`;
}

function timeLimitNote({ maxMinutes, schedule }: TrainConfig): string | null {
  if (maxMinutes === 0) return null;
  const limit = `training stops after ${minutes(maxMinutes)} (maxMinutes) if it is not completed by then, and resumes when it is started again`;
  return schedule === "cosine" ? `${limit}; the learning rate falls as if there were no limit` : limit;
}

/** Tells what more epochs than before mean for the learning rate. */
export function extensionNote({ config, plan }: TrainState, earlier: TrainConfig, step: number): string[] {
  if (earlier.epochs === config.epochs) return [];
  const rate = (of: TrainConfig, at: number) =>
    Number(runLearningRate(of, plan.numBatches, at).toPrecision(3));
  const [before, next] = [rate(earlier, Math.max(1, step)), rate(config, step + 1)];
  const isSame = config.schedule === "constant" && before === next;
  return [
    `the run has ${config.epochs} epochs instead of ${earlier.epochs}: ` +
      (isSame
        ? `its learning rate stays at ${next}`
        : `its learning rate, ${before} in the last step, is ${next} in the next one, as in a ${config.schedule} schedule of ${config.epochs} epochs`),
  ];
}
