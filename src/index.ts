// The public API, in the order in which a project uses it. Notebooks, scripts and other programs import from here.

// Data: images in class folders, decoded once.
export { EXPRESSIONS } from "./cartoons/expression.js";
export type { DataOptions } from "./data/data-options.js";
export { loadDataset } from "./data/load.js";
export type { Dataset, PackedImages } from "./data/dataset.js";
export { decodeImage } from "./data/pixels/decode.js";
export { PixelArray } from "./data/pixels/pixels.js";
export { findNearDuplicates } from "./data/audit/near-duplicates.js";
export { imageConclusions } from "./data/audit/conclusions.js";
export { type Batch, batches } from "./data/batches.js";
export { type AugmentOptions, augmentBatch, NO_AUGMENTATION } from "./data/augment.js";

// Networks: EfficientNet with pre-trained weights, and model folders.
export { createNetwork, importNetwork } from "./model/create.js";
export { VARIANTS, type Variant } from "./model/efficientnet.js";
export type { ModelConfig, Network } from "./model/network.js";
export { countParameters } from "./model/parameters.js";
export { loadModel, saveModel } from "./model/weights/model-folder.js";

// Training: a configuration, a stream of events, and the run's folder.
export type { TrainConfig } from "./config.js";
export { PRESETS, trainConfig } from "./presets.js";
export { learningRates } from "./training/schedule.js";
export { findLearningRate } from "./training/find-learning-rate.js";
export { train } from "./training/train.js";
export {
  type BatchEvent,
  type EpochEvent,
  ofType,
  type TrainEvent,
} from "./training/events.js";
export { bestModelDir } from "./training/best-model.js";
export { loadMetrics } from "./training/metrics-log.js";
export { loadRuns } from "./training/runs.js";

// Prediction: the classes of new images, and what a prediction depends on.
export { Classifier, type ImagePrediction, loadClassifier, type Prediction } from "./inference/classifier.js";
export { gradCam, occlusionMap } from "./inference/saliency.js";

// Faces: found in photographs, cut out and classified.
export { detectFaces } from "./faces/detect.js";
export { type PhotoPrediction, predictFaces } from "./faces/predict.js";

// Evaluation: scores on labelled images, and the images that deserve a look.
export { type Evaluation, evaluate } from "./inference/evaluate.js";
export { loadEvaluationData } from "./inference/held-out.js";
export { labelIssues, topLosses } from "./inference/label-issues.js";
export { evaluatedImages } from "./show/pictures.js";

// Charts: each is a vega-lite specification.
export type { ChartSpec } from "./charts/theme.js";
export { classBalanceChart } from "./charts/class-balance.js";
export { confusionMatrixChart, perClassRecallChart } from "./charts/confusion.js";
export { learningRateChart, learningRateSearchChart } from "./charts/learning-rate.js";
export { batchMetricsChart, epochMetricsChart } from "./charts/training.js";
export { runsChart } from "./charts/runs.js";
export {
  augmentedChart,
  drawnFacesChart,
  galleryChart,
  nearDuplicatesChart,
  photosChart,
  predictionsChart,
  samplesChart,
} from "./show/pictures.js";
export { saveChart } from "./charts/render.js";
export { writeRunReport } from "./charts/run-report.js";

// Tables: rows of named cells.
export { auditTable, blockTable, classTable, epochTable } from "./charts/tables.js";
export { dataFrame } from "./show/show.js";

// Notebooks: outputs below a cell, the stop button, and what one notebook leaves for the next.
export { show, toBundle } from "./show/show.js";
export { showTraining } from "./show/live.js";
export { interruptSignal } from "./show/kernel.js";
export {
  loadLatestRun,
  loadPreparedData,
  prepareRunFolder,
  saveLatestRun,
  savePreparedData,
} from "./show/state.js";

// Engine: what computes, errors and random numbers.
export { device, measureMatrixProduct } from "./engine/device.js";
export { tf } from "./engine/tf.js";
export { InputError, ParameterError } from "./errors.js";
export { Random } from "./random.js";

// Parts that the command line, the bench, the examples and the experiments of this repository use. They may change at any time.
export * as internals from "./internals.js";
