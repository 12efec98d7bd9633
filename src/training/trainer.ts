import type { TrainConfig } from "../config.js";
import { augmentBatch } from "../data/augment.js";
import type { Batch } from "../data/batches.js";
import type { PackedImages } from "../data/dataset.js";
import { type Tensor, tf } from "../engine/tf.js";
import type { Variable } from "../engine/variable.js";
import { createNetwork } from "../model/create.js";
import { download, type Network, type ParameterValue } from "../model/network.js";
import { trainableBlocks } from "../model/parameters.js";
import type { OnProgress } from "../progress.js";
import { Random } from "../random.js";
import type { Phase } from "./events.js";
import { ADAM_DEFAULTS, Adam, Ema } from "./optimizer.js";
import type { Progress, State } from "./run-folder.js";
import { runLearningRate, stepsPerEpoch } from "./schedule.js";
import { type StepResult, trainStep } from "./step.js";
import { exampleWeights, mix, smoothedOneHot } from "./targets.js";
import { Teachers } from "./teachers.js";

/** What a step leaves in the engine; the caller disposes it. */
export interface StepOutput extends StepResult {
  /** Probabilities that were trained on, `[batchSize, numClasses]`. */
  targets: Tensor;
}

/** Prefixes of Adam's two moments in a saved state. */
const MOMENTS = ["first", "second"];

/** A network with what its training needs: optimizer, average, schedule. Dispose it when done. */
export class Trainer {
  readonly stepsPerEpoch: number;
  private readonly optimizer: Adam;
  private readonly average: Ema | null;

  private constructor(
    readonly network: Network,
    private readonly teachers: Teachers | null,
    private readonly config: TrainConfig,
    private readonly trainLabels: Int32Array,
  ) {
    this.stepsPerEpoch = stepsPerEpoch(trainLabels.length, config.batchSize);
    this.optimizer = new Adam({ ...ADAM_DEFAULTS, weightDecay: config.weightDecay });
    this.average = config.emaDecay > 0 ? new Ema(network.variables, config.emaDecay) : null;
  }

  /** @param onProgress - Told of the download of weights that are not in the cache. */
  static async create(
    config: TrainConfig,
    train: PackedImages,
    classNames: string[],
    onProgress?: OnProgress,
  ): Promise<Trainer> {
    const network = await createNetwork({
      ...config,
      classNames,
      grey: train.numChannels === 1,
      onProgress,
    });
    const loading = Teachers.load(config.teachers, config.teacherShare, classNames);
    const teachers = await loading.catch((error) => {
      network.dispose();
      throw error;
    });
    return new Trainer(network, teachers, config, train.labels);
  }

  phaseOf(epoch: number): Phase {
    return epoch <= this.config.headEpochs ? "head" : "full";
  }

  /** The rate of a step of the run, from 1. */
  learningRate(step: number): number {
    return runLearningRate(this.config, this.stepsPerEpoch, step);
  }

  /** Augments a batch, which it disposes, and trains on it. */
  step(batch: Batch, epoch: number, step: number): StepOutput {
    const { config, network } = this;
    const { seed, augment, labelSmoothing, classWeights } = config;
    const trainable = trainableBlocks(
      network.architecture,
      this.phaseOf(epoch) === "head" ? "predictions" : config.trainableFrom,
    );
    const numClasses = network.config.classNames.length;
    const random = new Random(seed, "augment", step);
    const augmented = augmentBatch(batch.images, augment, random, config.imageSize);
    const plain = smoothedOneHot(batch.labels, { numClasses, labelSmoothing });
    const mixed = mix(augmented, plain, config, random);
    const { images } = mixed;
    const targets = this.teachers?.teach(images, mixed.targets) ?? mixed.targets.clone();
    const weights = exampleWeights(batch.labels, this.trainLabels, { numClasses, classWeights });
    const options = { ...config, seed: random.uint32() >>> 1 };
    const input = { images, targets, exampleWeights: weights };
    const result = trainStep(network, this.optimizer, input, trainable, this.learningRate(step), options);
    this.average?.update(network.variables);
    tf.dispose([batch.images, augmented, plain, images, mixed.targets, weights]);
    return { ...result, targets };
  }

  /** The values that are validated and kept: the average's where there is one. The caller disposes them. */
  values(): Map<string, Tensor> {
    return (this.average ?? this.network).read();
  }

  /** Copies all that a killed run goes on from out of the engine. */
  async state(): Promise<{ state: State; numUpdates: Record<string, number>; emaUpdates: number }> {
    const values = new Map<string, Tensor>();
    for (const [name, variable] of this.network.variables) {
      values.set(`model/${name}`, variable.read());
      const moments = this.optimizer.moments.get(name);
      moments?.forEach((moment, i) => {
        values.set(`${MOMENTS[i]}/${name}`, moment.read());
      });
      const average = this.average?.variables.get(name);
      if (average) values.set(`average/${name}`, average.read());
    }
    const numUpdates = Object.fromEntries(this.optimizer.numUpdates);
    return { state: await download(values), numUpdates, emaUpdates: this.average?.numUpdates ?? 0 };
  }

  /** Takes up what `state` gave. */
  restore({ numUpdates, emaUpdates }: Progress, state: State): void {
    const assign = (key: string, variable: Variable) => {
      const { data, shape } = state.get(key) as ParameterValue;
      tf.tidy(() => variable.assign(tf.tensor(data, shape)));
    };
    for (const [name, variable] of this.network.variables) {
      assign(`model/${name}`, variable);
      if (numUpdates[name] === undefined) continue;
      this.optimizer.momentsOf(name, variable).forEach((moment, i) => {
        assign(`${MOMENTS[i]}/${name}`, moment);
      });
      this.optimizer.numUpdates.set(name, numUpdates[name]);
    }
    if (!this.average) return;
    for (const [name, variable] of this.average.variables) assign(`average/${name}`, variable);
    this.average.numUpdates = emaUpdates;
  }

  dispose(): void {
    this.network.dispose();
    this.teachers?.dispose();
    this.optimizer.dispose();
    this.average?.dispose();
  }
}
