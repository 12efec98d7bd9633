import assert from "node:assert/strict";
import { closeHashes, differenceHash, hashDistance } from "../../../src/data/audit/lsh.js";
import { THUMBNAIL_SIZE as SIZE } from "../../../src/data/audit/thumbnails.js";
import { Random } from "../../../src/random.js";

const rising = Uint8Array.from({ length: SIZE * SIZE }, (_, i) => 10 * (i % SIZE));

const falling = rising.map((value) => 170 - value);

describe("differenceHash", () => {
  it("says where an image gets lighter along rows and columns", () => {
    const [right, right2, down, down2] = differenceHash(rising, 1);
    assert.deepEqual([right, right2, down, down2], [0xffffffff, 0xffffffff, 0, 0]);
    assert.deepEqual([...differenceHash(falling, 1)], [0, 0, 0, 0]);
  });

  it("does not change with brightness and contrast", () => {
    const noisy = Uint8Array.from({ length: SIZE * SIZE }, (_, i) => (i * 7919) % 100);
    assert.deepEqual(
      differenceHash(
        noisy.map((value) => 2 * value + 40),
        1,
      ),
      differenceHash(noisy, 1),
    );
  });
});

describe("hashDistance", () => {
  it("counts the bits that differ in all words", () => {
    const hashes = Uint32Array.of(0, 0xffffffff, 1, 0, /**/ 0b1011, 0, 0, 0x80000000);
    assert.equal(hashDistance(hashes, 0, 1), 3 + 32 + 1 + 1);
    assert.equal(hashDistance(hashes, 1, 1), 0);
  });
});

/** Random hashes; the pairs `(i, numPairs + i)` differ in `numDifferent` bits. */
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
  it("finds nearly all that differ in few bits, and nothing else", () => {
    const pairs = found(pairsOf(500, 8), 1000);
    assert.ok(pairs.size > 480, `${pairs.size} of 500`); // 8 bits nearly always leave one of 16 bands intact
    for (const pair of pairs) {
      const [a, b] = pair.split("-").map(Number);
      assert.equal(b, a + 500);
    }
  });

  it("finds all that are equal", () => {
    assert.equal(found(pairsOf(200, 0), 400).size, 200);
  });

  it("does not report hashes that differ in many bits, even if a band is equal", () => {
    assert.equal(found(Uint32Array.of(0, 0, 0, 0, 0xfffff, 0, 0, 0), 2).size, 0); // 20 bits
  });

  it("compares the later hashes only with the first ones", () => {
    const same = new Uint32Array(4 * 4).fill(7);
    assert.deepEqual([...found(same, 2)].sort(), ["0-1", "0-2", "0-3", "1-2", "1-3"]);
  });

  it("reports each pair once, even if all bands are equal", () => {
    let count = 0;
    closeHashes(pairsOf(50, 0), 100, () => count++);
    assert.equal(count, 50);
  });

  it("reports at most 200 pairs for a hash", () => {
    const counts = new Array<number>(300).fill(0);
    closeHashes(new Uint32Array(4 * 300), 300, (a) => counts[a]++);
    assert.deepEqual(counts.slice(0, 100), new Array<number>(100).fill(200));
    assert.deepEqual(
      counts.slice(100),
      Array.from({ length: 200 }, (_, i) => 199 - i),
    ); // the later hashes are fewer
  });
});
