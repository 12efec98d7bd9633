#!/usr/bin/env bash
# sharp 0.35.5: a TIFF of YCbCr colours that JPEG does not compress is read as if it were RGB, and its space is called srgb. Red
# becomes blue, without an error. Until it changes: read tag 262 of TIFFs, where 6 is YCbCr, and convert such files to RGB.
set -euo pipefail
dir="$(mktemp -d)"
trap 'rm -rf "$dir"' EXIT
cd "$dir"
npm install --silent --no-audit --no-fund --ignore-scripts sharp@0.35.5

cat > read.js <<'JS'
const sharp = require("sharp");
const side = 8;
const [SHORT, LONG] = [3, 4];

/** A TIFF of one colour, whose numbers mean what tag 262 says: 2 is RGB, 6 is YCbCr with the chroma of each pixel. */
function tiff(photometric, colour) {
  const pixels = Buffer.from(Array.from({ length: side * side }, () => colour).flat());
  const tags = [
    [256, SHORT, 1, side], [257, SHORT, 1, side], [258, SHORT, 3, "depths"], [259, SHORT, 1, 1], [262, SHORT, 1, photometric],
    [273, LONG, 1, "pixels"], [277, SHORT, 1, 3], [278, SHORT, 1, side], [279, LONG, 1, pixels.length],
    ...(photometric === 6 ? [[530, SHORT, 2, 0x10001]] : []),
  ];
  const end = 8 + 2 + 12 * tags.length + 4;
  const places = { depths: end, pixels: end + 6 };
  const head = Buffer.alloc(end + 6);
  head.write("II*\0", "latin1");
  head.writeUInt32LE(8, 4);
  head.writeUInt16LE(tags.length, 8);
  tags.forEach(([tag, type, count, value], i) => {
    const at = 10 + 12 * i;
    head.writeUInt16LE(tag, at);
    head.writeUInt16LE(type, at + 2);
    head.writeUInt32LE(count, at + 4);
    head.writeUInt32LE(places[value] ?? value, at + 8);
  });
  for (let i = 0; i < 3; i++) head.writeUInt16LE(8, end + 2 * i);
  return Buffer.concat([head, pixels]);
}

async function main() {
  for (const [name, photometric, colour] of [["RGB", 2, [255, 0, 0]], ["YCbCr", 6, [76, 85, 255]]]) {
    const image = sharp(tiff(photometric, colour));
    const { space } = await image.metadata();
    const pixels = await image.raw().toBuffer();
    console.log(`red in ${name}: ${space} ${[...pixels.subarray(0, 3)].join(" ")}`);
  }
}
main();
JS

# Correct would be the same red twice, within a level.
cat > seen.txt <<'TXT'
red in RGB: srgb 255 0 0
red in YCbCr: srgb 76 85 255
TXT
node read.js > now.txt
diff seen.txt now.txt && echo "sharp 0.35.5 still reads YCbCr as RGB:" && cat now.txt
