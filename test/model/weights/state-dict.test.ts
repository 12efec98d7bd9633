import assert from "node:assert/strict";
import type { Variant } from "../../../src/model/efficientnet.js";
import { type ParameterSpec, parameterSpecs } from "../../../src/model/parameters.js";
import { NAMINGS } from "../../../src/model/weights/names.js";
import {
  type FileTensor,
  fileShape,
  readStateDict,
  type StateDictOptions,
  toParameter,
} from "../../../src/model/weights/state-dict.js";
import { fileTensors, sorted, timmTensors } from "./weight-files.js";

type Tensors = Map<string, FileTensor>;

describe("readStateDict", () => {
  const lite0 = timmTensors("lite0", 7);
  const read = (tensors: Tensors, options?: StateDictOptions, variant: Variant = "lite0") =>
    readStateDict(tensors, variant, "a.pth", options);
  const expected = read(lite0).parameters;
  const vector = (...data: number[]) => ({ shape: [data.length], data: Float32Array.from(data) });
  const zeros = (...shape: number[]) => ({
    shape,
    data: new Float32Array(shape.reduce((product, size) => product * size, 1)),
  });
  const below = (prefix: string, tensors: Tensors) =>
    new Map([...tensors].map(([name, tensor]) => [prefix + name, tensor]));
  const without = (name: string, tensors: Tensors) => new Map([...tensors].filter(([own]) => own !== name));
  const refusal = (
    found: string,
    fix = "Choose weights that have the layers of timm's EfficientNet lite0.",
  ) => ({
    name: "InputError",
    message: `Expected weights of EfficientNet lite0 at a.pth but found ${found}. ${fix}`,
  });

  it("refuses a file of more networks than a training writes, before it compares them", () => {
    const many = new Map(
      Array.from({ length: 20_000 }, (_, i): [string, FileTensor] => [`n${i}.conv_stem.weight`, zeros(0)]),
    );
    assert.throws(() => read(many), {
      name: "InputError",
      message:
        "Expected at most 64 networks in a file of weights at a.pth but found 20000. Choose a file of one network.",
    });
  });

  describe("with tensors beside the network", () => {
    const backbone = below("0.", without("classifier.bias", without("classifier.weight", lite0)));
    const last: [string, FileTensor][] = [
      ["1.weight", { shape: [7, 1280], data: new Float32Array(7 * 1280).fill(1) }],
      ["1.bias", zeros(7)],
    ];
    const whole = { needsLastLayer: true };
    const beside = (...others: [string, FileTensor][]) => new Map([...backbone, ...last, ...others]);

    for (const [what, name, shape] of [
      ["a batch norm before the last layer", "head_bn.weight", [1280]],
      ["another dense layer", "2.weight", [3, 7]],
      ["another network", "teacher.layer1.0.conv1.weight", [64, 64, 3, 3]],
    ] as const)
      it(`refuses ${what}, unless the prefix leaves it out`, () => {
        const tensors = beside([name, zeros(...shape)]);
        assert.throws(() => read(tensors, whole), {
          message:
            "Expected weights of EfficientNet lite0 with its last layer, and no other layers at a.pth but found " +
            `${name} of shape [${shape}] beside it. Add --prefix 0 if the network does without, or choose other weights.`,
        });
        assert.deepEqual(read(tensors, { ...whole, prefix: "0" }).notes, []);
        assert.deepEqual(read(tensors).notes, [
          `a.pth: left out, since a training starts from the network alone: ${name}.`,
        ]);
      });

    it("names numbers that are no layer's, and takes those of averages and of training for granted", () => {
      const { notes } = read(beside(["mean", zeros(1, 3, 1, 1)]), whole);
      assert.deepEqual(notes, ["a.pth: not used, as no layer's: mean."]);
      const training: [string, FileTensor][] = [
        ["optimizer.state.0.exp_avg", zeros(7, 1280)],
        ["criterion.weight", zeros(7)],
        ["1.num_batches_tracked", zeros()],
      ];
      assert.deepEqual(read(beside(...training), whole).notes, []);
      const average = new Map([...below("ema.", backbone), ...below("ema.", new Map(last))]);
      assert.match(
        read(beside(...average), whole).notes.join(),
        /^a.pth holds several networks: taken is ema.0, not 0\./,
      );
    });

    it("refuses layers of an adapter in the network", () => {
      const tensors = new Map<string, FileTensor>([
        ...lite0,
        ["blocks.0.0.conv_dw.lora_A.weight", zeros(4, 32)],
      ]);
      assert.throws(
        () => read(tensors),
        refusal("blocks.0.0.conv_dw.lora_A.weight, which lite0 does not have"),
      );
    });
  });

  it("does not take Keras' B0 with other last layers for Lite0, whose layers it all has", () => {
    const keras = NAMINGS.at(-1) as (typeof NAMINGS)[0];
    const tensors = new Map<string, FileTensor>([...fileTensors("b0", 7, keras), ["extra/kernel", zeros(1)]]);
    const message = (variant: Variant) => {
      try {
        read(tensors, { needsLastLayer: true }, variant);
      } catch (error) {
        return (error as Error).message;
      }
    };
    assert.match(
      message("b0") ?? "",
      /found extra\/kernel, which b0 does not have\. Choose weights that have/,
    );
    assert.match(message("lite0") ?? "", /found those of b0\. Choose variant b0/);
  });

  it("gives each parameter its shape", () => {
    const specs = parameterSpecs("lite0", 7);
    assert.deepEqual(
      [...expected.keys()],
      specs.map(({ name }) => name),
    );
    for (const { name, shape } of specs) assert.deepEqual(expected.get(name)?.shape, shape);
  });

  for (const naming of NAMINGS)
    it(`finds tensors by the names of ${naming.publisher}, in any order`, () => {
      const tensors = sorted(fileTensors("b0", 7, naming));
      const found = read(tensors, { needsLastLayer: true }, "b0");
      assert.equal(found.naming, naming);
      assert.deepEqual([...found.parameters.keys()].length, parameterSpecs("b0", 7).length);
      const first = tensors.get(naming.names(parameterSpecs("b0", 7)).get("stem_bn/gamma") as string);
      assert.deepEqual(found.parameters.get("stem_bn/gamma")?.data, first?.data);
    });

  for (const prefix of [
    "_orig_mod.",
    "model.",
    "module.",
    "state_dict.",
    "state_dict.model.backbone.",
    "a.b_c.",
  ])
    it(`finds tensors below the prefix ${prefix}`, () => {
      const { parameters, notes } = read(below(prefix, lite0), { needsLastLayer: true });
      assert.deepEqual(parameters, expected);
      assert.deepEqual(notes, []);
    });

  it("passes over counters, optimizers and losses", () => {
    const tensors = new Map([
      ["state_dict.bn1.num_batches_tracked", vector(9)],
      ["state_dict.n_averaged", vector(1)],
      ...below("state_dict.", lite0),
      ["state_dict.criterion.weight", vector(1, 2)],
      ["optimizer.state.0.exp_avg", zeros(1, 1280)],
    ]);
    assert.deepEqual(read(tensors, { needsLastLayer: true }).parameters, expected);
  });

  it("takes the moving average of several networks and says so, unless a prefix is given", () => {
    const average = new Map(
      [...lite0].map(([name, { shape, data }]) => [name, { shape, data: data.map(() => 0.25) }]),
    );
    const both = new Map([...below("state_dict.", lite0), ...below("state_dict_ema.", average)]);
    const { parameters, notes } = read(both, { needsLastLayer: true });
    assert.equal(parameters.get("stem_bn/beta")?.data[1], 0.25);
    assert.deepEqual(notes, [
      "a.pth holds several networks: taken is state_dict_ema, not state_dict. " +
        "`ferkit convert --prefix` takes another one.",
    ]);
    const chosen = read(both, { needsLastLayer: true, prefix: "state_dict" });
    assert.deepEqual(chosen.parameters, expected);
    assert.deepEqual(chosen.notes, []);
    const nested = new Map([...both, ...below("swa.module.", average)]);
    assert.deepEqual(read(nested, { needsLastLayer: true, prefix: "swa" }).notes, []);
    assert.throws(() => read(both, { prefix: "model" }), {
      message:
        "Expected a network below the prefix model at a.pth but found state_dict, state_dict_ema. " +
        "Choose a prefix that the file has, or none.",
    });
  });

  it("takes words of a prefix, not parts of words, for a moving average or an optimizer's state", () => {
    const take = (...prefixes: string[]) => {
      const several = prefixes.map((prefix, i): [string, typeof lite0] => [
        prefix,
        new Map([...lite0].map(([name, { shape, data }]) => [name, { shape, data: data.map(() => i + 1) }])),
      ]);
      const tensors = new Map(several.flatMap(([prefix, own]) => [...below(prefix, own)]));
      const { parameters } = read(tensors, { needsLastLayer: true });
      return prefixes[(parameters.get("stem_bn/beta")?.data[0] ?? 0) - 1];
    };
    for (const part of ["remapped.", "schema_model.", "demand.", "lossless."])
      assert.equal(take("model.", part), "model.", part);
    for (const average of ["model_ema.module.", "emaModel.", "swa.module.", "averaged_model.", "avg."])
      assert.equal(take("model.", average), average);
    for (const other of ["exp_avg.", "state.exp_avg_sq.", "momentum_buffer.", "opt_state.", "optimizer.0."])
      assert.equal(take(other, "model."), "model.", other);
  });

  it("refuses integers, but for counters", () => {
    const integers = new Map(lite0);
    integers.set("bn1.weight", { ...(lite0.get("bn1.weight") as FileTensor), integers: "U8" });
    integers.set("bn1.num_batches_tracked", { ...vector(9), integers: "I64" });
    const message =
      "Expected weights in floating-point numbers at a.pth but found integers (U8) for bn1.weight, as in a quantized network. " +
      "Save the network in float32 or float16, with its quantization undone.";
    assert.throws(() => read(integers), { name: "InputError", message });
    const named = new Map(
      [...integers].map(([name, tensor]) => [/num_batches/.test(name) ? name : `layer ${name}`, tensor]),
    );
    assert.throws(() => read(named), {
      name: "InputError",
      message: message.replace("bn1.w", "layer bn1.w"),
    });
    integers.set("bn1.weight", lite0.get("bn1.weight") as FileTensor);
    assert.deepEqual(read(integers, { needsLastLayer: true }).parameters, expected);
  });

  it("spreads a kernel of one channel over three", () => {
    const kernel = { shape: [32, 1, 3, 3], data: new Float32Array(32 * 9).fill(0.75) };
    const { parameters, isGrey } = read(new Map([...lite0, ["conv_stem.weight", kernel]]));
    assert.ok(isGrey);
    assert.deepEqual(parameters.get("stem_conv/kernel"), {
      shape: [3, 3, 3, 32],
      data: new Float32Array(3 * 32 * 9).fill(0.25),
    });
  });

  it("takes no last layer, or another one, if none is needed", () => {
    const backbone = without("classifier.bias", without("classifier.weight", lite0));
    assert.equal(read(backbone).parameters.has("predictions/kernel"), false);
    const deep = new Map([
      ...backbone,
      ["head.0.weight", zeros(512, 1280)],
      ["head.2.weight", zeros(3, 512)],
    ]);
    assert.deepEqual(read(deep).notes, [
      "a.pth: left out, since no layer before the last has them: head.0.weight, head.2.weight.",
    ]);
    assert.throws(() => read(backbone, { needsLastLayer: true }), {
      message:
        "Expected weights of EfficientNet lite0 with their last layer at a.pth but found no last layer, such as classifier.weight. " +
        "Choose other weights, or train a last layer: npx ferkit train --set weights=PATH",
    });
    assert.throws(
      () => read(deep, { needsLastLayer: true }),
      refusal("head.0.weight, which lite0 does not have, and 2 more that do not fit"),
    );
  });

  it("finds a last layer of another name, beside the network too", () => {
    const backbone = without("classifier.bias", without("classifier.weight", lite0));
    const last: Tensors = new Map([
      ["model.head.weight", zeros(5, 1280)],
      ["model.head.bias", zeros(5)],
    ]);
    for (const prefix of ["model.", "model.backbone."]) {
      const found = read(new Map([...below(prefix, backbone), ...last]), { needsLastLayer: true });
      assert.deepEqual(found.parameters.get("predictions/kernel")?.shape, [1280, 5]);
    }
  });

  it("takes tensors of unknown names in the order of the layers, and says so", () => {
    const unknown = new Map([...lite0.values()].map((tensor, i) => [`layer ${i}`, tensor]));
    const { parameters, notes } = read(unknown);
    assert.deepEqual(parameters, expected);
    assert.deepEqual(notes, [
      "a.pth has names of an unknown publisher; its tensors were taken in their order, which fits.",
    ]);
    assert.throws(
      () => read(sorted(unknown)),
      refusal(
        `${lite0.size} tensors under other names (layer 0, layer 1, layer 10 and ${lite0.size - 3} more)`,
        "Choose weights of an EfficientNet from timm, torchvision or Keras.",
      ),
    );
  });

  it("names the variant that the weights are of", () => {
    for (const tensors of [timmTensors("lite1"), below("model.", sorted(timmTensors("lite1")))])
      assert.throws(() => read(tensors), refusal("those of lite1", "Choose variant lite1, or another file."));
  });

  it("names a tensor that does not fit", () => {
    const cases: [Tensors, string][] = [
      [without("bn2.bias", lite0), "no tensor bn2.bias"],
      [new Map([...lite0, ["extra.weight", vector(1)]]), "extra.weight, which lite0 does not have"],
      [new Map([...lite0, ["bn2.extra", vector(1)]]), "bn2.extra, which lite0 does not have"],
      [
        new Map([...lite0, ["conv_stem.weight", zeros(32, 4, 3, 3)]]),
        "conv_stem.weight of shape [32,4,3,3] instead of [32,3,3,3]",
      ],
      [
        below("model.", new Map([...lite0, ["bn1.weight", vector(1)], ["bn1.bias", vector(1)]])),
        "model.bn1.weight of shape [1] instead of [32], and 1 more that do not fit",
      ],
    ];
    for (const [tensors, found] of cases)
      assert.throws(() => read(tensors, { needsLastLayer: true }), refusal(found));
  });
});

describe("toParameter", () => {
  const torch = { layout: "torch" } as const;

  it("turns a convolution's [out, in, height, width] into [height, width, in, out]", () => {
    const tensor = { shape: [2, 2, 1, 2], data: Float32Array.of(1, 2, 3, 4, 5, 6, 7, 8) };
    const spec: ParameterSpec = { name: "a/kernel", shape: [1, 2, 2, 2], kind: "kernel" };
    // Output 0: input 0 has 1 2 along the width, input 1 has 3 4; output 1: 5 6 and 7 8.
    assert.deepEqual(toParameter(tensor, spec, torch), {
      shape: [1, 2, 2, 2],
      data: Float32Array.of(1, 5, 3, 7, 2, 6, 4, 8),
    });
  });

  it("turns a depthwise convolution's [channels, 1, height, width] into [height, width, channels, 1]", () => {
    const tensor = { shape: [2, 1, 1, 3], data: Float32Array.of(1, 2, 3, 4, 5, 6) };
    const spec: ParameterSpec = { name: "a/depthwise_kernel", shape: [1, 3, 2, 1], kind: "kernel" };
    assert.deepEqual(toParameter(tensor, spec, torch).data, Float32Array.of(1, 4, 2, 5, 3, 6));
  });

  it("transposes a dense layer", () => {
    const tensor = { shape: [2, 3], data: Float32Array.of(1, 2, 3, 4, 5, 6) };
    const spec: ParameterSpec = { name: "a/kernel", shape: [3, 2], kind: "kernel" };
    assert.deepEqual(toParameter(tensor, spec, torch).data, Float32Array.of(1, 4, 2, 5, 3, 6));
  });

  it("leaves vectors, and Keras' layout, unchanged", () => {
    const data = Float32Array.of(1, 2);
    const bias: ParameterSpec = { name: "a/bias", shape: [2], kind: "bias" };
    assert.deepEqual(toParameter({ shape: [2], data }, bias, torch), { shape: [2], data });
    const kernel: ParameterSpec = { name: "a/kernel", shape: [1, 2], kind: "kernel" };
    assert.deepEqual(toParameter({ shape: [1, 2], data }, kernel, { layout: "keras" }), {
      shape: [1, 2],
      data,
    });
  });
});

describe("fileShape", () => {
  it("knows how torch lays out each kind of parameter", () => {
    const shapes = new Map(
      parameterSpecs("b0", 1000).map((spec) => [spec.name, fileShape(spec, { layout: "torch" })]),
    );
    assert.deepEqual(shapes.get("stem_conv/kernel"), [32, 3, 3, 3]);
    assert.deepEqual(shapes.get("block3a_dwconv/depthwise_kernel"), [144, 1, 5, 5]);
    assert.deepEqual(shapes.get("block2a_se_reduce/kernel"), [4, 96, 1, 1]);
    assert.deepEqual(shapes.get("predictions/kernel"), [1000, 1280]);
    assert.deepEqual(shapes.get("top_bn/gamma"), [1280]);
  });
});
