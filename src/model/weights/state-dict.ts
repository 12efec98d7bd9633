// A network's parameters among the tensors of a file, found by their publisher's names below any prefix.
import { InputError } from "../../errors.js";
import { inShort } from "../../names.js";
import { VARIANTS, type Variant } from "../efficientnet.js";
import type { ParameterValue } from "../network.js";
import { type ParameterSpec, parameterSpecs, sizeOf } from "../parameters.js";
import { NAMINGS, type Naming } from "./names.js";

/** A tensor outside the engine in row-major order, with its axes in its publisher's order. */
export interface FileTensor {
  shape: number[];
  data: Float32Array;
  /** Type of the numbers in the file, if they are integers: counters, or weights that need scales of their own. */
  integers?: string;
}

type Tensors = ReadonlyMap<string, FileTensor>;

export interface StateDict {
  /** By parameter name; without a last layer if the file has none that fits. */
  parameters: Map<string, ParameterValue>;
  naming: Naming;
  /** True if the network takes images of one channel; its first kernel is spread over three. */
  isGrey: boolean;
  /** What was guessed or left out, in whole sentences. */
  notes: string[];
}

export interface StateDictOptions {
  /** True if the last layer is needed; otherwise any or none will do. */
  needsLastLayer?: boolean;
  /** Prefix of the network's tensors, such as `state_dict_ema`, if a file holds several networks. */
  prefix?: string;
}

/** The tensors below a prefix that has a network's first kernel. */
interface Group {
  naming: Naming;
  prefix: string;
  /** By the name after the prefix. */
  tensors: Tensors;
}

interface Fit extends Group {
  isGrey: boolean;
  /** Names of the last layer's tensors; null if there is none. */
  lastLayer: { kernel: string; bias: string } | null;
  /** What does not fit, each as a noun phrase; empty if the network is whole. */
  problems: string[];
  /** Tensors of another last layer, which are left out. */
  leftOut: string[];
}

/** Counters and seeds, which no network needs. */
const COUNTER = /(^|[./])(num_batches_tracked|n_averaged)$|seed_generator/;
/** Segments of names that checkpoints give to what they hold besides networks, such as an optimizer's moments. */
const OTHER_STATE =
  /^(optim|optimizers?|opt|(lr_)?schedulers?|(grad_)?scaler|amp|loops|callbacks|criterion|loss|exp_avg|exp_avg_sq|max_exp_avg_sqs?|square_avg|momentum|moments?|velocity)(_fn|_buffers?|_states?|_state_dict|_dict)?$/i;
/** Words of names that stand for a moving average of weights. */
const AVERAGE = /^(ema|swa|avg|averaged?|averaging)$/i;

const segmentsOf = (name: string) => name.split(/[./]/);
const isOtherState = (name: string) => segmentsOf(name).some((segment) => OTHER_STATE.test(segment));
const isAverage = ({ prefix }: Group) =>
  segmentsOf(prefix).some((segment) =>
    segment.split(/[_-]|(?<=[a-z])(?=[A-Z])/).some((word) => AVERAGE.test(word)),
  );

/**
 * Returns the parameters of a variant from a file's tensors.
 *
 * @param where - Names the file in errors and notes.
 * @throws InputError if the tensors are of another variant or network; it names one that does not fit.
 */
export function readStateDict(
  tensors: Tensors,
  variant: Variant,
  where: string,
  { needsLastLayer = false, prefix }: StateDictOptions = {},
): StateDict {
  const all = groupsOf(tensors, variant, where);
  const groups = prefix === undefined ? all : all.filter((group) => isBelow(group.prefix, prefix));
  if (prefix !== undefined && groups.length === 0)
    throw new InputError({
      expected: `a network below the prefix ${prefix}`,
      where,
      found: all.length > 0 ? all.map(labelOf).join(", ") : "no network of a known publisher",
      fix: "Choose a prefix that the file has, or none.",
    });
  const fits = groups.map((group) => compare(group, tensors, variant, needsLastLayer));
  const whole = fits.filter(({ problems }) => problems.length === 0);
  const best = whole.find(isAverage) ?? whole[0];
  const surplus = best && prefix === undefined ? surplusOf(best, all, tensors) : [];
  const layers = surplus.filter((name) => isLayer(tensors.get(name) as FileTensor, variant));
  const [layer] = needsLastLayer ? layers : [];
  if (layer !== undefined)
    throw new InputError({
      expected: `weights of EfficientNet ${variant} with its last layer, and no other layers`,
      where,
      found: `${layer} of shape [${tensors.get(layer)?.shape}] beside it`,
      fix:
        best.naming.layout !== "keras" ? aloneFix(best) : layers.every(isFoldable) ? WHOLE_MODEL : NEW_LAYER,
    });
  if (!best) {
    const inOrder = groups.length === 0 && byOrder(tensors, variant, where);
    if (inOrder) return inOrder;
    throw misfit(tensors, variant, where, fits);
  }
  const notes: string[] = [];
  const others = whole.filter((one) => one !== best);
  if (others.length > 0)
    notes.push(
      `${where} holds several networks: taken is ${labelOf(best)}, not ${others.map(labelOf).join(", ")}. ` +
        "`ferkit convert --prefix` takes another one.",
    );
  if (best.leftOut.length > 0)
    notes.push(`${where}: left out, since no layer before the last has them: ${inShort(best.leftOut)}.`);
  if (surplus.length > 0)
    notes.push(
      needsLastLayer
        ? `${where}: not used, as no layer's: ${inShort(surplus)}.`
        : leftOutNote(where, surplus),
    );
  const parameters = parametersOf(best, tensors, variant, where);
  return { parameters, naming: best.naming, isGrey: best.isGrey, notes };
}

/** Names what a training does not take from a file, since it starts from the network alone. */
export const leftOutNote = (where: string, names: string[]) =>
  `${where}: left out, since a training starts from the network alone: ${inShort(names)}.`;

/** Whether a Keras layer can be folded into the last one, if its file says what it does. */
const isFoldable = (name: string) => /(^|\/)(dense|(batch_)?normalization)(_\d+)?\//.test(name);
const WHOLE_MODEL = "Save the whole functional or sequential model as .keras, which says what its layers do.";
const NEW_LAYER = "Choose other weights, or train a last layer: npx ferkit train --set weights=PATH";

const aloneFix = (group: Group) =>
  group.prefix
    ? `Add --prefix ${labelOf(group)} if the network does without, or choose other weights.`
    : "Choose other weights, or save the network alone.";

/** Returns the names of tensors that belong to none of the networks, nor to their counters or an optimizer. */
function surplusOf({ prefix, lastLayer }: Fit, groups: readonly Group[], tensors: Tensors): string[] {
  const others = groups.filter((group) => group.prefix !== prefix);
  // Segments in common, and of two groups with as many the one that has fewer others.
  const nearness = (name: string, other: string) => {
    const [own, segments] = [segmentsOf(name), segmentsOf(other).slice(0, -1)];
    const end = segments.findIndex((segment, i) => segment !== own[i]);
    return end < 0 ? segments.length : end - (segments.length - end) / 1000;
  };
  return [...tensors.keys()].filter(
    (name) =>
      !name.startsWith(prefix) &&
      name !== lastLayer?.kernel &&
      name !== lastLayer?.bias &&
      !COUNTER.test(name) &&
      !isOtherState(name) &&
      others.every((other) => nearness(name, other.prefix) <= nearness(name, prefix)),
  );
}

/** True if a tensor is a kernel, or has as many numbers as the network has features: a part of layers that ferkit's network lacks. */
function isLayer({ shape }: FileTensor, variant: Variant): boolean {
  const {
    shape: [features],
  } = parameterSpecs(variant, 2).find(({ name }) => name === "predictions/kernel") as ParameterSpec;
  return shape.filter((size) => size > 1).length > 1 || shape.includes(features);
}

/** A file with more networks is none that a training wrote, and each is compared with all others. */
const MAX_NETWORKS = 64;

/** Finds each prefix below which there is a network's first kernel. */
function groupsOf(tensors: Tensors, variant: Variant, where: string): Group[] {
  const found = NAMINGS.flatMap((naming) => {
    const stem = naming.names(parameterSpecs(variant, 2)).get("stem_conv/kernel") as string;
    return [...tensors.keys()]
      .filter((name) => name === stem || name.endsWith(`.${stem}`) || name.endsWith(`/${stem}`))
      .map((name) => ({ naming, prefix: name.slice(0, -stem.length) }))
      .filter(({ prefix }) => !isOtherState(prefix));
  });
  if (found.length > MAX_NETWORKS)
    throw new InputError({
      expected: `at most ${MAX_NETWORKS} networks in a file of weights`,
      where,
      found: `${found.length}`,
      fix: "Choose a file of one network.",
    });
  return found.map((group) => {
    const { prefix } = group;
    const within = found.filter((other) => other.prefix !== prefix && other.prefix.startsWith(prefix));
    const own = [...tensors].filter(
      ([name]) => name.startsWith(prefix) && !within.some((other) => name.startsWith(other.prefix)),
    );
    const named = own.map(([name, tensor]) => [name.slice(prefix.length), tensor] as const);
    return {
      ...group,
      tensors: new Map(named.filter(([name]) => !COUNTER.test(name) && !isOtherState(name))),
    };
  });
}

/** Compares a group with a variant's parameters. */
function compare(group: Group, all: Tensors, variant: Variant, needsLastLayer: boolean): Fit {
  const { naming, prefix, tensors } = group;
  const specs = parameterSpecs(variant, 2);
  const names = naming.names(specs);
  const problems: string[] = [];
  const used = new Set<string>();
  let isGrey = false;
  for (const spec of specs) {
    if (isLast(spec)) continue;
    const name = names.get(spec.name) as string;
    const found = tensors.get(name)?.shape.join();
    used.add(name);
    isGrey ||= spec.name === "stem_conv/kernel" && found === fileShape(oneChannel(spec), naming).join();
    const expected = fileShape(isGrey && spec.name === "stem_conv/kernel" ? oneChannel(spec) : spec, naming);
    if (found === undefined) problems.push(`no tensor ${prefix}${name}`);
    else if (found !== expected.join())
      problems.push(`${prefix}${name} of shape [${found}] instead of [${expected}]`);
  }
  const lastLayer = findLastLayer(group, all, names, specs);
  const extra = [...tensors.keys()].filter(
    (name) => !used.has(name) && prefix + name !== lastLayer?.kernel && prefix + name !== lastLayer?.bias,
  );
  const wrong = extra.filter((name) => needsLastLayer || naming.backbone.test(name));
  problems.push(...wrong.map((name) => `${prefix}${name}, which ${variant} does not have`));
  if (needsLastLayer && !lastLayer)
    problems.push(`no last layer, such as ${prefix}${names.get("predictions/kernel")}`);
  const leftOut = extra.filter((name) => !wrong.includes(name)).map((name) => prefix + name);
  return { ...group, isGrey, lastLayer, problems, leftOut };
}

/** Finds the last layer under its publisher's name, otherwise the dense layer that fits and is nearest to the network. */
function findLastLayer(
  { naming, prefix }: Group,
  all: Tensors,
  names: ReadonlyMap<string, string>,
  specs: ParameterSpec[],
): Fit["lastLayer"] {
  const features = (specs.find(({ name }) => name === "predictions/kernel") as ParameterSpec).shape[0];
  const own = prefix + names.get("predictions/kernel");
  const biasOf = (kernel: string) =>
    naming.layout === "torch"
      ? kernel.replace(/weight$/, "bias")
      : kernel.replace(/0$/, "1").replace(/kernel$/, "bias");
  const common = (name: string) => [...prefix].findIndex((letter, i) => name[i] !== letter);
  const nearness = (name: string) => (name === own ? 2 : common(name) < 0 ? 1 : common(name) / prefix.length);
  const found = [...all].flatMap(([kernel, { shape }]) => {
    const [inputs, outputs] = naming.layout === "torch" ? [shape[1], shape[0]] : shape;
    const isDense = shape.length === 2 && inputs === features && !isOtherState(kernel);
    const bias = biasOf(kernel);
    return isDense && bias !== kernel && all.get(bias)?.shape.join() === String(outputs)
      ? [{ kernel, bias }]
      : [];
  });
  found.sort((a, b) => nearness(b.kernel) - nearness(a.kernel));
  return found[0] ?? null;
}

/** @throws InputError for integers, which are weights only times scales that other tensors, or other files, have. */
function checkReal(name: string, { integers }: FileTensor, where: string): void {
  if (integers === undefined) return;
  throw new InputError({
    expected: "weights in floating-point numbers",
    where,
    found: `integers (${integers}) for ${name}, as in a quantized network`,
    fix: "Save the network in float32 or float16, with its quantization undone.",
  });
}

function parametersOf(
  { naming, prefix, tensors, lastLayer, isGrey }: Fit,
  all: Tensors,
  variant: Variant,
  where: string,
): Map<string, ParameterValue> {
  const numClasses = lastLayer ? (all.get(lastLayer.bias) as FileTensor).shape[0] : 2;
  const specs = parameterSpecs(variant, Math.max(2, numClasses));
  const names = naming.names(specs);
  const parameters = new Map<string, ParameterValue>();
  for (const spec of specs) {
    const weight = spec.name.split("/")[1] as "kernel" | "bias";
    if (isLast(spec) && !lastLayer) continue;
    const own = names.get(spec.name) as string;
    const name = isLast(spec) ? (lastLayer as NonNullable<typeof lastLayer>)[weight] : prefix + own;
    const tensor = (isLast(spec) ? all.get(name) : tensors.get(own)) as FileTensor;
    checkReal(name, tensor, where);
    const isSpread = isGrey && spec.name === "stem_conv/kernel";
    const value = toParameter(tensor, isSpread ? oneChannel(spec) : spec, naming);
    parameters.set(spec.name, isSpread ? spreadChannels(value) : value);
  }
  return parameters;
}

/** Takes tensors of unknown names in the order in which the layers run, if every shape fits. */
function byOrder(tensors: Tensors, variant: Variant, where: string): StateDict | null {
  const [naming] = NAMINGS;
  const entries = [...tensors].filter(([name]) => !COUNTER.test(name) && !isOtherState(name));
  const ordered = entries.map(([, tensor]) => tensor);
  const numClasses = ordered.at(-1)?.shape[0] ?? 0;
  const specs = parameterSpecs(variant, Math.max(2, numClasses));
  const fits = (spec: ParameterSpec, i: number) => ordered[i].shape.join() === fileShape(spec, naming).join();
  if (ordered.length !== specs.length || !specs.every(fits)) return null;
  for (const [name, tensor] of entries) checkReal(name, tensor, where);
  const parameters = new Map(specs.map((spec, i) => [spec.name, toParameter(ordered[i], spec, naming)]));
  return {
    parameters,
    naming,
    isGrey: false,
    notes: [`${where} has names of an unknown publisher; its tensors were taken in their order, which fits.`],
  };
}

function misfit(tensors: Tensors, variant: Variant, where: string, fits: Fit[]): InputError {
  const expected = `weights of EfficientNet ${variant}`;
  const nearest = fits.reduce<Fit | null>(
    (best, one) => (best && best.problems.length <= one.problems.length ? best : one),
    null,
  );
  if (!nearest)
    return new InputError({
      expected,
      where,
      found: `${tensors.size} tensors under other names (${inShort([...tensors.keys()])})`,
      fix: "Choose weights of an EfficientNet from timm, torchvision or Keras.",
    });
  const fitsWithoutLast = (known: Variant) => compare(nearest, tensors, known, false).problems.length === 0;
  const other = (Object.keys(VARIANTS) as Variant[]).find(fitsWithoutLast);
  if (other && !fitsWithoutLast(variant))
    return new InputError({
      expected,
      where,
      found: `those of ${other}`,
      fix: `Choose variant ${other}, or another file.`,
    });
  const [first, ...rest] = nearest.problems;
  if (rest.length === 0 && !nearest.lastLayer && first.startsWith("no last layer"))
    return new InputError({
      expected: `${expected} with their last layer`,
      where,
      found: first,
      fix: NEW_LAYER,
    });
  return new InputError({
    expected,
    where,
    found: rest.length > 0 ? `${first}, and ${rest.length} more that do not fit` : first,
    fix: `Choose weights that have the layers of ${nearest.naming.publisher}'s EfficientNet ${variant}.`,
  });
}

/** Returns the shape that a parameter has in a file. */
export function fileShape({ name, shape }: ParameterSpec, { layout }: Pick<Naming, "layout">): number[] {
  if (layout === "keras") return shape;
  if (shape.length === 2) return [shape[1], shape[0]];
  if (shape.length !== 4) return shape;
  const [height, width, channelsIn, channelsOut] = shape;
  return name.endsWith("depthwise_kernel")
    ? [channelsIn, 1, height, width]
    : [channelsOut, channelsIn, height, width];
}

/** Returns a parameter from its tensor: the two leading axes in torch become the last ones, in reverse order. */
export function toParameter(
  { data, shape: [outer, inner, ...rest] }: FileTensor,
  { shape }: ParameterSpec,
  { layout }: Pick<Naming, "layout">,
): ParameterValue {
  if (layout === "keras" || shape.length === 1) return { shape, data };
  const area = sizeOf(rest);
  const result = new Float32Array(data.length);
  for (let o = 0; o < outer; o++)
    for (let i = 0; i < inner; i++)
      for (let p = 0; p < area; p++) result[(p * inner + i) * outer + o] = data[(o * inner + i) * area + p];
  return { shape, data: result };
}

const isLast = ({ name }: ParameterSpec) => name.startsWith("predictions/");
/** True if a group's prefix is the one that was asked for, or is longer by more segments. */
const isBelow = (prefix: string, asked: string) =>
  [".", "/"].some((separator) => prefix.startsWith(asked.replace(/[./]$/, "") + separator));
const labelOf = ({ prefix }: Group) => prefix.replace(/[./]$/, "") || "the one without a prefix";

function oneChannel(spec: ParameterSpec): ParameterSpec {
  const [height, width, , filters] = spec.shape;
  return { ...spec, shape: [height, width, 1, filters] };
}

/** Spreads a kernel of one channel over three, so that grey pixels in RGB give the same. */
function spreadChannels({ shape: [height, width, , filters], data }: ParameterValue): ParameterValue {
  const spread = Float32Array.from({ length: 3 * data.length }, (_, i) => {
    const tap = Math.floor(i / (3 * filters));
    return data[tap * filters + (i % filters)] / 3;
  });
  return { shape: [height, width, 3, filters], data: spread };
}
