/** Which of a number of places belong together, as it becomes known pair by pair (union-find). */
export class DisjointSet {
  private readonly first: Int32Array;
  private readonly sizes: Int32Array;

  constructor(numPlaces: number) {
    this.first = Int32Array.from({ length: numPlaces }, (_, place) => place);
    this.sizes = new Int32Array(numPlaces).fill(1);
  }

  /** The first place of the group that a place is in. */
  firstOf(place: number): number {
    const { first } = this;
    let at = place;
    while (first[at] !== at) {
      first[at] = first[first[at]]; // shortens the way for those who come after
      at = first[at];
    }
    return at;
  }

  /** How many places are in the group of a place. */
  sizeOf(place: number): number {
    return this.sizes[this.firstOf(place)];
  }

  join(a: number, b: number): void {
    const [one, other] = [this.firstOf(a), this.firstOf(b)];
    if (one === other) return;
    const [first, last] = one < other ? [one, other] : [other, one];
    this.first[last] = first;
    this.sizes[first] += this.sizes[last];
  }
}
