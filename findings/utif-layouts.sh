#!/usr/bin/env bash
# UTIF.js 3.1.0: its documentation says that toRGBA8 converts any TIFF image, but it takes some layouts for others. Grey of 4 bits becomes
# transparent black, a palette of 16 colours is looked up at wrong indices, and RGB in separate planes becomes grey, three pixels of red
# for each pixel. The size is right, and nothing is reported.
# Until it changes: decode TIFFs with sharp, as in the last column of the output.
set -euo pipefail
dir="$(mktemp -d)"
trap 'rm -rf "$dir"' EXIT
cd "$dir"
npm install --silent --no-audit --no-fund --ignore-scripts utif@3.1.0 sharp@0.35.5

cat > run.mjs <<'JS'
import sharp from "sharp";
import UTIF from "utif";

const [WIDTH, HEIGHT, SHORT, LONG] = [4, 2, 3, 4];

/** Returns a TIFF whose pixel data are parts, each a strip of its own. */
function tiff(bits, photometric, planar, parts, palette = []) {
  const lists = { 258: bits, 273: parts.map(() => 0), 279: parts.map((part) => part.length), 320: palette };
  const single = { 256: [WIDTH], 257: [HEIGHT], 259: [1], 262: [photometric], 277: [bits.length], 278: [HEIGHT], 284: [planar] };
  const tags = Object.entries({ ...lists, ...single }).filter(([, values]) => values.length);
  const chunks = [Buffer.from([0x49, 0x49, 42, 0, 8, 0, 0, 0])];
  const head = Buffer.alloc(2 + 12 * tags.length + 4);
  head.writeUInt16LE(tags.length);
  chunks.push(head);
  let end = 8 + head.length;
  const append = (data) => {
    chunks.push(data);
    end += data.length;
    return end - data.length;
  };
  lists[273].splice(0, parts.length, ...parts.map((part) => append(Buffer.from(part))));
  for (const [i, [tag, values]] of tags.entries()) {
    const wide = tag === "273" || tag === "279";
    const data = Buffer.from((wide ? Uint32Array : Uint16Array).from(values).buffer);
    const at = 2 + 12 * i;
    head.writeUInt16LE(Number(tag), at);
    head.writeUInt16LE(wide ? LONG : SHORT, at + 2);
    head.writeUInt32LE(values.length, at + 4);
    if (data.length <= 4) data.copy(head, at + 8);
    else head.writeUInt32LE(append(data), at + 8);
  }
  return Buffer.concat(chunks);
}

const green = [0, 200, 0];
const palette = [0, 1, 2].flatMap((c) => Array.from({ length: 16 }, (_, i) => (i === 9 ? green[c] * 257 : 0)));
const files = {
  "grey of 8 bits": [tiff([8], 1, 1, [Array(8).fill(153)]), [153, 153, 153]],
  "grey of 4 bits": [tiff([4], 1, 1, [Array(4).fill(0x99)]), [153, 153, 153]],
  "palette of 16 colours": [tiff([4], 3, 1, [Array(4).fill(0x99)], palette), green],
  "RGB, pixel by pixel": [tiff([8, 8, 8], 2, 1, [Array(8).fill([10, 200, 90]).flat()]), [10, 200, 90]],
  "RGB in planes": [tiff([8, 8, 8], 2, 2, [10, 200, 90].map((value) => Array(8).fill(value))), [10, 200, 90]],
};
for (const [title, [file, colour]] of Object.entries(files)) {
  const [page] = UTIF.decode(file);
  UTIF.decodeImage(file, page);
  const found = [...UTIF.toRGBA8(page).subarray(0, 4)];
  const bySharp = [...(await sharp(file).toColourspace("srgb").ensureAlpha().raw().toBuffer()).subarray(0, 4)];
  console.log(`${title}: first pixel ${colour}, UTIF.js ${found}, sharp ${bySharp}`);
}
JS

# Correct would be the first pixel in each column, with an alpha of 255.
cat > seen.txt <<'TXT'
grey of 8 bits: first pixel 153,153,153, UTIF.js 153,153,153,255, sharp 153,153,153,255
grey of 4 bits: first pixel 153,153,153, UTIF.js 0,0,0,0, sharp 153,153,153,255
palette of 16 colours: first pixel 0,200,0, UTIF.js 0,0,0,255, sharp 0,200,0,255
RGB, pixel by pixel: first pixel 10,200,90, UTIF.js 10,200,90,255, sharp 10,200,90,255
RGB in planes: first pixel 10,200,90, UTIF.js 10,10,10,255, sharp 10,200,90,255
TXT
node run.mjs > now.txt 2> errors.txt || { cat errors.txt; exit 1; }
diff seen.txt now.txt && echo "UTIF.js 3.1.0 still reads them so:" && cat now.txt
