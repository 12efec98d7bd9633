import assert from "node:assert/strict";
import { bool, executeMany, float, floatType, int } from "../../src/engine/execute.js";
import { type Tensor, tf } from "../../src/engine/tf.js";
import { assignVariables, handlesOf, readVariables, Variable } from "../../src/engine/variable.js";
import { greatestDifference, needsNativeOps } from "./native-ops.js";

/** Shorter than a vector, one longer, and long enough to be split among threads at odd places. */
const SHAPES = [[1], [17], [3, 3, 7, 5], [], [211, 307], [40009]];
const BETA1 = 0.9;
const BETA2 = 0.999;
const EPSILON = 1e-7;

const variables = (values: () => Tensor[]) => tf.tidy(values).map((value) => new Variable(() => value));
const random = (seed: number) => SHAPES.map((shape, i) => tf.randomNormal(shape, 0, 1, "float32", seed + i));
const zeros = () => SHAPES.map((shape) => tf.zeros(shape));

function adam(all: Variable[][], gradients: Tensor[], sizes: number[], decays: number[]): void {
  tf.tidy(() => {
    executeMany(
      "FerkitAdam",
      0,
      [int("N", all[0].length), float("beta1", BETA1), float("beta2", BETA2), float("epsilon", EPSILON)],
      ...all.flatMap(handlesOf),
      ...gradients,
      tf.tensor1d(sizes),
      tf.tensor1d(decays),
    );
  });
}

function stockAdam(
  [values, first, second]: Variable[][],
  gradients: Tensor[],
  rate: number,
  t: number,
): void {
  tf.tidy(() => {
    const scalars = [BETA1 ** t, BETA2 ** t, rate, BETA1, BETA2, EPSILON].map((value) => tf.scalar(value));
    const attributes = [floatType(), bool("use_locking", false), bool("use_nesterov", false)];
    values.forEach((variable, i) => {
      const handles = handlesOf([variable, first[i], second[i]]);
      executeMany("ResourceApplyAdam", 0, attributes, ...handles, ...scalars, gradients[i]);
    });
  });
}

const mapOf = (all: Variable[]) => new Map(all.map((variable, i) => [String(i), variable]));
const withoutLeak = (body: (dispose: (all: Variable[]) => Variable[]) => void) => () => {
  const before = tf.memory().numTensors;
  const made: Variable[] = [];
  tf.tidy(() =>
    body((all) => {
      made.push(...all);
      return all;
    }),
  );
  for (const variable of made) variable.dispose();
  assert.equal(tf.memory().numTensors, before);
};

describe("FerkitAdam", () => {
  needsNativeOps();

  it(
    "agrees with TensorFlow's own kernel over steps and shapes",
    withoutLeak((own) => {
      const [ours, stock] = [0, 1].map(() =>
        [() => random(1), zeros, zeros].map((make) => own(variables(make))),
      );
      const rate = 0.01;
      for (let t = 1; t <= 3; t++) {
        const gradients = random(10 * t);
        const size = (rate * Math.sqrt(1 - Math.fround(BETA2) ** t)) / (1 - BETA1 ** t);
        const perVariable = (value: number) => SHAPES.map(() => value);
        adam(ours, gradients, perVariable(size), perVariable(0));
        stockAdam(stock, gradients, rate, t);
      }
      ours.flat().forEach((variable, i) => {
        const difference = greatestDifference(variable.read(), stock.flat()[i].read());
        assert.ok(difference < 1e-6, `[${variable.shape}] differs by ${difference}`);
      });
    }),
  );

  it(
    "takes a step size and a decay for each",
    withoutLeak((own) => {
      const all = [
        [2, 4],
        [0, 0],
        [0, 0],
      ].map((values) => own(variables(() => values.map((v) => tf.scalar(v)))));
      const gradients = [tf.scalar(3), tf.scalar(0)];
      adam(all, gradients, [0.5, 0.5], [0, 0.25]);
      const [[a, b], [m], [v]] = all.map((some) => some.map((variable) => variable.read().dataSync()[0]));
      // m = 0.1·3, v = 0.001·9, so the step is 0.5·0.3/√0.009
      const near = (actual: number, expected: number) =>
        assert.ok(Math.abs(actual - expected) < 1e-4 * Math.abs(expected), `${actual} ≠ ${expected}`);
      near(m, 0.3);
      near(v, 0.009);
      near(a, 2 - (0.5 * 0.3) / Math.sqrt(0.009));
      near(b, 4 * (1 - 0.25));
    }),
  );

  it(
    "leaves values as they are that were read before",
    withoutLeak((own) => {
      const all = [() => random(1), zeros, zeros].map((make) => own(variables(make)));
      const before = [...readVariables(mapOf(all[0])).values()];
      const expected = random(1);
      adam(
        all,
        random(2),
        SHAPES.map(() => 1),
        SHAPES.map(() => 0),
      );
      before.forEach((value, i) => {
        assert.equal(greatestDifference(value, expected[i]), 0);
        assert.ok(greatestDifference(value, all[0][i].read()) > 0.01, "the variable moved");
      });
    }),
  );

  it(
    "carries a number that is none on, for training to see",
    withoutLeak((own) => {
      const all = [[1], [0], [0]].map((values) => own(variables(() => [tf.tensor1d(values)])));
      adam(all, [tf.tensor1d([Number.NaN])], [0.1], [0]);
      assert.ok(Number.isNaN(all[0][0].read().dataSync()[0]));
    }),
  );

  it("names what does not fit", () => {
    const all = [[1], [0], [0]].map((values) => variables(() => [tf.tensor1d(values)]));
    const gradient = tf.tensor1d([1, 2]);
    assert.throws(
      () => adam(all, [gradient], [0.1], [0]),
      /Expected variables of equal shapes, but number 0 differs/,
    );
    const one = tf.scalar(1);
    assert.throws(
      () => adam(all, [one], [0.1, 0.1], [0]),
      /Expected a step size and a decay for each of 1 variables/,
    );
    tf.dispose([gradient, one]);
    for (const variable of all.flat()) variable.dispose();
  });
});

describe("FerkitEma", () => {
  needsNativeOps();

  it(
    "moves each average by its share of the way",
    withoutLeak((own) => {
      const [averages, values] = [own(variables(() => random(3))), own(variables(() => random(5)))];
      const handles = [...handlesOf(averages), ...handlesOf(values)];
      executeMany("FerkitEma", 0, [int("N", SHAPES.length)], ...handles, tf.scalar(0.25));
      const [from, to] = [random(3), random(5)];
      averages.forEach((average, i) => {
        const expected = tf.add(tf.mul(from[i], 0.75), tf.mul(to[i], 0.25));
        assert.ok(greatestDifference(average.read(), expected) < 1e-6);
        assert.equal(greatestDifference(values[i].read(), to[i]), 0);
      });
    }),
  );
});

describe("FerkitReadVariables and FerkitAssignVariables", () => {
  needsNativeOps();

  it(
    "hand values over by name, in whatever order they come",
    withoutLeak((own) => {
      const named = mapOf(own(variables(zeros)));
      const given = random(8);
      const values = new Map(given.map((value, i) => [String(i), value] as const).reverse());
      assignVariables(named, values);
      const read = readVariables(named);
      assert.deepEqual([...read.keys()], [...named.keys()]);
      given.forEach((value, i) => {
        const one = read.get(String(i)) as Tensor;
        assert.deepEqual(one.shape, SHAPES[i]);
        assert.equal(greatestDifference(one, value), 0);
      });
      assignVariables(named, new Map());
    }),
  );
});
