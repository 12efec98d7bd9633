// Hair and headwear, behind and before the head; no expression moves them.
import { dot, fill, flat, HEAD_HEIGHT, line, type Place, path } from "./geometry.js";
import { type Look, mix } from "./look.js";

const d = path(flat);

/** What hangs or stands behind the head. */
export function hairBehind({ hairStyle, hair, cloth, headWidth: w }: Look): string {
  const color = mix(hair, "#000000", 0.25);
  const curtain = (foot: number, out: number) =>
    d`M${[-w - foot, 60]}C${[-w - foot - 2, 10]} ${[-w - out, -45]} ${[0, -45]}C${[w + out, -45]} ${[w + foot + 2, 10]} ${[w + foot, 60]}Z`;
  switch (hairStyle) {
    case "long":
      return fill(curtain(5, 8), color);
    case "bob":
      return fill(
        d`M${[-w - 3, 26]}C${[-w - 9, 0]} ${[-w - 6, -43]} ${[0, -43]}C${[w + 6, -43]} ${[w + 9, 0]} ${[w + 3, 26]}Q${[0, 36]} ${[-w - 3, 26]}Z`,
        color,
      );
    case "afro":
      return dot("0 -15", w + 13, mix(hair, "#000000", 0.12), 1, 34);
    case "bun":
      return dot("0 -44", 10.5, color);
    case "scarf":
      return fill(curtain(9, 9), mix(cloth, "#000000", 0.25));
    default:
      return "";
  }
}

/** What lies on the skull and over the forehead; its edge turns with the face. */
export function hairBefore(look: Look, at: Place): string {
  const { hairStyle, hair, cloth, headWidth: w, jaw, yaw } = look;
  const turn = Math.sin(yaw) * 14;
  const inner = w - 3;
  /** Over the skull, `lift` above it, from temple to temple; then back along the `hairline`. */
  const cap = (lift: number, temple: number, hairline: string, color = hair, opacity = 1) => {
    const [x, y] = [w + lift * 0.5, -HEAD_HEIGHT - lift];
    const skull = d`M${[-x, temple]}C${[-x - 1, y + 14]} ${[-w * 0.7, y]} ${[0, y]}C${[w * 0.7, y]} ${[x + 1, y + 14]} ${[x, temple]}`;
    return fill(`${skull}${hairline}Z`, color, opacity);
  };
  const round = d`C${[inner, -18]} ${[inner * 0.7 + turn, -24]} ${[turn, -24]}C${[-inner * 0.7 + turn, -24]} ${[-inner, -18]} ${[-w, -6]}`;
  switch (hairStyle) {
    case "buzz":
      return cap(0.8, -6, round, hair, 0.85);
    case "bun":
      return cap(2, -6, round);
    case "afro":
      return cap(1, -8, round, mix(hair, "#000000", 0.12));
    case "short": {
      const tips = [0.75, 0.3, 0, -0.4, -0.75].map(
        (x, i) => d`L${[inner * x + turn, i % 2 ? -25.5 : -21.5]}`,
      );
      return cap(4, -4, d`L${[inner, -10]}${tips.join("")}L${[-inner, -10]}`);
    }
    case "sidePart":
      return cap(
        4.5,
        -5,
        d`C${[inner, -14]} ${[w * 0.7, -20]} ${[w * 0.4 + turn, -29]}C${[w * 0.1 + turn, -19]} ${[-w * 0.6, -19]} ${[-inner, -9]}`,
      );
    case "curly":
      return [-1, -0.8, -0.55, -0.28, 0, 0.28, 0.55, 0.8, 1]
        .map((x, i) => {
          const place = flat(x * (w - 1) + turn * 0.4, -38.5 + 19 * x * x + (i % 2));
          return dot(place, 8.6, i % 2 ? hair : mix(hair, "#ffffff", 0.06));
        })
        .join("");
    case "long":
      return fill(
        d`M${[0, -43]}C${[w + 7, -43]} ${[w + 8, 0]} ${[w + 4, 36]}C${[w - 1, 20]} ${[w + 3, -17]} ${[turn * 1.2, -30]}C${[-w - 3, -17]} ${[-w + 1, 20]} ${[-w - 4, 36]}C${[-w - 8, 0]} ${[-w - 7, -43]} ${[0, -43]}Z`,
        hair,
      );
    case "bob":
      return cap(
        5,
        14,
        d`C${[w - 1, 2]} ${[w - 2, -12]} ${[w - 3, -19]}Q${[turn, -25]} ${[-w + 3, -19]}C${[-w + 2, -12]} ${[-w + 1, 2]} ${[-w - 2, 14]}`,
      );
    case "scarf": {
      const outer = d`M${[0, 62]}L${[-w - 7, 62]}C${[-w - 9, 10]} ${[-w - 6, -44]} ${[0, -44]}C${[w + 6, -44]} ${[w + 9, 10]} ${[w + 7, 62]}Z`;
      const opening = d`M${[0, 37]}C${[w * jaw * 0.8, 37]} ${[w - 2, 16]} ${[w - 3, -4]}C${[w - 4, -22]} ${[w * 0.5, -28]} ${[0, -28]}C${[-w * 0.5, -28]} ${[-w + 4, -22]} ${[-w + 3, -4]}C${[-w + 2, 16]} ${[-w * jaw * 0.8, 37]} ${[0, 37]}Z`;
      const fold = line(opening, mix(cloth, "#000000", 0.22), 1.2);
      return `<path d="${outer}${opening}" fill="${cloth}" fill-rule="evenodd"/>${fold}`;
    }
    case "beanie":
      return (
        cap(5, -16, d`Q${[turn, -28]} ${[-w - 2, -16]}`, cloth) +
        line(d`M${[-w - 1, -19]}Q${[turn, -30]} ${[w + 1, -19]}`, mix(cloth, "#ffffff", 0.25), 6)
      );
    case "bald":
      return dot(at(-w * 0.25, -28), 7, "#ffffff", 0.14, 3.5);
  }
}
