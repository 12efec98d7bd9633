import assert from "node:assert/strict";
import { execFileSync } from "node:child_process";
import { mkdtemp, rm } from "node:fs/promises";
import os from "node:os";
import path from "node:path";
import type { InputProblem } from "../../../src/errors.js";
import { convertCheckpoint } from "../../../src/model/weights/checkpoint.js";
import { readSafetensors } from "../../../src/model/weights/safetensors.js";
import { projectDir } from "../../source-files.js";

const PYTHON = path.join(projectDir, ".venv/bin/python");

describe("convertCheckpoint of Keras files", function () {
  this.timeout(600_000);
  /** A layer of `keras_models.py`: its class, options, arrays by weight, and calls. */
  type KerasLayer = [kind: string, options: object, arrays?: Record<string, unknown>, calls?: unknown[]];
  interface KerasResult {
    tensors: Record<string, number[]>;
    conventions: Record<string, unknown> & { preprocessing: { mean: number[]; std: number[] } };
    problem?: InputProblem;
  }
  /** Reads Keras files of models, all in one process. */
  const readKeras = (models: object[], ...target: string[]): KerasResult[] => {
    const program = path.join(projectDir, "test/model/weights/keras_models.py");
    return JSON.parse(
      execFileSync(PYTHON, ["-I", program, ...target], { input: JSON.stringify(models) }).toString(),
    );
  };
  const close = (actual: ArrayLike<number>, wanted: number[], what: string) => {
    assert.equal(actual.length, wanted.length, what);
    Array.from(actual).forEach((value, i) => {
      assert.ok(Math.abs(value - wanted[i]) < 1e-4, `${what}: ${value} instead of ${wanted[i]}`);
    });
  };
  const MEAN: KerasLayer = ["GlobalAveragePooling2D", {}];
  const DENSE_ARRAYS = {
    kernel: [
      [1, 2],
      [3, 4],
      [5, 6],
    ],
    bias: [0.5, -0.5],
  };
  const dense = (activation: string): KerasLayer => ["Dense", { activation }, DENSE_ARRAYS];
  const norm = (gamma: number[], beta: number[], moving_mean: number[], moving_variance: number[]) =>
    ["BatchNormalization", { epsilon: 0 }, { gamma, beta, moving_mean, moving_variance }] as KerasLayer;

  it("reads how a Keras network pads and scales pixels, in its model or around it", () => {
    const normalization: KerasLayer = ["Normalization", {}, { mean: [0.2, 0.4, 0.6], variance: [4, 4, 4] }];
    const before = [["Rescaling", { scale: 1 / 255 }], normalization, ["Rescaling", { scale: [2, 4, 5] }]];
    const flips = [["RandomFlip", {}], ["Resizing", {}], norm([2], [1], [0], [4])]; // a norm of one number for all channels
    const forms = [true, false].flatMap((isFlat) =>
      [true, false].map((isLegacy) => ({ before, isFlat, isLegacy })),
    );
    const [unknown, any, flipped, ...scaled] = readKeras([{}, { side: null }, { before: flips }, ...forms]);
    for (const { tensors, conventions } of scaled) {
      // (x/255 − mean) / √4 · scale
      close(conventions.preprocessing.mean, [51, 102, 153], "mean");
      close(conventions.preprocessing.std, [255, (255 * 2) / 4, (255 * 2) / 5], "std");
      assert.deepEqual([conventions.padding, conventions.epsilon], ["same", 1e-3]);
      assert.deepEqual(tensors["block1a_dwconv/depthwise_kernel"], [3, 4]);
      assert.equal(tensors["predictions/kernel"], undefined);
    }
    assert.deepEqual([any.conventions.padding, any.conventions.image_size], ["even", undefined]);
    assert.equal(unknown.conventions.image_size, 48);
    const { mean, std } = flipped.conventions.preprocessing;
    close([...mean, ...std], [-1, -1, -1, 1, 1, 1], "batch norm");
    assert.deepEqual(flipped.conventions.notes, [
      "the layer Resizing my_resizing_1 is left out, since ferkit resizes images itself",
    ]);
    assert.deepEqual(unknown.conventions.notes, [
      "no layer scales its pixels, so the usual mean and deviation are taken; --mean and --std of `ferkit convert` take others",
    ]);
  });

  it("names the arrays of a Keras file by layer and weight", async () => {
    const folder = await mkdtemp(path.join(os.tmpdir(), "ferkit-keras-"));
    const keras = path.join(folder, "a.keras");
    const [{ tensors }] = readKeras([{ after: [MEAN, dense("softmax")] }], keras);
    const { tensors: converted } = readSafetensors(await convertCheckpoint(keras), keras);
    await rm(folder, { recursive: true });
    assert.deepEqual(converted.get("top_conv/kernel"), {
      shape: [1, 1, 2, 3],
      data: Float32Array.of(1, 2, 3, 4, 5, 6),
    });
    assert.deepEqual([...converted.keys()], Object.keys(tensors));
  });

  const own = [1, 2, 3, 4, 5, 6];
  const heads: [what: string, after: KerasLayer[], kernel: number[], bias: number[]][] = [
    ["a dense layer", [MEAN, ["Dropout", {}], dense("softmax")], own, [0.5, -0.5]],
    ["no bias", [MEAN, ["Dense", { use_bias: false }, { kernel: DENSE_ARRAYS.kernel }]], own, [0, 0]],
    // Its factors are 4/√4 = 2, 1, 1, its terms −1·2, 1, 0: the bias gains −2·1 + 1·3 and −2·2 + 1·4.
    [
      "a batch norm",
      [MEAN, norm([4, 1, 1], [0, 1, 0], [1, 0, 0], [4, 1, 1]), dense("softmax")],
      [2, 4, 3, 4, 5, 6],
      [1.5, -0.5],
    ],
    [
      "a batch norm before the mean",
      [norm([2, 1, 1], [0, 0, 0], [0, 0, 0], [1, 1, 1]), MEAN, dense("linear")],
      [2, 4, 3, 4, 5, 6],
      [0.5, -0.5],
    ],
    [
      "a batch norm of logits",
      [MEAN, dense("linear"), norm([1, 2], [0, 3], [0, 0], [1, 1]), ["Softmax", {}]],
      [1, 4, 3, 8, 5, 12],
      [0.5, 2],
    ],
    [
      "two dense layers",
      [
        MEAN,
        dense("linear"),
        [
          "Dense",
          { activation: "softmax" },
          {
            kernel: [
              [1, 0],
              [1, 2],
            ],
            bias: [0, 1],
          },
        ],
      ],
      [3, 4, 7, 8, 11, 12],
      [0, 0],
    ],
    [
      "a sigmoid of one output",
      [MEAN, ["Dense", { activation: "sigmoid" }, { kernel: [[1], [3], [5]], bias: [0.5] }]],
      [0, 1, 0, 3, 0, 5],
      [0, 0.5],
    ],
    ["one position, flattened", [["Flatten", {}], dense("softmax")], own, [0.5, -0.5]],
  ];
  it("folds a Keras network's last layers into one", () => {
    for (const isLegacy of [true, false])
      readKeras(heads.map(([, after]) => ({ after, isLegacy }))).forEach(({ tensors, conventions }, i) => {
        const [what, , kernel, bias] = heads[i];
        assert.equal(conventions.head, undefined, what);
        const withArrays = heads[i][1].flatMap(([kind, , arrays], k) =>
          arrays ? `my_${kind.toLowerCase()}_${k}` : [],
        );
        assert.deepEqual(conventions.folded, withArrays.length > 1 ? withArrays : undefined, what);
        close(tensors["predictions/kernel"], kernel, what);
        close(tensors["predictions/bias"], bias, what);
      });
  });

  const others: [after: KerasLayer[], reason: string][] = [
    [[["GlobalMaxPooling2D", {}], dense("softmax")], "the layer GlobalMaxPooling2D my_globalmaxpooling2d_0"],
    [
      [MEAN, dense("relu"), dense("softmax")],
      "the layer Dense my_dense_2 after the activation relu of the layer Dense my_dense_1",
    ],
    [[MEAN, dense("sigmoid")], "the layer Dense my_dense_1 with the activation sigmoid"],
    [
      [MEAN, ["LayerNormalization", {}, { gamma: [1, 1, 1], beta: [0, 0, 0] }], dense("softmax")],
      "the layer LayerNormalization my_layernormalization_1",
    ],
    [
      [MEAN, dense("linear"), ["PReLU", {}, { alpha: [1, 2] }], dense("softmax")],
      "the layer PReLU my_prelu_2",
    ],
    [
      [
        ["MultiHeadAttention", {}, { "query/kernel": [1], "key/kernel": [2] }],
        ["MultiHeadAttention", {}, { "query/kernel": [1] }],
        MEAN,
        dense("softmax"),
      ],
      "the layer MultiHeadAttention my_multiheadattention_0",
    ],
    [
      [MEAN, ["Dropout", {}, { rate: [1] }], dense("softmax")],
      "the layer Dropout my_dropout_1 with the array ARRAY",
    ],
    [
      [MEAN, ["Dense", {}, { ...DENSE_ARRAYS, scale: [1, 2] }]],
      "the layer Dense my_dense_1 with the array ARRAY",
    ],
    [
      [MEAN, ["Dropout", {}, {}, [{ args: [], kwargs: { training: true } }]], dense("softmax")],
      "the layer Dropout my_dropout_1, which is called with training=True",
    ],
    [
      [MEAN, ["Dense", {}, DENSE_ARRAYS, [[["x", 0, 0, {}]], [["y", 0, 0, {}]]]]],
      "the layer Dense my_dense_1, which is used 2 times",
    ],
    [
      [
        ["Flatten", {}],
        ["Dense", {}, { kernel: Array(12).fill([1, 2]), bias: [0, 0] }],
      ],
      "the layer Dense my_dense_1 for 12 features instead of 3, as behind Flatten in place of a mean",
    ],
    [
      [MEAN, ["Dense", {}, { kernel: [[1], [2], [3]], bias: [0] }]],
      "the layer Dense my_dense_1 with one output and the activation linear",
    ],
    [[dense("softmax")], "the layer Dense my_dense_0 without GlobalAveragePooling2D before it"],
    [[MEAN, ["Lambda", {}]], "the layer Lambda my_lambda_1"],
  ];
  it("names the layer that keeps a Keras network's last layers from being one", () => {
    const quantized = { after: [MEAN, dense("softmax")], isQuantized: true };
    const reasons = [
      ...others.map(([, reason]) => reason),
      "the layer Dense my_dense_1 with integers for weights, as in a quantized network",
      "2 outputs",
    ];
    const models = [
      ...others.map(([after]) => ({ after })),
      quantized,
      { after: [MEAN, dense("softmax")], outputs: 2 },
    ];
    const forms = [true, false].flatMap((isLegacy) =>
      [true, false].flatMap((isFlat) => models.map((model) => ({ ...model, isLegacy, isFlat }))),
    );
    readKeras(forms).forEach(({ tensors, conventions, problem }, i) => {
      const reason = reasons[i % reasons.length];
      assert.equal(problem, undefined, reason);
      assert.equal((conventions.head as string).replace(/(?<=array ).*/, "ARRAY"), reason);
      assert.equal(tensors["predictions/kernel"], undefined);
      assert.ok(tensors["top_conv/kernel"]);
    });
  });

  it("refuses a Keras network that computes something else, by the name of the layer", () => {
    const cases: [model: object, found: string][] = [
      [{ before: [["Lambda", {}]] }, "the layer Lambda my_lambda_0 before the network"],
      [{ before: [["CenterCrop", {}]] }, "the layer CenterCrop my_centercrop_0 before the network"],
      [{ before: [["PReLU", {}, { alpha: [1] }]] }, "the layer PReLU my_prelu_0 before the network"],
      [
        { before: [["Dropout", {}, {}, [{ args: [], kwargs: { training: true } }]]] },
        "the layer Dropout my_dropout_0, which is called with training=True",
      ],
      [
        { before: [["Dropout", {}, {}, [[["x", 0, 0, {}]], [["y", 0, 0, {}]]]]] },
        "the layer Dropout my_dropout_0, which is used 2 times",
      ],
      [{ backbone: { stem_conv: { strides: [1, 1] } } }, "the layer Conv2D stem_conv with strides [1, 1]"],
      [
        { backbone: { stem_activation: { activation: "gelu" } } },
        "the layer Activation stem_activation with the activation gelu",
      ],
      [{ backbone: { top_bn: { epsilon: 0.1 } } }, "batch norms of different epsilon (0.001, 0.1)"],
    ];
    const results = readKeras(cases.map(([model]) => model));
    const [extra, optimizer, renamed] = readKeras([
      { extra: { "layers/adapter/vars/0": [1] } },
      { extra: { "optimizer/vars/0": [1] } },
      { backbone: { stem_conv: { name: "conv1" } } },
    ]);
    assert.deepEqual(
      results.map(({ problem }) => problem),
      cases.map(([, found]) => ({
        expected: "a Keras model whose layers are all in ferkit's network, or can be folded into it",
        found,
        fix: "Remove the layer, apply what it does to the images instead, and save the model again as .keras.",
      })),
    );
    assert.deepEqual(extra.problem, {
      expected: "a Keras file whose arrays are all of the layers that it lists",
      found: "the array layers/adapter/vars/0, which belongs to no layer",
      fix: "Save the whole functional or sequential model again as .keras.",
    });
    assert.equal(optimizer.problem, undefined);
    assert.deepEqual(renamed.problem, {
      expected: "the layers of keras.applications' EfficientNet, such as stem_conv",
      found: "other layers (stem_conv_pad, conv1, stem_bn)",
      fix: "Choose weights of an EfficientNet from timm, torchvision or Keras.",
    });
  });
});
