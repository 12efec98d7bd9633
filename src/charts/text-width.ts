// Vega guesses 0.8 em a character where it has no canvas; these are the widths of the font that is drawn.

/** Advance widths of Inter SemiBold in em, the widest of each set; Regular is a little narrower. */
const WIDTHS: [string, number][] = [
  [" ijlI!,.:;'|`", 0.33],
  ["t()[]{}/\\frt1-_^", 0.46],
  ['"*?sLakxzJc7', 0.58],
  ["Fevy5Ehnou2bdpqg", 0.63],
  ["#3689$PRSZ&0BT+4<=>~K", 0.7],
  ["XYAVDCHUNG", 0.78],
  ["OQwm", 0.9],
  ["MW@%", 1.02],
];
const WIDTH_OF = new Map(
  WIDTHS.flatMap(([characters, width]) => [...characters].map((c) => [c, width] as const)),
);

/** Width of other letters, and of symbols and ideographs, in em. */
const LETTER_WIDTH = 0.75;
const SYMBOL_WIDTH = 1.05;

/** Width of a line of text in pixels, rounded up rather than down. */
export function textWidth(text: string, fontSize: number): number {
  let width = 0;
  for (const character of text)
    width += WIDTH_OF.get(character) ?? (character < "\u2000" ? LETTER_WIDTH : SYMBOL_WIDTH);
  return width * fontSize;
}

/** Cuts a text that is wider than `width` pixels, and ends it with "…". */
export function fitText(text: string, width: number, fontSize: number): string {
  if (textWidth(text, fontSize) <= width) return text;
  const characters = [...text];
  while (characters.length > 1 && textWidth(`${characters.join("")}…`, fontSize) > width) characters.pop();
  return `${characters.join("").trimEnd()}…`;
}
