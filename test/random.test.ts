import assert from "node:assert/strict";
import { Random } from "../src/random.js";

const draw = (random: Random, count: number) => Array.from({ length: count }, () => random.uniform());

describe("Random", () => {
  it("gives the same numbers for the same seed and stream, and others otherwise", () => {
    assert.deepEqual(draw(new Random(1, "shuffle", 2), 5), draw(new Random(1, "shuffle", 2), 5));
    assert.notDeepEqual(draw(new Random(1, "shuffle", 2), 5), draw(new Random(2, "shuffle", 2), 5));
    assert.notDeepEqual(draw(new Random(1, "shuffle", 2), 5), draw(new Random(1, "shuffle", 3), 5));
  });

  it("gives the numbers of earlier versions, so that earlier runs can be repeated", () => {
    const random = new Random(0);
    assert.deepEqual([random.uint32(), random.uint32(), random.uint32()], GOLDEN);
  });

  it("gives the draws of every kind of earlier versions, too", () => {
    const random = new Random(1, "golden");
    const near = (actual: number, expected: number) => assert.ok(Math.abs(actual - expected) < 1e-12);
    near(random.uniform(2, 5), 4.419935022015125);
    assert.equal(random.integer(100), 47);
    near(random.normal(3, 2), 1.9390492306678386);
    near(random.beta(0.4), 0.026819151574929728);
    assert.deepEqual(
      [0.2, 0.5, 0.8].map((probability) => random.chance(probability)),
      [false, false, true],
    );
    assert.equal(random.pick(["a", "b", "c", "d"]), "d");
    assert.deepEqual([...random.permutation(5)], [3, 1, 4, 2, 0]);
  });

  it("branches into generators of other numbers, which do not change its own", () => {
    const [plain, branching] = [new Random(1), new Random(1)];
    const first = branching.branch("noise");
    assert.deepEqual(draw(branching, 3), draw(plain, 3));
    assert.deepEqual(draw(first, 5), draw(new Random(1).branch("noise"), 5));
    const others = [
      new Random(1),
      new Random(1).branch("noise"),
      new Random(1).branch("blur"),
      branching.branch("noise"),
      new Random(2).branch("noise"),
    ];
    assert.equal(new Set(others.map((other) => draw(other, 1)[0])).size, others.length);
  });

  it("refuses seeds and lengths that are no integers", () => {
    assert.throws(() => new Random(Number.NaN), {
      name: "ParameterError",
      message: "Expected an integer for seed but received NaN of type number",
    });
    assert.throws(() => new Random(0).permutation(2.5), {
      name: "ParameterError",
      message: "Expected an integer ≥ 0 for length but received 2.5 of type number",
    });
  });

  it("draws uniform numbers of the right mean and variance", () => {
    const numbers = draw(new Random(3), 100_000);
    const mean = numbers.reduce((a, b) => a + b) / numbers.length;
    const variance = numbers.reduce((total, x) => total + (x - mean) ** 2, 0) / numbers.length;
    assert.ok(Math.abs(mean - 1 / 2) < 0.005, `mean ${mean}`);
    assert.ok(Math.abs(variance - 1 / 12) < 0.005, `variance ${variance}`);
    assert.ok(numbers.every((x) => x >= 0 && x < 1));
  });

  it("draws normal numbers of the given mean and deviation", () => {
    const random = new Random(4);
    const numbers = Array.from({ length: 100_000 }, () => random.normal(5, 2));
    const mean = numbers.reduce((a, b) => a + b) / numbers.length;
    const deviation = Math.sqrt(numbers.reduce((total, x) => total + (x - mean) ** 2, 0) / numbers.length);
    assert.ok(Math.abs(mean - 5) < 0.05 && Math.abs(deviation - 2) < 0.05, `${mean} ± ${deviation}`);
  });

  it("draws beta numbers around a half, near the ends for a small parameter", () => {
    const random = new Random(5);
    const numbers = Array.from({ length: 20_000 }, () => random.beta(0.2));
    const mean = numbers.reduce((a, b) => a + b) / numbers.length;
    const variance = numbers.reduce((total, x) => total + (x - mean) ** 2, 0) / numbers.length;
    assert.ok(Math.abs(mean - 0.5) < 0.01, `mean ${mean}`);
    assert.ok(Math.abs(variance - 1 / (4 * (2 * 0.2 + 1))) < 0.01, `variance ${variance}`);
  });

  it("permutes all indices evenly", () => {
    const counts = new Array<number>(4).fill(0);
    for (let i = 0; i < 8000; i++) counts[new Random(i, "order").permutation(4)[0]]++;
    assert.deepEqual([...new Random(6).permutation(9)].sort(), [0, 1, 2, 3, 4, 5, 6, 7, 8]);
    for (const count of counts) assert.ok(Math.abs(count - 2000) < 150, String(counts));
  });
});

const GOLDEN = [1324321386, 3352503922, 2566064264];
