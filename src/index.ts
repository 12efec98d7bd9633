// All that notebooks, scripts and other programs use.

export { drawSyntheticFaces } from "./cartoons/draw.js";
export { EXPRESSIONS } from "./cartoons/expression.js";
export { faceSvg } from "./cartoons/face.js";
export { evaluationChart } from "./charts/calibration-chart.js";
export { classBalanceChart } from "./charts/data-charts.js";
export { duration } from "./charts/duration.js";
export { confusionMatrixChart, perClassRecallChart } from "./charts/evaluation-charts.js";
export { facesChart } from "./charts/faces-chart.js";
export { augmentedGridChart, sampleGridChart } from "./charts/image-grid.js";
export type { MimeBundle } from "./charts/mime.js";
export { pairsChart } from "./charts/pairs-chart.js";
export { percent } from "./charts/percent.js";
export { predictionBarsChart, predictionGridChart } from "./charts/prediction-charts.js";
export { chartBundle, renderChart, saveChart } from "./charts/render.js";
export { writeRunReport } from "./charts/run-report.js";
export { tableBundle } from "./charts/table-bundle.js";
export {
  auditTable,
  blockTable,
  classTable,
  epochTable,
  predictionsTable,
  table,
} from "./charts/tables.js";
export { buildChart, type ChartSpec, COLORS } from "./charts/theme.js";
export { batchMetricsChart, epochMetricsChart, learningRateChart } from "./charts/training-charts.js";
export { checkTrainConfig, type TrainConfig } from "./config.js";
export { findNearDuplicates, type NearDuplicates } from "./data/audit/near-duplicates.js";
export type { DataReport } from "./data/audit/report.js";
export { type NearDuplicateReport, nearDuplicateReport } from "./data/audit/report.js";
export { type AugmentOptions, augmentBatch, BASELINE_AUGMENTATION, NO_AUGMENTATION } from "./data/augment.js";
export { type Batch, batches, gather } from "./data/batches.js";
export type { Dataset, PackedImages } from "./data/dataset.js";
export { type DataOptions, loadDataset } from "./data/load.js";
export { decodeImage } from "./data/pixels/decode.js";
export { PixelArray, type Pixels } from "./data/pixels/pixels.js";
export { device, measureMatrixProduct } from "./engine/device.js";
export { tf } from "./engine/tf.js";
export { InputError, ParameterError } from "./errors.js";
export { detectFaces, type Face } from "./faces/detector.js";
export { type FacePrediction, type PhotoPrediction, predictFaces } from "./faces/predict.js";
export { cacheDir } from "./files.js";
export {
  Classifier,
  type ImageInput,
  type ImagePrediction,
  loadClassifier,
  type Prediction,
} from "./inference/classifier.js";
export { type Evaluation, type EvaluationReport, evaluate, evaluationReport } from "./inference/evaluate.js";
export { gradCam } from "./inference/grad-cam.js";
export type { SaliencyMethod } from "./inference/heat-map.js";
export { labelIssues, topLosses } from "./inference/label-issues.js";
export { occlusionMap } from "./inference/occlusion.js";
export { type ClassificationScores, confusionMatrix, scores } from "./metrics/classification.js";
export { type CreateOptions, createNetwork, importNetwork } from "./model/create.js";
export { type Architecture, efficientNet, VARIANTS, type Variant } from "./model/efficientnet.js";
export type { ModelConfig, Network } from "./model/network.js";
export {
  blockNames,
  blockOf,
  countParameters,
  parameterSpecs,
  summary,
  trainableBlocks,
} from "./model/parameters.js";
export { loadModel, loadModelConfig, saveModel } from "./model/weights/model-folder.js";
export { PRECISIONS, type Precision } from "./model/weights/quantization.js";
export { type Overrides, PRESETS, type PresetName, trainConfig } from "./presets.js";
export type { LoadProgress } from "./progress.js";
export { Random } from "./random.js";
export { show } from "./show/display.js";
export { interruptSignal } from "./show/interrupt.js";
export { showTraining } from "./show/live.js";
export { photoPictures } from "./show/photo-pictures.js";
export {
  augmentedPictures,
  classifiedPictures,
  facePictures,
  galleryPictures,
  type JudgedImage,
  judgedImages,
  predictedPictures,
  saliencyPictures,
  samplePictures,
} from "./show/pictures.js";
export { nearDuplicatePictures } from "./show/similar-pictures.js";
export {
  loadLatestRun,
  loadPreparedData,
  type PreparedData,
  prepareRunFolder,
  saveLatestRun,
  savePreparedData,
} from "./show/state.js";
export { bestModelDir } from "./training/checkpoint.js";
export {
  type BatchEvent,
  type DoneEvent,
  type EpochEvent,
  ofType,
  type TrainEvent,
} from "./training/events.js";
export { loadMetrics, loadRunConfig } from "./training/run.js";
export { learningRateAt, learningRates } from "./training/schedule.js";
export { buildTrainState, computeGradients, disposeTrainState, type TrainState } from "./training/step.js";
export { type TrainOptions, train, trainBatch } from "./training/train.js";
