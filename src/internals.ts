// Parts that the command line, the bench, the examples and the experiments use besides the public API.

export { BUNDLED_MODELS } from "./bundled-models.js";
export { drawFace } from "./cartoons/draw.js";
export { drawLook } from "./cartoons/look.js";
export { type EvaluatedModel, evaluationChart } from "./charts/evaluation.js";
export { facesCharts } from "./charts/faces.js";
export { checkChartFile } from "./charts/render.js";
export { robustnessChart } from "./charts/robustness.js";
export { reportFile } from "./charts/run-report.js";
export { accuracyPoints, differencesTable, meansTable, runsTable } from "./charts/runs.js";
export { type TextTable, textTable } from "./charts/tables.js";
export { buildChart, COLORS } from "./charts/theme.js";
export { type DataReport, type NearDuplicateReport, nearDuplicateReport } from "./data/audit/report.js";
export { gather } from "./data/batches.js";
export { selectImages } from "./data/dataset.js";
export { groupImages, groupOption } from "./data/groups.js";
export { copyImageList, listCalibration } from "./data/image-list.js";
export { readImageSize } from "./data/pixels/decode.js";
export { cutOff, MUCH_CUT } from "./data/pixels/fit.js";
export { imagesIn } from "./data/sources/files.js";
export { type FileCounts, filesInWords, mayBeMissed } from "./data/sources/left-out.js";
export { OWN_SOURCES, readSource } from "./data/sources/source.js";
export { TABLE_FILE } from "./data/sources/tables/table-file.js";
export { SPLIT_CHOICES, type SplitChoice, splitInWords } from "./data/split.js";
export { PRECISIONS, type Precision } from "./engine/backend.js";
export { hasBfloat16 } from "./engine/device.js";
export { PADDINGS, type Padding } from "./engine/kernels.js";
export { type Machine, machine } from "./environment.js";
export { checkChoice, checkLocal, checkNumber, plainName, suggestion, visible } from "./errors.js";
export { MAX_CROP_SIDE, predictsExpressions } from "./faces/predict.js";
export { cacheDir, isFolder, makeFolder, replaceFile, writeError, writeFileAtomically } from "./files.js";
export {
  classify,
  classifyViews,
  type EvaluationReport,
  evaluationReport,
  imagesInGroups,
  type Scores,
  score,
} from "./inference/evaluate.js";
export { loadUnseenImages } from "./inference/held-out.js";
export {
  CORRUPTION_NAMES,
  type RobustnessReport,
  robustness,
} from "./inference/robustness.js";
export { meanOf } from "./inference/views.js";
export { isPlainObject, parseJson, prettyJson } from "./json.js";
export { INTERVAL_SEED } from "./metrics/bootstrap.js";
export { calibrationError, fitTemperature, reliability, withTemperature } from "./metrics/calibration.js";
export { argMax, largestClass } from "./metrics/classification.js";
export { fitThresholds, setScores } from "./metrics/conformal.js";
export { FAMILIES, type Family } from "./model/conventions.js";
export { exportOnnx, exportTransformers } from "./model/onnx/export.js";
export { trainableBlocks } from "./model/parameters.js";
export { FITS, type Fit } from "./model/preprocessing.js";
export { loadParameters } from "./model/weights/model-folder.js";
export { STORED_PRECISIONS, type StoredPrecision } from "./model/weights/quantization.js";
export { inShort } from "./names.js";
export type { Overrides } from "./presets.js";
export type { LoadProgress } from "./progress.js";
export { END_SIGNALS } from "./show/kernel.js";
export { facesPicture } from "./show/pictures.js";
export { counted, duration, formatCount, percent } from "./text.js";
export {
  calibrateOn,
  lackingNote,
  MIN_CALIBRATION_IMAGES,
  temperatureNotes,
} from "./training/calibration.js";
export { type CrossValidation, crossValidate, foldRunDir } from "./training/cross-validation.js";
export { trainBatch } from "./training/epoch.js";
export { endInWords, keptEpoch } from "./training/events.js";
export { lockRun } from "./training/lock.js";
export { byDataSet, dataLabels, meansOverSeeds, type NamedRun } from "./training/means.js";
export { type Run, recordRun, summarizeRun } from "./training/runs.js";
export { checkModels } from "./training/start.js";
export { buildTrainState, disposeTrainState, stepGradients, type TrainState } from "./training/step.js";
