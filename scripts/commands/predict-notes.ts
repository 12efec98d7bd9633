// What `ferkit predict` notes about images after their predictions.
import { type Classifier, type ImagePrediction, internals } from "../../src/index.js";

const { cutOff, formatCount, MUCH_CUT, percent, visible } = internals;

/** Images of which the network does not see much. */
export class CutImages {
  private readonly images: { name: string; width: number; height: number }[] = [];

  constructor(private readonly classifier: Classifier) {}

  add(name: string, size: { width: number; height: number } | null): void {
    const { fit = "crop" } = this.classifier.config.decoding ?? {};
    if (size && fit === "crop" && cutOff(size) >= MUCH_CUT)
      this.images.push({ name, width: size.width, height: size.height });
  }

  /** Says how many there are, and shows one. */
  print(): void {
    const [first, ...others] = this.images;
    if (first === undefined) return;
    const { name, width, height } = first;
    const rest = others.length > 0 ? `, and much of ${others.length} more` : "";
    printNote(
      `The central square leaves out ${percent(cutOff(first), 0)} of ${name}, ${width}×${height}${rest}. ` +
        "Crop to what matters, or choose a model that was trained with fit=pad.",
    );
  }
}

/** An image whose largest number is a smaller share of white is nearly black. */
const NEARLY_BLACK = 1 / 32;

/** Images whose numbers are not 8 bits, and whose white level is guessed, too low or far too high. */
export class RangeNotes {
  private readonly guessed: Ranged[] = [];
  private readonly cut: Ranged[] = [];
  private readonly black: Ranged[] = [];

  add(name: string, range: ImagePrediction["range"]): void {
    if (range?.isGuess) this.guessed.push({ name, ...range });
    if (range && range.highest > range.white) this.cut.push({ name, ...range });
    if (range && range.highest < NEARLY_BLACK * range.white) this.black.push({ name, ...range });
  }

  print(): void {
    const [guess, cut, black] = [this.guessed[0], this.cut[0], this.black[0]];
    if (guess)
      printNote(
        `White is ${formatCount(guess.white)} in ${guess.name}, the smallest range that holds its largest number, ` +
          `${formatCount(guess.highest)}${more(this.guessed)}: the model was not trained on ${guess.numbers} numbers. ` +
          "Save such images in 8 bits to choose the range.",
      );
    if (cut)
      printNote(
        `Numbers above ${formatCount(cut.white)} are white in ${cut.name}, whose largest is ${formatCount(cut.highest)}` +
          `${more(this.cut)}. ${SCALE}`,
      );
    if (black)
      printNote(
        `${black.name} is nearly black${more(this.black)}: its largest number is ${formatCount(black.highest)}, and white is ` +
          `${formatCount(black.white)}. ${SCALE}`,
      );
  }
}

const SCALE = "Scale such images as those for training, or save them in 8 bits.";

type Ranged = { name: string } & NonNullable<ImagePrediction["range"]>;

function more({ length }: Ranged[]): string {
  return length > 1 ? `, and likewise in ${length - 1} more` : "";
}

function printNote(text: string): void {
  console.error(visible(`note: ${text}`));
}
