// Cartoon faces as SVG: a look and an expression, drawn one over the other.
import { checkNumber } from "../errors.js";
import type { Random } from "../random.js";
import { drawActionUnits } from "./face-expression.js";
import { brow, chinDrop, eye, folds, mouth, nose } from "./face-features.js";
import { placeOn, short } from "./face-geometry.js";
import {
  beard,
  body,
  cheeks,
  glasses,
  gradients,
  hairBefore,
  hairBehind,
  head,
  moustache,
} from "./face-head.js";
import { drawLook } from "./face-look.js";

export { EXPRESSIONS } from "./face-expression.js";

/**
 * A cartoon face that shows an expression, as an SVG document without fonts, scripts or links.
 *
 * The look is drawn from `random` before the expression and without knowing it: the same stream gives the same person in
 * the same pose and light whatever the expression.
 *
 * @param size - Width and height that the document states, in pixels.
 * @throws ParameterError for an unknown expression or a size that is no integer in [8, 4096].
 */
export function faceSvg(expression: string, random: Random, size = 96): string {
  checkNumber("size", size, { min: 8, max: 4096, integer: true });
  const look = drawLook(random);
  const units = drawActionUnits(expression, random);
  const lean = random.uniform(-0.22, 0.22); // no face is quite even
  const at = placeOn(look);
  const drop = chinDrop(units);
  const { shift, tilt, scale } = look;
  const shifted = `translate(${short(shift[0])} ${short(shift[1])}) scale(${short(scale)})`;
  return [
    `<svg xmlns="http://www.w3.org/2000/svg" width="${size}" height="${size}" viewBox="-50 -50 100 100">`,
    `<defs>${gradients(look)}</defs><g id="back"><rect x="-50" y="-50" width="100" height="100" fill="url(#background)"/>`,
    `<g transform="${shifted} rotate(${short((tilt * 180) / Math.PI)})">${hairBehind(look)}</g>`,
    `<g transform="${shifted}">${body(look)}</g></g>`,
    `<g transform="${shifted} rotate(${short((tilt * 180) / Math.PI)})"><g id="face">`,
    head(look, drop) +
      cheeks(look, at) +
      beard(look, at, drop) +
      folds(look, units, at) +
      nose(look, units, at),
    mouth(look, units, lean, at) + moustache(look, at),
    ...([-1, 1] as const).map((side) => eye(look, units, side, at)),
    `</g><g id="front">${hairBefore(look, at)}${glasses(look, at)}</g><g id="brows">`,
    ...([-1, 1] as const).map((side) => brow(look, units, side, at)),
    "</g></g></svg>",
  ].join("");
}
