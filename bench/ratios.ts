// How many times as fast ferkit is; above 1 = faster.
import { type AccuracyRecord, secondsToTarget } from "./accuracy-record.js";
import { type ContenderName, PYTORCH } from "./contenders.js";
import type { Results } from "./results.js";
import { type BenchVariant, isSameWorkload, type Kind } from "./workload.js";

export interface Ratio {
  meaning: string;
  value: number;
}

/** Undefined where it was not measured. */
type Figure = number | undefined;

const SEED_BATCH_SIZE = 32;

/** Every ratio that the measurements allow, by name. */
export function ratiosOf(results: Results, record?: AccuracyRecord): Record<string, Ratio> {
  const at = (kind: Kind, variant: BenchVariant, imageSize: number, batchSize: number) => {
    const workload = { kind, variant, imageSize, batchSize };
    return (...names: readonly ContenderName[]) =>
      greatest(results, names, (t) => isSameWorkload(t, workload));
  };
  const best = (variant: BenchVariant, imageSize: number) => {
    const fits = (t: { kind: Kind; variant: BenchVariant; imageSize: number }) =>
      t.kind === "train" && t.variant === variant && t.imageSize === imageSize;
    return over(greatest(results, ["ferkit"], fits), greatest(results, PYTORCH, fits));
  };
  const lite0Seed = at("train", "lite0", 48, SEED_BATCH_SIZE);
  const lite0Inference = at("infer", "lite0", 48, 32);
  const b0Seed = at("train", "b0", 48, SEED_BATCH_SIZE);
  const fastest = (rate: ReturnType<typeof at>) => over(rate("ferkit"), rate(...PYTORCH));
  const memory = (...names: readonly ContenderName[]) =>
    least(results.memory.filter((m) => names.includes(m.contender)).map((m) => m.peakResidentBytes));
  const seconds = (run: "pytorchSeed" | "pytorchRecipe" | "ferkit") => record && secondsToTarget(record, run);
  const figures: Record<string, [value: Figure, meaning: string]> = {
    trainLite0VsPytorchBaseline: [
      over(lite0Seed("ferkit"), lite0Seed("pytorch")),
      "training Lite0, batch 32, 48 px; PyTorch in its default layout",
    ],
    trainB0VsPytorchBaseline: [
      over(b0Seed("ferkit"), b0Seed("pytorch")),
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
      over(lite0Seed("ferkitLoading"), lite0Seed("pytorch")),
      "training Lite0, batch 32, 48 px; ferkit loads and augments, PyTorch does not",
    ],
    trainB0VsKeras: [
      over(b0Seed("ferkit"), b0Seed("keras")),
      "training B0, batch 32, 48 px; Keras by a tf.function",
    ],
    trainLite0VsStockLayers: [
      over(lite0Seed("ferkit"), lite0Seed("stockLayers")),
      "training Lite0, batch 32, 48 px; stock tfjs layers",
    ],
    inferLite0VsPytorch: [
      fastest(lite0Inference),
      "inference of Lite0, batch 32, 48 px; PyTorch in the faster layout",
    ],
    inferLite0VsPytorchDefault: [
      over(lite0Inference("ferkit"), lite0Inference("pytorch")),
      "inference of Lite0, batch 32, 48 px; PyTorch in its default layout",
    ],
    inferB0VsPytorch: [
      fastest(at("infer", "b0", 48, 32)),
      "inference of B0, batch 32, 48 px; PyTorch in the faster layout",
    ],
    inferLite0Batch1VsPytorch: [
      fastest(at("infer", "lite0", 48, 1)),
      "one image through Lite0, 48 px; PyTorch in the faster layout",
    ],
    inferLite0Batch256VsPytorch: [
      fastest(at("infer", "lite0", 48, 256)),
      "inference of Lite0, batch 256, 48 px; PyTorch in the faster layout",
    ],
    singleImageVsPytorch: [
      fastest(at("predict", "lite0", 48, 1)),
      "an image file's bytes to Lite0's probabilities; PyTorch in the faster layout",
    ],
    decodeVsSerial: [
      over(results.data?.decodeSerially.median, results.data?.decode.median),
      "decoding a data set; one sharp call after another",
    ],
    peakMemoryVsPytorch: [
      over(memory(...PYTORCH), memory("ferkit")),
      "peak memory, training B0, batch 32; above 1 = ferkit needs less",
    ],
    timeToAccuracyVsPytorch: [
      over(seconds("pytorchSeed"), seconds("ferkit")),
      "seconds to the best validation accuracy of the baseline preset; PyTorch by that recipe, in its default layout",
    ],
    timeToAccuracyVsPytorchRecipe: [
      over(seconds("pytorchRecipe"), seconds("ferkit")),
      "seconds to that accuracy; PyTorch by ferkit's recipe, channels-last",
    ],
  };
  return Object.fromEntries(
    Object.entries(figures).flatMap(([name, [value, meaning]]) =>
      value === undefined ? [] : [[name, { value, meaning }]],
    ),
  );
}

function greatest(
  { timings }: Results,
  contenders: readonly ContenderName[],
  fits: (timing: Results["timings"][number]) => boolean,
): Figure {
  const rates = timings.filter((t) => contenders.includes(t.contender) && fits(t)).map((t) => t.median);
  return rates.length ? Math.max(...rates) : undefined;
}

function least(values: number[]): Figure {
  return values.length ? Math.min(...values) : undefined;
}

function over(a: Figure, b: Figure): Figure {
  return a === undefined || b === undefined ? undefined : a / b;
}
