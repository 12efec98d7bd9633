// Parts that the command line, the bench, the examples and the experiments use besides the public API.

export { drawFace } from "./cartoons/draw.js";
export { drawLook } from "./cartoons/look.js";
export { type EvaluatedModel, evaluationChart } from "./charts/evaluation.js";
export { facesCharts } from "./charts/faces.js";
export { duration, percent } from "./charts/format.js";
export { accuracyPoints, differencesTable, runsTable } from "./charts/runs.js";
export { type TextTable, textTable } from "./charts/tables.js";
export { buildChart, COLORS } from "./charts/theme.js";
export { type DataReport, type NearDuplicateReport, nearDuplicateReport } from "./data/audit/report.js";
export { gather } from "./data/batches.js";
export { PixelArray } from "./data/pixels/pixels.js";
export { type FileCounts, filesInWords, imagesIn } from "./data/sources/files.js";
export { OWN_SOURCES } from "./data/sources/source.js";
export { SPLIT_CHOICES, SPLIT_WORDS, type SplitChoice } from "./data/split.js";
export { checkNumber } from "./errors.js";
export { MAX_CROP_SIDE, predictsExpressions } from "./faces/predict.js";
export { cacheDir, replaceFile, writeFileAtomically } from "./files.js";
export { classify, type EvaluationReport, evaluationReport, type Scores } from "./inference/evaluate.js";
export { calibrationError, reliability, withTemperature } from "./metrics/calibration.js";
export { trainableBlocks } from "./model/parameters.js";
export { PRECISIONS, type Precision } from "./model/weights/quantization.js";
export type { Overrides } from "./presets.js";
export type { LoadProgress } from "./progress.js";
export { facesPicture } from "./show/pictures.js";
export { type Run, recordRun, summarizeRun } from "./training/runs.js";
export { buildTrainState, computeGradients, disposeTrainState, type TrainState } from "./training/step.js";
export { trainBatch } from "./training/train.js";
