import assert from "node:assert/strict";
import { execFileSync, spawnSync } from "node:child_process";
import { existsSync } from "node:fs";
import { mkdtemp, rm, writeFile } from "node:fs/promises";
import os from "node:os";
import path from "node:path";
import type { InputProblem } from "../../../src/errors.js";
import { convertCheckpoint } from "../../../src/model/weights/checkpoint.js";
import { readSafetensors } from "../../../src/model/weights/safetensors.js";
import type { FileTensor } from "../../../src/model/weights/state-dict.js";
import { projectDir } from "../../source-files.js";
import { checkpointBytes, checkpointHead, pickle, text } from "./weight-files.js";

/** Made by torch (test/golden/make_checkpoints.py). */
const GOLDEN = path.join(projectDir, "test/golden/checkpoints");
const PYTHON = path.join(projectDir, ".venv/bin/python");
const AGAIN = "Download the file again or choose another one.";

describe("convertCheckpoint", function () {
  this.timeout(600_000);
  let folder: string;
  let file: string;
  before(async () => {
    folder = await mkdtemp(path.join(os.tmpdir(), "ferkit-convert-"));
    file = path.join(folder, "a.pth");
  });
  after(() => rm(folder, { recursive: true }));

  const convert = async (source: string) => readSafetensors(await convertCheckpoint(source), source).tensors;
  const convertBytes = async (bytes: Buffer) => {
    await writeFile(file, bytes);
    return convert(file);
  };
  const refusal = (found: string, expected = "a torch checkpoint or a Keras file", fix = AGAIN) => ({
    name: "InputError",
    message: `Expected ${expected} at ${file} but found ${found}. ${fix}`,
  });

  for (const form of ["zip", "legacy"])
    it(`reads each kind of tensor that torch wrote, in its order: ${form}`, async () => {
      const tensor = (shape: number[], ...data: number[]) => ({ shape, data: Float32Array.from(data) });
      assert.deepEqual(
        [...(await convert(path.join(GOLDEN, `${form}.pth`)))],
        Object.entries({
          weight: tensor([2, 3], 1, 2, 3, 4, 5, 6),
          transposed: tensor([3, 2], 1, 4, 2, 5, 3, 6),
          tail: tensor([2], 5, 6),
          channels_last: tensor([1, 2, 2, 2], 0, 1, 2, 3, 4, 5, 6, 7),
          parameter: tensor([2], 0.5, -0.5),
          half: tensor([2], 0.25, 3),
          bfloat16: tensor([2], 0.25, 3),
          double: tensor([2], 0.25, 3),
          steps: { ...tensor([], 7), integers: "I64" },
        }),
      );
    });

  it("does not take a full disk for temporary files for a damaged file", function () {
    const script =
      'mount -t tmpfs -o size=8k tmpfs "$1" && { head -c 9000 /dev/zero > "$1/fill"; exec "$2" -I "$3" "$4" "$1/a.safetensors"; }';
    const program = path.join(projectDir, "scripts/convert_checkpoint.py");
    const unshare = ["--user", "--map-root-user", "--mount", "sh", "-c", script, "sh", folder];
    const { status, stdout, stderr } = spawnSync(
      "unshare",
      [...unshare, PYTHON, program, path.join(GOLDEN, "zip.pth")],
      { encoding: "utf8" },
    );
    if (/unshare|mount/.test(stderr)) this.skip(); // this machine lets no process mount a disk of its own
    assert.equal(status, 2, stderr);
    assert.deepEqual(JSON.parse(stdout), {
      expected: "to write",
      found: "a full disk",
      fix: "Make room there, or choose another folder for temporary files with TMPDIR.",
      where: folder,
    });
  });

  it("reads a module that was saved whole, under the names of its state dictionary", async () => {
    const tensors = await convert(path.join(GOLDEN, "module.pth"));
    assert.deepEqual(tensors.get("conv.weight"), { shape: [2, 1, 1, 1], data: Float32Array.of(1, 2) });
    assert.deepEqual([...tensors.keys()].sort(), [
      "conv.bias",
      "conv.weight",
      "norm.bias",
      "norm.num_batches_tracked",
      "norm.running_mean",
      "norm.running_var",
      "norm.weight",
    ]);
  });

  it("names the tensors of nested dictionaries by their path, and passes over other data", async () => {
    const source = path.join(GOLDEN, "nested.pth");
    const { tensors, metadata } = readSafetensors(await convertCheckpoint(source), source);
    assert.equal(metadata["ferkit.architecture"], "tf_efficientnet_lite0");
    assert.equal(metadata["ferkit.scale"], "[[0.5, 0.25, 0.125], [1.0, 2.0, 4.0]]");
    const names = [...tensors.keys()];
    assert.ok(names.includes("state_dict.conv.weight"), names.join());
    assert.ok(names.includes("optimizer.state.0.exp_avg"), names.join());
    assert.equal(names.filter((name) => name.startsWith("state_dict.")).length, 7);
  });

  it("refuses a pickle that calls a function of Python's, and runs nothing", async () => {
    const command = text(`touch ${folder}/planted`);
    const planted = [pickle("cposix\nsystem\n", command, "\x85R")];
    planted.push(
      Buffer.concat([checkpointHead(), pickle("}", text("weight"), planted[0].subarray(2, -1), "s")]),
    );
    for (const bytes of planted)
      await assert.rejects(
        convertBytes(bytes),
        refusal(
          "a call of posix.system",
          "nothing but data in a checkpoint",
          "Remove the file and take the weights from their publisher: it asks to run code, of which none was run.",
        ),
      );
    await assert.rejects(
      convertBytes(pickle("ccommands\nPopen\n", command, "\x85R")), // subprocess, by its name in Python 2
      /found a call of subprocess\.Popen\. /,
    );
    assert.equal(existsSync(path.join(folder, "planted")), false);
  });

  it("says what it found in other pickles and archives", async () => {
    const matrix: FileTensor = { shape: [2, 3], data: Float32Array.of(1, 2, 3, 4, 5, 6) };
    const large = { shape: [2 ** 20, 2 ** 20], data: Float32Array.of(1) };
    const laidOut = (tensor: FileTensor, offset: number, strides: number[]) =>
      checkpointBytes(new Map([["weight", tensor]]), () => ({ offset, strides }));
    const cut = (bytes: Buffer) => `the end of the file after ${bytes.length} bytes; it is cut short`;
    const whole = laidOut(matrix, 0, [3, 1]);
    const cases: [Buffer, string][] = [
      [pickle("K\x01"), "no torch magic number"],
      [Buffer.concat([checkpointHead(), pickle("]"), pickle("]")]), "no tensors"],
      [laidOut(matrix, 1, [3, 1]), "a tensor outside its storage"],
      [laidOut(large, 0, [0, 0]), "a tensor outside its storage"],
      [laidOut(matrix, 5, [-3, -1]), "a tensor without storage, shape or strides"],
      [whole.subarray(0, -4), cut(whole.subarray(0, -4))],
      [Buffer.from("PK\x03\x04\0\0\x08\x08\0\0"), "the end of the file after 10 bytes; it is cut short"],
    ];
    for (const [bytes, found] of cases) await assert.rejects(convertBytes(bytes), refusal(found));
  });

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
    assert.equal(any.conventions.padding, "even");
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
    const keras = path.join(folder, "a.keras");
    const [{ tensors }] = readKeras([{ after: [MEAN, dense("softmax")] }], keras);
    const converted = await convert(keras);
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
      [MEAN, ["LayerNormalization", {}], dense("softmax")],
      "the layer LayerNormalization my_layernormalization_1",
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
    const results = readKeras([...others.map(([after]) => ({ after })), quantized]);
    assert.deepEqual(
      results.map(({ conventions }) => conventions.head),
      [
        ...others.map(([, reason]) => reason),
        "the layer Dense my_dense_1 with integers for weights, as in a quantized network",
      ],
    );
    for (const { tensors } of results) {
      assert.equal(tensors["predictions/kernel"], undefined);
      assert.ok(tensors["top_conv/kernel"]);
    }
  });

  it("refuses a Keras network that computes something else, by the name of the layer", () => {
    const cases: [model: object, found: string][] = [
      [{ before: [["Lambda", {}]] }, "the layer Lambda my_lambda_0 before the network"],
      [{ before: [["CenterCrop", {}]] }, "the layer CenterCrop my_centercrop_0 before the network"],
      [{ outputs: 2 }, "2 outputs"],
      [
        { after: [["Dropout", {}, {}, [{ args: [], kwargs: { training: true } }]]] },
        "the layer Dropout my_dropout_0, which is called with training=True",
      ],
      [
        { after: [["Dropout", {}, {}, [[["x", 0, 0, {}]], [["y", 0, 0, {}]]]]] },
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
    assert.equal(extra.problem?.found, "the array layers/adapter/vars/0, which belongs to no layer");
    assert.equal(optimizer.problem, undefined);
    assert.deepEqual(renamed.problem, {
      expected: "the layers of keras.applications' EfficientNet, such as stem_conv",
      found: "other layers (stem_conv_pad, conv1, stem_bn)",
      fix: "Choose weights of an EfficientNet from timm, torchvision or Keras.",
    });
  });

  describe("with a small file that asks for much", () => {
    const RATIO = "that take more than 16 times the file's size";
    const files: [name: string, what: string, found: string][] = [
      ["views.pth", "a storage that is viewed many times", `views of its numbers ${RATIO}`],
      ["nested.pth", "lists that hold each other", "data that is nested too deeply"],
      ["deep.pth", "deep nesting", "data that is nested too deeply"],
      ["zeros.pth", "zeros that are compressed a thousand times", `entries of the archive ${RATIO}`],
      ["huge.h5", "an array that is not in the file", `arrays ${RATIO}`],
      ["outside.h5", "an array in another file", "numbers of layers/dense/vars/0 in another file"],
      ["zeros.keras", "a Keras file of compressed zeros", `entries of the archive ${RATIO}`],
    ];
    before("writes them", () => {
      const program = path.join(projectDir, "test/model/weights/make_greedy_files.py");
      execFileSync(PYTHON, ["-I", program, folder]);
    });
    for (const [name, what, found] of files)
      it(`refuses ${what}`, async () => {
        const source = path.join(folder, name);
        await assert.rejects(convertCheckpoint(source), {
          name: "InputError",
          message: `Expected a torch checkpoint or a Keras file at ${source} but found ${found}. ${AGAIN}`,
        });
      });
  });

  for (const form of ["legacy", "zip"])
    it(`refuses a damaged file or reads it, whichever byte is wrong: ${form}`, () => {
      const program = path.join(projectDir, "test/model/weights/damaged_checkpoints.py");
      const checkpoint = path.join(GOLDEN, `${form}.pth`);
      const counts = execFileSync(
        PYTHON,
        ["-I", "-W", "ignore", program, path.join(projectDir, "scripts"), checkpoint],
        { encoding: "utf8" },
      );
      const { refused, read } = JSON.parse(counts) as { refused: number; read: number };
      assert.ok(refused > 1000 && read > 500, counts);
    });
});
