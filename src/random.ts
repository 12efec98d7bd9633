import { checkNumber } from "./errors.js";

/**
 * Generates random numbers from a seed. The same seed and stream give the same numbers on every machine.
 *
 * Streams are independent: `new Random(seed, "shuffle", epoch)` does not depend on how many numbers another stream drew.
 *
 * @see sfc32 by Chris Doty-Humphrey, PractRand, https://pracrand.sourceforge.net
 * @example
 * ```ts
 * import { Random } from "ferkit";
 *
 * const random = new Random(0, "choice");
 * console.log(random.uniform(), random.integer(6), random.permutation(5));
 * console.log(new Random(0, "choice").uniform()); // the first number again
 * ```
 */
export class Random {
  private readonly state: Uint32Array;

  /**
   * @param seed - An integer.
   * @param stream - Names of what the numbers are for.
   */
  constructor(seed: number, ...stream: (string | number)[]) {
    checkNumber("seed", seed, { integer: true });
    this.state = hash(JSON.stringify([seed, ...stream]));
    for (let i = 0; i < 12; i++) this.uint32();
  }

  /**
   * Returns a generator whose numbers depend on what this one has drawn so far. Drawing from it does not change this one.
   *
   * @param stream - Names of what the numbers are for.
   */
  branch(...stream: (string | number)[]): Random {
    const [word, ...words] = this.state;
    return new Random(word, ...words, ...stream);
  }

  /** Draws an integer in `[0, 2^32)`. */
  uint32(): number {
    const s = this.state;
    const sum = s[0] + s[1] + s[3];
    s[3] += 1;
    s[0] = s[1] ^ (s[1] >>> 9);
    s[1] = s[2] + (s[2] << 3);
    s[2] = ((s[2] << 21) | (s[2] >>> 11)) + sum;
    return sum >>> 0;
  }

  /** Draws a number in `[min, max)`, by default `[0, 1)`. */
  uniform(min = 0, max = 1): number {
    return min + (max - min) * (this.uint32() / 0x1_0000_0000);
  }

  /**
   * Draws an integer in `[0, bound)`.
   *
   * @param bound - An integer ≥ 1.
   */
  integer(bound: number): number {
    return Math.floor(this.uniform() * bound);
  }

  /** Draws a normally distributed number (Box and Muller, 1958). */
  normal(mean = 0, deviation = 1): number {
    const radius = Math.sqrt(-2 * Math.log(1 - this.uniform()));
    return mean + deviation * radius * Math.cos(2 * Math.PI * this.uniform());
  }

  /**
   * Draws from Beta(alpha, alpha), as mixup does (Jöhnk, 1964); in `(0, 1)`.
   *
   * @param alpha - Both parameters of the distribution, > 0.
   */
  beta(alpha: number): number {
    for (;;) {
      const x = this.uniform() ** (1 / alpha);
      const y = this.uniform() ** (1 / alpha);
      if (x + y > 0 && x + y <= 1) return x / (x + y);
    }
  }

  /**
   * Returns true with the given probability.
   *
   * @param probability - In [0, 1].
   */
  chance(probability: number): boolean {
    return this.uniform() < probability;
  }

  /** Returns one of the items, each as probably as the others; undefined if there are none. */
  pick<T>(items: readonly T[]): T {
    return items[this.integer(items.length)];
  }

  /** Returns the integers `0 … length - 1` in random order (Fisher and Yates). */
  permutation(length: number): Int32Array {
    checkNumber("length", length, { min: 0, integer: true });
    const order = Int32Array.from({ length }, (_, i) => i);
    for (let i = length - 1; i > 0; i--) {
      const j = this.integer(i + 1);
      [order[i], order[j]] = [order[j], order[i]];
    }
    return order;
  }
}

/** Hashes a text into four words: FNV-1a with four offsets, each word mixed once more. */
function hash(text: string): Uint32Array {
  return Uint32Array.from([0x811c9dc5, 0x9e3779b9, 0x85ebca6b, 0xc2b2ae35], (offset) => {
    let word = offset;
    for (let i = 0; i < text.length; i++) word = Math.imul(word ^ text.charCodeAt(i), 0x01000193);
    word = Math.imul(word ^ (word >>> 16), 0x7feb352d);
    word = Math.imul(word ^ (word >>> 15), 0x846ca68b);
    return word ^ (word >>> 16);
  });
}
