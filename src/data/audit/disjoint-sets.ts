// Sets of indices that are joined pair by pair.

/** Disjoint sets of indices (union-find). */
export class DisjointSets {
  private readonly parents: Int32Array;
  private readonly sizes: Int32Array;

  constructor(size: number) {
    this.parents = Int32Array.from({ length: size }, (_, index) => index);
    this.sizes = new Int32Array(size).fill(1);
  }

  /** Returns the first index of the set that contains an index. */
  firstOf(index: number): number {
    const { parents } = this;
    let at = index;
    while (parents[at] !== at) {
      parents[at] = parents[parents[at]]; // shortens the path for later calls
      at = parents[at];
    }
    return at;
  }

  /** Returns the size of the set that contains an index. */
  sizeOf(index: number): number {
    return this.sizes[this.firstOf(index)];
  }

  join(a: number, b: number): void {
    const [one, other] = [this.firstOf(a), this.firstOf(b)];
    if (one === other) return;
    const [first, last] = one < other ? [one, other] : [other, one];
    this.parents[last] = first;
    this.sizes[first] += this.sizes[last];
  }
}
