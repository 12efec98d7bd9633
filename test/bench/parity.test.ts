import assert from "node:assert/strict";
import { greatest, requireAgreement } from "../../bench/parity.js";

const parity = (loss: number, gradients: Record<string, number>) => ({
  ...({ variant: "b0", engine: "keras", batchSize: 32, numTries: 1 } as const),
  ...greatest({ loss, gradients }),
});

describe("greatest", () => {
  it("names the gradient that agrees least", () => {
    assert.deepEqual(
      greatest({ loss: 0, gradients: { "a/kernel": 1e-5, "b/gamma": 2e-4, "c/bias": 1e-6 } }),
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
  it("takes errors up to a thousandth", () => {
    const found = parity(1e-3, { "a/kernel": 1e-3 });
    assert.equal(requireAgreement(found), found);
  });

  it("refuses a gradient that is further off, and says which", () => {
    assert.throws(() => requireAgreement(parity(1e-7, { "a/kernel": 1e-5, "b/gamma": 0.02 })), {
      message:
        "Expected ferkit and keras to agree on b0 to 0.001 but found a loss that differs by 1.0e-7 and a gradient, b/gamma, " +
        "that differs by 2.0e-2. Nothing was timed, since the engines do not compute the same.",
    });
  });

  it("refuses a loss that is further off", () => {
    assert.throws(() => requireAgreement(parity(2e-3, { "a/kernel": 0 })), /a loss that differs by 2\.0e-3/);
  });
});
