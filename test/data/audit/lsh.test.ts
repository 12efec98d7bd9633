import assert from "node:assert/strict";
import { closeHashes } from "../../../src/data/audit/lsh.js";
import { Random } from "../../../src/random.js";

/** Random hashes; the pairs `(i, numPairs + i)` differ in so many bits. */
function pairsOf(numPairs: number, numDifferent: number): Uint32Array {
  const random = new Random(0, "hashes");
  const hashes = Uint32Array.from({ length: 8 * numPairs }, () => random.uint32());
  for (let i = 0; i < numPairs; i++) {
    hashes.copyWithin(4 * (numPairs + i), 4 * i, 4 * i + 4);
    for (const bit of random.permutation(128).subarray(0, numDifferent))
      hashes[4 * (numPairs + i) + (bit >> 5)] ^= 1 << (bit & 31);
  }
  return hashes;
}

function found(hashes: Uint32Array, numFirst: number): Set<string> {
  const pairs = new Set<string>();
  closeHashes(hashes, numFirst, (a, b) => pairs.add(`${a}-${b}`));
  return pairs;
}

describe("closeHashes", () => {
  it("finds nearly all that differ in few bits, and no others", () => {
    const pairs = found(pairsOf(500, 8), 1000);
    assert.ok(pairs.size > 480, `${pairs.size} of 500`); // 8 bits leave one of 16 bands whole but for bad luck
    for (const pair of pairs) {
      const [a, b] = pair.split("-").map(Number);
      assert.equal(b, a + 500);
    }
  });

  it("finds all that differ in nothing", () => {
    assert.equal(found(pairsOf(200, 0), 400).size, 200);
  });

  it("does not tell of those that differ in many bits, though a band be equal", () => {
    assert.equal(found(Uint32Array.of(0, 0, 0, 0, 0xfffff, 0, 0, 0), 2).size, 0); // 20 bits
  });

  it("compares the hashes after the first ones with these alone", () => {
    const same = new Uint32Array(4 * 4).fill(7);
    assert.deepEqual([...found(same, 2)].sort(), ["0-1", "0-2", "0-3", "1-2", "1-3"]);
  });

  it("tells of each pair once, though all bands be equal", () => {
    let count = 0;
    closeHashes(pairsOf(50, 0), 100, () => count++);
    assert.equal(count, 50);
  });

  it("tells of 64 at most for each hash, as many as be close to it", () => {
    const counts = new Array<number>(200).fill(0);
    closeHashes(new Uint32Array(4 * 200), 200, (a) => counts[a]++);
    assert.deepEqual(counts.slice(0, 136), new Array<number>(136).fill(64));
    assert.deepEqual(
      counts.slice(136),
      Array.from({ length: 64 }, (_, i) => 63 - i),
    ); // as many as are left
  });
});
