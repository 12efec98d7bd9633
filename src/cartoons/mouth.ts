// What action units move in the lower face: lips, teeth, tongue and chin.
import type { ActionUnits } from "./expression.js";
import { dot, fill, line, MOUTH_Y, type Place, path } from "./geometry.js";
import { type Look, mix } from "./look.js";

/** How far the chin goes down. */
export function chinDrop(units: ActionUnits): number {
  return 4.5 * units[26] + 3.5 * units[27] - 0.8 * units[17];
}

/** The lips' inner edges: half the width, the corners' heights, and those of the middles. */
interface Opening {
  width: number;
  left: number;
  right: number;
  upper: number;
  lower: number;
  /** Where the edges' control points stand, as a share of the width: 0.5 = pointed corners, 1 = round ones. */
  fullness: number;
}

/** Mouth: lips around a line, or around teeth and tongue; `lean` makes one corner move more. */
export function mouth(look: Look, units: ActionUnits, lean: number, at: Place): string {
  const { lipThickness, lips, skin } = look;
  const opening = openMouth(look, units, lean);
  const { width, left, upper, lower } = opening;
  const d = path(at);
  const corner = d`M${[-width, left]}`;
  /** From the left corner to the right one through `y` in the middle, and back through `back`. */
  const between = (y: number, back: number) =>
    `${corner}${edge(opening, y, 1, at)}${edge(opening, back, -1, at)}Z`;
  const press = 1 - 0.75 * Math.max(units[23], units[24]);
  const thick = lipThickness * press * (1 - 0.25 * units[12]);
  const rim = between(upper - thick, lower + thick * 1.35);
  const rims = fill(rim, lips) + line(rim, lips, 0.8);
  const dark = mix(skin, "#1d070b", 0.8);
  const depth = lower - upper;
  if (depth < 1.2) return rims + line(`${corner}${edge(opening, (upper + lower) / 2, 1, at)}`, dark, 1.3);
  const inside = between(upper, lower);
  const jaw = units[26] + units[27];
  const smile = units[12] * units[25];
  const upperTeeth = Math.max(smile, 0.9 * units[10], 0.8 * units[16], 0.32 * units[20]) > 0.25;
  const lowerTeeth = units[16] * (1 - units[19]) > 0.3;
  const gaps = [-0.6, -0.3, 0, 0.3, 0.6].map((x) => d`M${[x * width, upper - 1]}L${[x * width, lower + 1]}`);
  return [
    rims + fill(inside, "#4a0d16"),
    `<clipPath id="mouth"><path d="${inside}"/></clipPath><g clip-path="url(#mouth)">`,
    jaw > 0.25 ? dot(at(0, lower + 0.5), width * 0.62, "#c9545f", 1, depth * 0.42) : "",
    upperTeeth ? fill(between(upper - 1, upper + Math.min(depth * 0.55, 3.4)), "#fdfbf5") : "",
    lowerTeeth ? fill(between(lower - Math.min(depth * 0.42, 2.8), lower + 1), "#f4efe4") : "",
    lowerTeeth ? line(gaps.join(""), "#8a6f70", 0.4, 0.6) : "",
    `</g>${line(inside, dark, 0.7, 0.8)}`,
    units[19] > 0.4 ? tongue(width * 0.5, lower - 3, lower + 5 * units[19], at) : "",
  ].join("");
}

function openMouth({ mouthWidth, mouthDroop }: Look, units: ActionUnits, lean: number): Opening {
  const jaw = units[26] + units[27];
  const rounded = Math.min(1, jaw) * (1 - Math.max(units[12], units[20]));
  const width = mouthWidth * (1 + 0.42 * units[12] + 0.4 * units[20] - 0.2 * units[24] - 0.32 * rounded);
  const pull = 5 * units[15] - 5.4 * units[12] + 3.2 * units[20];
  const rest = MOUTH_Y + mouthDroop + 0.25 * jaw;
  const rise = 2.2 * units[15] + 0.8 * units[17] - 1.8 * units[12] + 1.2 * units[20];
  const upper = MOUTH_Y - rise - 3.6 * units[10] - 1.6 * jaw - 0.6 * units[25];
  const parted = (5 + 1.2 * units[12]) * units[25] + 2.6 * units[16] + 1.6 * units[10] - 2 * units[24];
  const gap = Math.max(0, parted + 6.5 * units[26] + 5 * units[27]);
  const fullness = 0.5 + 0.5 * Math.min(1, Math.max(1.2 * units[20], units[16], units[10], jaw));
  return {
    width,
    left: rest + pull * (1 - lean),
    right: rest + pull * (1 + lean),
    upper,
    lower: upper + gap,
    fullness,
  };
}

/** A curve to the right corner (`way` 1) or back to the left one (-1) that passes the middle at height `y`. */
function edge({ width, left, right, fullness }: Opening, y: number, way: 1 | -1, at: Place): string {
  const bend = (side: number) => [side * width * fullness, (4 * y - (side < 0 ? left : right)) / 3];
  return path(at)`C${bend(-way)} ${bend(way)} ${[way * width, way < 0 ? left : right]}`;
}

function tongue(half: number, top: number, tip: number, at: Place): string {
  const d = path(at);
  const shape = d`M${[-half, top]}C${[-half * 1.1, tip + 1.5]} ${[half * 1.1, tip + 1.5]} ${[half, top]}Q${[0, top - 1.5]} ${[-half, top]}Z`;
  return fill(shape, "#d8606c") + line(d`M${[0, top + 0.5]}L${[0, tip - 2]}`, "#a23c4b", 0.8);
}
