#!/usr/bin/env bash
# image-js 1.7.0: images of few colours are read wrongly, depending on their width. PNGs with a palette of 2 to 16 colours are right
# if a row fills whole bytes (8, 4 or 2 pixels each) and have wrong colours otherwise. PNGs of 1 bit are wrong at any width, and
# BMPs with a palette are read as grey, with the index of each colour as its brightness: nearly black. Nothing is reported.
# Optimised drawings and masks are often such files. Until it changes: read them with another package.
set -euo pipefail
dir="$(mktemp -d)"
trap 'rm -rf "$dir"' EXIT
cd "$dir"
npm install --silent --no-audit --no-fund --ignore-scripts image-js@1.7.0
python3 -m venv v
v/bin/pip install --quiet --disable-pip-version-check pillow==13.0.0

cat > draw.py <<'PY'
from PIL import Image

for width in (40, 37):
    image = Image.new("RGB", (width, 8))
    image.putdata([(255 * x // width, 30 * y, 0) for y in range(8) for x in range(width)])
    few = {f"{colours} colours": image.quantize(colours) for colours in (2, 4, 16, 200)} | {"black and white": image.convert("1")}
    for title, drawn in few.items():
        for ending in ("png", "bmp"):
            drawn.save(f"{title}, {width} wide.{ending}")
        drawn.convert("RGB").save(f"{title}, {width} wide.correct.png")
PY
cat > read.mjs <<'JS'
import { readFileSync } from "node:fs";
import { decode } from "image-js";

const pixels = (file) => decode(readFileSync(file)).convertColor("RGB").getRawImage().data;
for (const ending of ["png", "bmp"])
  for (const title of ["black and white", "2 colours", "4 colours", "16 colours", "200 colours"]) {
    const results = [40, 37].map((width) => {
      const name = `${title}, ${width} wide`;
      const correct = pixels(`${name}.correct.png`);
      return `${width} wide: ${pixels(`${name}.${ending}`).every((value, i) => value === correct[i]) ? "right" : "wrong"}`;
    });
    console.log(`${ending}, ${title}: ${results.join(", ")}`);
  }
JS

# Correct would be "right" everywhere.
cat > seen.txt <<'TXT'
png, black and white: 40 wide: wrong, 37 wide: wrong
png, 2 colours: 40 wide: right, 37 wide: wrong
png, 4 colours: 40 wide: right, 37 wide: wrong
png, 16 colours: 40 wide: right, 37 wide: wrong
png, 200 colours: 40 wide: right, 37 wide: right
bmp, black and white: 40 wide: right, 37 wide: right
bmp, 2 colours: 40 wide: wrong, 37 wide: wrong
bmp, 4 colours: 40 wide: wrong, 37 wide: wrong
bmp, 16 colours: 40 wide: wrong, 37 wide: wrong
bmp, 200 colours: 40 wide: wrong, 37 wide: wrong
TXT
v/bin/python draw.py 2> errors.txt && node read.mjs > now.txt 2>> errors.txt || { cat errors.txt; exit 1; }
diff seen.txt now.txt && echo "image-js 1.7.0 still reads them wrongly:" && cat now.txt
