// Ratios of ferkit to others; above 1 = ferkit is better.
import { type AccuracyRecord, type AccuracyRunName, secondsToTarget } from "./accuracy-record.js";
import type { Results } from "./results.js";
import {
  BASELINE_BATCH_SIZE,
  type BenchVariant,
  type ContenderName,
  describe,
  type Kind,
  PYTORCH,
} from "./suite.js";

export interface Ratio {
  meaning: string;
  value: number;
}

/** Undefined if it was not measured. */
type Figure = number | undefined;

/** Returns every ratio that the measurements allow, by name. */
export function ratiosOf(results: Results, record?: AccuracyRecord): Record<string, Ratio> {
  const at = (kind: Kind, variant: BenchVariant, imageSize: number, batchSize: number) => {
    const workload = { kind, variant, imageSize, batchSize };
    return (...names: readonly ContenderName[]) =>
      fastest(results, names, (t) => describe(t) === describe(workload));
  };
  const best = (variant: BenchVariant, imageSize: number) => {
    const fits = (t: { kind: Kind; variant: BenchVariant; imageSize: number }) =>
      t.kind === "train" && t.variant === variant && t.imageSize === imageSize;
    return over(fastest(results, ["ferkit"], fits), fastest(results, PYTORCH, fits));
  };
  const lite0Baseline = at("train", "lite0", 48, BASELINE_BATCH_SIZE);
  const lite0Inference = at("infer", "lite0", 48, 32);
  const b0Baseline = at("train", "b0", 48, BASELINE_BATCH_SIZE);
  const vsPytorch = (rate: ReturnType<typeof at>) => over(rate("ferkit"), rate(...PYTORCH));
  const vsOnnxRuntime = (rate: ReturnType<typeof at>) =>
    over(rate("ferkit"), rate("onnxRuntime", "onnxRuntimeNode"));
  const memory = (...names: readonly ContenderName[]) =>
    smallest(
      results.memory
        .filter((m) => m.kind === "train" && names.includes(m.contender))
        .map((m) => m.peakResidentBytes),
    );
  const seconds = (run: AccuracyRunName) => record && secondsToTarget(record, run);
  const figures: Record<string, [value: Figure, meaning: string]> = {
    trainLite0VsPytorchBaseline: [
      over(lite0Baseline("ferkit"), lite0Baseline("pytorch")),
      "training Lite0, batch 32, 48 px; PyTorch in its default layout",
    ],
    trainB0VsPytorchBaseline: [
      over(b0Baseline("ferkit"), b0Baseline("pytorch")),
      "training B0, batch 32, 48 px; PyTorch in its default layout",
    ],
    trainLite0VsPytorchBest: [
      best("lite0", 48),
      "training Lite0, 48 px; each at its best batch size, PyTorch in its best layout",
    ],
    trainB0VsPytorchBest: [
      best("b0", 48),
      "training B0, 48 px; each at its best batch size, PyTorch in its best layout",
    ],
    train96Lite0VsPytorchBest: [
      best("lite0", 96),
      "training Lite0, 96 px; each at the better of batch 32 and 128, PyTorch in its best layout",
    ],
    train96B0VsPytorchBest: [
      best("b0", 96),
      "training B0, 96 px; each at the better of batch 32 and 128, PyTorch in its best layout",
    ],
    trainLite0LoadingVsPytorchBaseline: [
      over(lite0Baseline("ferkitLoading"), lite0Baseline("pytorch")),
      "training Lite0, batch 32, 48 px; ferkit loads and augments, PyTorch in its default layout does not",
    ],
    trainLite0VsPytorchCompiled: [
      over(lite0Baseline("ferkit"), lite0Baseline("pytorchCompiled")),
      "training Lite0, batch 32, 48 px; PyTorch with torch.compile",
    ],
    trainLite0Batch32VsBatch128: [
      over(lite0Baseline("ferkit"), at("train", "lite0", 48, 128)("ferkit")),
      "training Lite0 with ferkit, batch 32, 48 px; ferkit, batch 128",
    ],
    trainB0VsKeras: [
      over(b0Baseline("ferkit"), b0Baseline("keras")),
      "training B0, batch 32, 48 px; Keras with a tf.function",
    ],
    trainLite0VsStockLayers: [
      over(lite0Baseline("ferkit"), lite0Baseline("stockLayers")),
      "training Lite0, batch 32, 48 px; stock tfjs layers",
    ],
    inferLite0VsPytorch: [
      vsPytorch(lite0Inference),
      "inference of Lite0, batch 32, 48 px; PyTorch in the faster layout",
    ],
    inferLite0VsPytorchDefault: [
      over(lite0Inference("ferkit"), lite0Inference("pytorch")),
      "inference of Lite0, batch 32, 48 px; PyTorch in its default layout",
    ],
    inferB0VsPytorch: [
      vsPytorch(at("infer", "b0", 48, 32)),
      "inference of B0, batch 32, 48 px; PyTorch in the faster layout",
    ],
    inferLite0Batch1VsPytorch: [
      vsPytorch(at("infer", "lite0", 48, 1)),
      "one image through Lite0, 48 px; PyTorch in the faster layout",
    ],
    inferLite0Batch256VsPytorch: [
      vsPytorch(at("infer", "lite0", 48, 256)),
      "inference of Lite0, batch 256, 48 px; PyTorch in the faster layout",
    ],
    inferLite0Batch1VsOnnxRuntime: [
      vsOnnxRuntime(at("infer", "lite0", 48, 1)),
      "one image through Lite0, 48 px; ONNX Runtime",
    ],
    inferLite0Batch32VsOnnxRuntime: [
      vsOnnxRuntime(lite0Inference),
      "inference of Lite0, batch 32, 48 px; ONNX Runtime",
    ],
    inferLite0Px144Batch32VsOnnxRuntime: [
      vsOnnxRuntime(at("infer", "lite0", 144, 32)),
      "inference of Lite0, batch 32, 144 px; ONNX Runtime",
    ],
    inferB0Batch32VsOnnxRuntime: [
      vsOnnxRuntime(at("infer", "b0", 48, 32)),
      "inference of B0, batch 32, 48 px; ONNX Runtime",
    ],
    inferLite0Batch32Bf16VsOpenvinoBf16: [
      over(lite0Inference("ferkitBf16"), lite0Inference("openvinoBf16")),
      "inference of Lite0 in bfloat16, batch 32, 48 px; OpenVINO in bfloat16",
    ],
    singleImageVsPytorch: [
      vsPytorch(at("predict", "lite0", 48, 1)),
      "an image file's bytes to Lite0's probabilities; PyTorch in the faster layout",
    ],
    decodeVsSerial: [
      over(results.data?.decodeSerially.median, results.data?.decode.median),
      "decoding a data set; sharp, one call after another",
    ],
    peakMemoryVsPytorch: [
      over(memory(...PYTORCH), memory("ferkit")),
      "peak memory, training B0, batch 32; above 1 = ferkit needs less",
    ],
    trainB0Batch32MemoryVsPytorch: [
      over(memory(...PYTORCH, "pytorchCompiled"), memory("ferkit")),
      "peak memory, training B0, batch 32; PyTorch in its best mode; above 1 = ferkit needs less",
    ],
    timeToAccuracyVsPytorch: [
      over(seconds("pytorchBaseline"), seconds("ferkit")),
      "seconds to the best validation accuracy of the preset baseline; PyTorch with that preset, default layout",
    ],
    timeToAccuracyVsPytorchRecipe: [
      over(seconds("pytorchRecipe"), seconds("ferkit")),
      "seconds to that accuracy; PyTorch with ferkit's preset, channels-last",
    ],
  };
  return Object.fromEntries(
    Object.entries(figures).flatMap(([name, [value, meaning]]) =>
      value === undefined ? [] : [[name, { value, meaning }]],
    ),
  );
}

function fastest(
  { timings }: Results,
  contenders: readonly ContenderName[],
  fits: (timing: Results["timings"][number]) => boolean,
): Figure {
  const rates = timings.filter((t) => contenders.includes(t.contender) && fits(t)).map((t) => t.median);
  return rates.length ? Math.max(...rates) : undefined;
}

function smallest(values: number[]): Figure {
  return values.length ? Math.min(...values) : undefined;
}

function over(a: Figure, b: Figure): Figure {
  return a === undefined || b === undefined ? undefined : a / b;
}
