// The parts of a drawn face that action units move: brows, eyes, nose, mouth and the lines around them.
import type { ActionUnits } from "./face-expression.js";
import { dot, EYE_Y, fill, line, MOUTH_Y, type Place } from "./face-geometry.js";
import { type Look, mix } from "./face-look.js";

/** A side of the face: -1 = the viewer's left. */
type Side = -1 | 1;

/** How far the chin goes down. */
export function chinDrop(units: ActionUnits): number {
  return 4.5 * units[26] + 3.5 * units[27] - 0.8 * units[17];
}

/** One brow. Raising its inner end makes it sad, its whole length surprised; lowering and drawing in, angry. */
export function brow(look: Look, units: ActionUnits, side: Side, at: Place): string {
  const { browThickness: t, browHeight, browSlope, eyeSpacing } = look;
  const rest = EYE_Y - 10.5 - browHeight;
  const inner = rest - browSlope - 5.2 * units[1] + 5.4 * units[4] + 1.6 * units[9];
  const middle = rest - 2 - 2.4 * units[1] - 4.2 * units[2] + 2.6 * units[4] + 1.2 * units[9];
  const outer = rest + 1 + browSlope + 2 * units[1] * (1 - units[2]) - 3.8 * units[2] - 1.2 * units[4];
  const [from, to] = [eyeSpacing - 7 - 2.2 * units[4], eyeSpacing + 8];
  const p = (x: number, y: number) => at(side * x, y);
  const d = `M${p(from, inner - t / 2)}Q${p(eyeSpacing, middle - t)} ${p(to, outer)}Q${p(eyeSpacing, middle + t * 0.6)} ${p(from, inner + t / 2)}Z`;
  const color = browColor(look);
  return fill(d, color) + line(d, color, 0.7);
}

/** Darker than the hair, and never as light as the skin. */
function browColor({ hair }: Look): string {
  return mix(hair, "#15100e", 0.5);
}

/** One eye: the white between two lids, the iris under them. */
export function eye(look: Look, units: ActionUnits, side: Side, at: Place): string {
  const { eyeSpacing: x, eyeWidth: w, eyeHeight, eyeSlant, gaze, iris, lashes, skin } = look;
  const open = 1 - units[43];
  const squeeze = 1.7 * units[7] + 1.3 * units[9];
  const upper = (4.6 * eyeHeight + 2.4 * units[5] - 0.8 * units[6] - squeeze) * open - 2 * units[43];
  const lower = (3.3 * eyeHeight + 0.8 * units[5] - 4.4 * units[6] - squeeze * 0.8) * open + 2.2 * units[43];
  const scowl = 2.8 * units[4] * (1 - units[1]); // a lowered brow covers the lid's inner half
  const droop = 2.6 * units[1] * (1 - units[2]) * open; // a raised inner brow lifts it
  const p = (dx: number, dy: number) => at(side * (x + dx), EYE_Y + dy);
  const [inner, outer] = [p(-w, 0.6), p(w, -eyeSlant)];
  const lid = `C${p(-w * 0.5, scowl - droop * 0.5 - upper * 1.35)} ${p(w * 0.5, droop - upper * 1.35)} ${outer}`;
  const lidLine = `M${inner}${lid}`;
  const dark = mix(skin, "#120a0c", 0.85);
  const lash = lashes ? line(`M${outer}L${p(w + 2, -eyeSlant - 1.6)}`, dark, 1.1) : "";
  const upperLine = line(lidLine, dark, lashes ? 1.7 : 1.2);
  if (upper + lower < 1.1) return upperLine + lash;
  const shape = `${lidLine}C${p(w * 0.5, lower * 1.3)} ${p(-w * 0.5, lower * 1.3)} ${inner}Z`;
  const id = side < 0 ? "left" : "right";
  const [lookX, lookY] = [gaze[0], gaze[1]];
  const center = at(side * x + lookX, EYE_Y + lookY - 0.4);
  return [
    fill(shape, "#fbf8f4"),
    `<clipPath id="${id}"><path d="${shape}"/></clipPath><g clip-path="url(#${id})">`,
    dot(center, 3.7, iris) + dot(center, 1.9, "#0d0a0a"),
    dot(at(side * x + lookX - 1.3, EYE_Y + lookY - 1.8), 1, "#ffffff"),
    line(lidLine, "#3a2a30", 2.6, 0.3),
    "</g>",
    line(`M${inner}C${p(-w * 0.5, lower * 1.3)} ${p(w * 0.5, lower * 1.3)} ${outer}`, dark, 0.6, 0.6),
    line(
      `M${p(-w * 0.7, 4.6)}Q${p(0, 6.6 - 2 * units[6])} ${p(w * 0.8, 4.2)}`,
      dark,
      0.7,
      0.5 * Math.max(units[6], units[7]),
    ),
    upperLine + lash,
  ].join("");
}

/** Nose, with the wrinkles of its bridge. */
export function nose(look: Look, units: ActionUnits, at: Place): string {
  const { noseWidth, noseLength, skin, lightAngle } = look;
  const w = noseWidth * (1 + 0.2 * units[9] + 0.1 * units[12]);
  const y = 9 + noseLength - 2.2 * units[9] - 0.6 * units[10];
  const shade = mix(skin, "#2a0a10", 0.5);
  const dark = Math.cos(lightAngle) > 0 ? -1 : 1; // the side away from the light
  const wrinkle = (dy: number, x: number) =>
    line(
      `M${at(-x, EYE_Y + dy + 1)}Q${at(0, EYE_Y + dy - 1.6)} ${at(x, EYE_Y + dy + 1)}`,
      shade,
      0.9,
      0.9 * units[9],
    );
  return [
    fill(
      `M${at(dark * 1.4, EYE_Y - 2)}Q${at(dark * 1.6, y - 4)} ${at(dark * w, y)}Q${at(dark * 2, y + 1.2)} ${at(0, y + 1)}Z`,
      shade,
      0.28,
    ),
    dot(at(0, y - 2), w * 0.45, "#ffffff", 0.16),
    line(
      `M${at(-w, y - 1.4)}Q${at(-w - 0.6, y + 1)} ${at(-w * 0.5, y + 1.1)}Q${at(0, y + 2.6)} ${at(w * 0.5, y + 1.1)}Q${at(w + 0.6, y + 1)} ${at(w, y - 1.4)}`,
      shade,
      1.1,
      0.85,
    ),
    wrinkle(3, 2.4) + wrinkle(5, 3) + wrinkle(7, 3.2),
  ].join("");
}

/** Mouth: lips around a line, or around teeth and tongue. */
export function mouth(look: Look, units: ActionUnits, lean: number, at: Place): string {
  const { lipThickness, lips, skin, mouthWidth, mouthDroop } = look;
  const jaw = units[26] + units[27];
  const pulled = Math.max(units[12], units[20]);
  const w =
    mouthWidth * (1 + 0.42 * units[12] + 0.4 * units[20] - 0.2 * units[24] - 0.34 * jaw * (1 - pulled));
  const corner = (side: Side) =>
    MOUTH_Y +
    mouthDroop +
    (4 * units[15] - 4.6 * units[12] + 0.8 * units[20]) * (1 + side * lean) +
    0.25 * jaw;
  const rise = 1.8 * units[15] + 0.8 * units[17] - 1.8 * units[12];
  const upper = MOUTH_Y - rise - 3.6 * units[10] - 1.4 * jaw - 0.6 * units[25];
  const gap =
    5 * units[25] + 2.6 * units[16] + 6 * units[26] + 4 * units[27] + 1.6 * units[10] - 2 * units[24];
  const lower = upper + Math.max(0, gap + 1.2 * units[12] * units[25]);
  const boxy = 0.5 + 0.5 * Math.min(1, Math.max(units[20] * 1.2, units[16], units[10], jaw));
  const p = (x: number, y: number) => at(x, y);
  const [left, right] = [p(-w, corner(-1)), p(w, corner(1))];
  /** From the left corner to the right one (or back) through the height `y` in the middle. */
  const arc = (y: number, back = false) => {
    const bend = (side: Side) => p(side * w * boxy, (4 * y - corner(side)) / 3);
    return back ? `C${bend(1)} ${bend(-1)} ${left}` : `C${bend(-1)} ${bend(1)} ${right}`;
  };
  const press = 1 - 0.75 * Math.max(units[23], units[24]);
  const thick = lipThickness * press * (1 - 0.25 * units[12]);
  const rim = `M${left}${arc(upper - thick)}${arc(lower + thick * 1.35, true)}Z`;
  const dark = mix(mix(skin, "#4a0f1a", 0.5), "#16060a", 0.75);
  const rims = fill(rim, lips) + line(rim, lips, 0.8);
  if (lower - upper < 1.2) return rims + line(`M${left}${arc((upper + lower) / 2)}`, dark, 1.3);
  const inside = `M${left}${arc(upper)}${arc(lower, true)}Z`;
  const teeth = Math.min(1, units[12] * units[25] + units[10] * 0.9 + units[16] * 0.8 + units[20] * 0.35);
  const bare = Math.min(1, units[16] * 1.2 * (1 - units[19])); // lower teeth too
  const depth = lower - upper;
  return [
    rims + fill(inside, "#4a0d16"),
    `<clipPath id="mouth"><path d="${inside}"/></clipPath><g clip-path="url(#mouth)">`,
    dot(at(0, lower + 0.5), w * 0.62, "#c9545f", jaw > 0.25 ? 1 : 0, depth * 0.42),
    fill(
      `M${left}${arc(upper)}${arc(upper + Math.min(depth * 0.62, 3.6), true)}Z`,
      "#fdfbf5",
      teeth > 0.25 ? 1 : 0,
    ),
    fill(
      `M${left}${arc(lower - Math.min(depth * 0.42, 2.8))}${arc(lower + 1, true)}Z`,
      "#f4efe4",
      bare > 0.35 ? 1 : 0,
    ),
    bare > 0.35
      ? line(
          [-0.6, -0.3, 0, 0.3, 0.6].map((x) => `M${p(x * w, upper - 1)}L${p(x * w, lower + 1)}`).join(""),
          "#8a6f70",
          0.4,
          0.6,
        )
      : "",
    "</g>",
    line(inside, dark, 0.7, 0.8),
    tongue(units, w, lower, at),
  ].join("");
}

function tongue(units: ActionUnits, w: number, lower: number, at: Place): string {
  if (units[19] < 0.4) return "";
  const [half, top, tip] = [w * 0.5, lower - 3, lower + 5 * units[19]];
  const d = `M${at(-half, top)}C${at(-half * 1.1, tip + 1.5)} ${at(half * 1.1, tip + 1.5)} ${at(half, top)}Q${at(0, top - 1.5)} ${at(-half, top)}Z`;
  return fill(d, "#d8606c") + line(`M${at(0, top + 0.5)}L${at(0, tip - 2)}`, "#a23c4b", 0.8);
}

/** Folds of brow, forehead, cheeks and chin, deeper with age. */
export function folds(look: Look, units: ActionUnits, at: Place): string {
  const { skin, age, mouthWidth, noseWidth } = look;
  const shade = mix(skin, "#2a0a10", 0.55);
  const cheek = Math.min(
    0.85,
    0.35 * age * age + Math.max(units[9], units[10] * 0.8, units[12] * 0.55, units[6] * 0.4) * 0.8,
  );
  const frown = Math.min(0.9, units[4] * (1 - 0.6 * units[1]) + 0.25 * age * age);
  const forehead = Math.min(0.6, 0.5 * units[1] * units[2] + 0.25 * age * age);
  const sides = ([-1, 1] as const).map((s) => {
    const reach = mouthWidth + 2.5 + 2.5 * units[12];
    const fold = `M${at(s * (noseWidth + 1.8), 8.5 - 2 * units[9])}Q${at(s * (reach + 0.5), 11)} ${at(s * reach, 18 - 2 * units[12])}`;
    return (
      line(fold, shade, 0.9, cheek) +
      line(`M${at(s * 1.7, EYE_Y - 8)}L${at(s * 1.4, EYE_Y - 4)}`, shade, 0.9, frown)
    );
  });
  const wrinkle = (y: number, w: number) =>
    line(`M${at(-w, y)}Q${at(0, y - 1.4)} ${at(w, y)}`, shade, 0.7, forehead);
  return [
    ...sides,
    wrinkle(EYE_Y - 17, 9) + wrinkle(EYE_Y - 20, 7),
    line(`M${at(-4, MOUTH_Y + 9)}Q${at(0, MOUTH_Y + 7)} ${at(4, MOUTH_Y + 9)}`, shade, 1, 0.9 * units[17]),
  ].join("");
}
