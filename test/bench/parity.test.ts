import assert from "node:assert/strict";
import { largestErrors, requireAgreement, requireSameLogits } from "../../bench/parity.js";

const parity = (loss: number, gradients: Record<string, number>) => ({
  ...({ variant: "b0", engine: "keras", batchSize: 32, numTries: 1 } as const),
  ...largestErrors({ loss, gradients }),
});

describe("largestErrors", () => {
  it("names the gradient with the largest error", () => {
    assert.deepEqual(
      largestErrors({ loss: 0, gradients: { "a/kernel": 1e-5, "b/gamma": 2e-4, "c/bias": 1e-6 } }),
      {
        lossError: 0,
        gradientError: 2e-4,
        parameter: "b/gamma",
        numGradients: 3,
      },
    );
  });
});

describe("requireAgreement", () => {
  it("accepts errors up to a thousandth", () => {
    const found = parity(1e-3, { "a/kernel": 1e-3 });
    assert.equal(requireAgreement(found), found);
  });

  it("rejects a larger error of a gradient, and names it", () => {
    assert.throws(() => requireAgreement(parity(1e-7, { "a/kernel": 1e-5, "b/gamma": 0.02 })), {
      message:
        "Expected ferkit and keras to agree on b0 within 0.001 but found a loss that differs by 1.0e-7 and a gradient, b/gamma, " +
        "that differs by 2.0e-2. Nothing was timed because the engines do not compute the same.",
    });
  });

  it("rejects a larger error of the loss", () => {
    assert.throws(() => requireAgreement(parity(2e-3, { "a/kernel": 0 })), /a loss that differs by 2\.0e-3/);
  });
});

describe("requireSameLogits", () => {
  const logits = { variant: "lite0", imageSize: 48, contender: "openvino", error: 2e-3 } as const;

  it("accepts a thousandth in float32 and a tenth in bfloat16", () => {
    const bfloat16 = { ...logits, contender: "openvinoBf16", error: 0.03 } as const;
    assert.equal(requireSameLogits(bfloat16), bfloat16);
    assert.throws(() => requireSameLogits(logits), {
      message:
        "Expected ferkit and OpenVINO to agree on lite0 at 48 px within 0.001 but found logits that differ by 2.0e-3. " +
        "Nothing was timed because the engines do not compute the same.",
    });
  });
});
