// Cartoon faces as SVG: a look and an expression, drawn one over the other.
import { checkNumber } from "../errors.js";
import type { Random } from "../random.js";
import { drawActionUnits } from "./expression.js";
import { brow, eye, folds, nose } from "./features.js";
import { placeOn, short } from "./geometry.js";
import { hairBefore, hairBehind } from "./hair.js";
import { beard, body, cheeks, glasses, gradients, head, moustache } from "./head.js";
import { drawLook } from "./look.js";
import { chinDrop, mouth } from "./mouth.js";

export { EXPRESSIONS } from "./expression.js";

/** Largest difference between a side's movement and the mean of both, as a share of it. */
const ASYMMETRY = 0.2;

/**
 * A cartoon face that shows an expression, as an SVG document without text, scripts or links.
 *
 * The look is drawn from `random` before the expression and without knowing it: the same stream gives the same person, in
 * the same pose and light, whatever the expression. The document's `back` and `front` groups hold the look alone; its
 * `face` and `brows` hold what the expression moves too.
 *
 * @param expression - One of `EXPRESSIONS`.
 * @param size - Width and height that the document states, in pixels.
 * @throws ParameterError for an unknown expression, or a size that is no integer in [8, 4096].
 */
export function faceSvg(expression: string, random: Random, size = 96): string {
  checkNumber("size", size, { min: 8, max: 4096, integer: true });
  const look = drawLook(random);
  const units = drawActionUnits(expression, random);
  const lean = random.uniform(-ASYMMETRY, ASYMMETRY);
  const at = placeOn(look);
  const drop = chinDrop(units);
  const moved = `translate(${look.shift.map(short).join(" ")}) scale(${short(look.scale)})`;
  const tilted = `${moved} rotate(${short((look.tilt * 180) / Math.PI)})`;
  const eyes = ([-1, 1] as const).map((side) => eye(look, units, side, at));
  const brows = ([-1, 1] as const).map((side) => brow(look, units, side, 1 + side * lean, at));
  return [
    `<svg xmlns="http://www.w3.org/2000/svg" width="${size}" height="${size}" viewBox="-50 -50 100 100">`,
    `<g id="back"><defs>${gradients(look)}</defs>`,
    '<rect x="-50" y="-50" width="100" height="100" fill="url(#background)"/>',
    `<g transform="${tilted}">${hairBehind(look)}</g><g transform="${moved}">${body(look)}</g></g>`,
    `<g transform="${tilted}"><g id="face">${head(look, drop)}${cheeks(look, at)}${beard(look, at, drop)}`,
    `${folds(look, units, at)}${nose(look, units, at)}${mouth(look, units, lean, at)}${moustache(look, at)}`,
    `${eyes.join("")}</g><g id="front">${hairBefore(look, at)}${glasses(look, at)}</g>`,
    `<g id="brows">${brows.join("")}</g></g></svg>`,
  ].join("");
}
