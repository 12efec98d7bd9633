import assert from "node:assert/strict";
import { type ParameterSpec, parameterSpecs } from "../../../src/model/parameters.js";
import {
  fromTorch,
  type TorchTensor,
  torchShape,
  toTensorFlow,
} from "../../../src/model/weights/state-dict.js";
import { sorted, timmTensors } from "./weight-files.js";

describe("fromTorch", () => {
  const lite0 = timmTensors("lite0");
  const inOrder = new Map(
    [...lite0.values()].map((tensor, i): [string, TorchTensor] => [`layer ${i}`, tensor]),
  );
  const counter: [string, TorchTensor] = ["bn1.num_batches_tracked", { shape: [], data: Float32Array.of(9) }];

  it("gives each parameter its shape", () => {
    const parameters = fromTorch(lite0, "lite0", "a.pth");
    const specs = parameterSpecs("lite0", 1000);
    assert.deepEqual(
      [...parameters.keys()],
      specs.map(({ name }) => name),
    );
    for (const { name, shape } of specs) assert.deepEqual(parameters.get(name)?.shape, shape);
  });

  it("takes tensors by timm's names, in any order", () => {
    const expected = fromTorch(lite0, "lite0", "a.pth");
    assert.deepEqual(fromTorch(sorted(lite0), "lite0", "a.safetensors"), expected);
  });

  it("takes tensors of other names in the order of the layers", () => {
    assert.deepEqual(fromTorch(inOrder, "lite0", "a.pth"), fromTorch(lite0, "lite0", "a.pth"));
  });

  it("leaves out the counters of batch norm", () => {
    const expected = fromTorch(lite0, "lite0", "a.pth");
    assert.deepEqual(fromTorch(new Map([counter, ...lite0]), "lite0", "a.pth"), expected);
    assert.deepEqual(fromTorch(new Map([counter, ...inOrder]), "lite0", "a.pth"), expected);
  });

  it("takes weights that were fine-tuned to other classes", () => {
    const last: [string, TorchTensor][] = [
      ["classifier.weight", { shape: [7, 1280], data: new Float32Array(7 * 1280).fill(2) }],
      ["classifier.bias", { shape: [7], data: new Float32Array(7).fill(3) }],
    ];
    const fineTuned = new Map([...lite0, ...last]);
    for (const tensors of [
      fineTuned,
      new Map([...fineTuned.values()].map((tensor, i) => [`layer ${i}`, tensor])),
    ]) {
      const parameters = fromTorch(tensors, "lite0", "a.pth");
      assert.deepEqual(parameters.get("predictions/kernel")?.shape, [1280, 7]);
      assert.deepEqual(parameters.get("predictions/bias")?.data, new Float32Array(7).fill(3));
    }
  });

  it("names the variant that the weights are of", () => {
    for (const tensors of [timmTensors("lite1"), sorted(timmTensors("lite1"))])
      assert.throws(() => fromTorch(tensors, "lite0", "a.pth"), {
        name: "InputError",
        message:
          "Expected weights of EfficientNet lite0 at a.pth but found those of lite1. " +
          "Choose variant lite1, or another file.",
      });
  });

  it("refuses the weights of no variant", () => {
    const refusal = (numTensors: number) => ({
      name: "InputError",
      message:
        `Expected weights of EfficientNet lite0 at a.pth but found ${numTensors} tensors of no known variant. ` +
        "Choose another file: timm's weights of tf_efficientnet models fit.",
    });
    const numTensors = lite0.size;
    const without = new Map([...lite0].slice(1));
    assert.throws(() => fromTorch(without, "lite0", "a.pth"), refusal(numTensors - 1));
    const sevenClasses = { shape: [7, 1280], data: new Float32Array(7 * 1280) };
    const fineTuned = new Map([...lite0, ["classifier.weight", sevenClasses] as const]);
    assert.throws(() => fromTorch(fineTuned, "lite0", "a.pth"), refusal(numTensors));
    assert.throws(() => fromTorch(sorted(inOrder), "lite0", "a.pth"), refusal(numTensors));
  });
});

describe("toTensorFlow", () => {
  it("turns a convolution's [out, in, height, width] into [height, width, in, out]", () => {
    const torch = { shape: [2, 2, 1, 2], data: Float32Array.of(1, 2, 3, 4, 5, 6, 7, 8) };
    const spec: ParameterSpec = { name: "a/kernel", shape: [1, 2, 2, 2], kind: "kernel" };
    // Output 0: input 0 has 1 2 along the width, input 1 has 3 4; output 1: 5 6 and 7 8.
    assert.deepEqual(toTensorFlow(torch, spec), {
      shape: [1, 2, 2, 2],
      data: Float32Array.of(1, 5, 3, 7, 2, 6, 4, 8),
    });
  });

  it("turns a depthwise convolution's [channels, 1, height, width] into [height, width, channels, 1]", () => {
    const torch = { shape: [2, 1, 1, 3], data: Float32Array.of(1, 2, 3, 4, 5, 6) };
    const spec: ParameterSpec = { name: "a/depthwise_kernel", shape: [1, 3, 2, 1], kind: "kernel" };
    assert.deepEqual(toTensorFlow(torch, spec).data, Float32Array.of(1, 4, 2, 5, 3, 6));
  });

  it("transposes a dense layer", () => {
    const torch = { shape: [2, 3], data: Float32Array.of(1, 2, 3, 4, 5, 6) };
    const spec: ParameterSpec = { name: "a/kernel", shape: [3, 2], kind: "kernel" };
    assert.deepEqual(toTensorFlow(torch, spec).data, Float32Array.of(1, 4, 2, 5, 3, 6));
  });

  it("leaves vectors as they are", () => {
    const data = Float32Array.of(1, 2);
    const spec: ParameterSpec = { name: "a/bias", shape: [2], kind: "bias" };
    assert.deepEqual(toTensorFlow({ shape: [2], data }, spec), { shape: [2], data });
  });
});

describe("torchShape", () => {
  it("says how torch lays out each kind of parameter", () => {
    const shapes = new Map(parameterSpecs("b0", 1000).map((spec) => [spec.name, torchShape(spec)]));
    assert.deepEqual(shapes.get("stem_conv/kernel"), [32, 3, 3, 3]);
    assert.deepEqual(shapes.get("block3a_dwconv/depthwise_kernel"), [144, 1, 5, 5]);
    assert.deepEqual(shapes.get("block2a_se_reduce/kernel"), [4, 96, 1, 1]);
    assert.deepEqual(shapes.get("predictions/kernel"), [1000, 1280]);
    assert.deepEqual(shapes.get("top_bn/gamma"), [1280]);
  });
});
