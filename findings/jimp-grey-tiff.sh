#!/usr/bin/env bash
# Jimp 1.6.1: greyscale TIFFs with JPEG compression, such as scans, are read as if each pixel had three values. The picture has the right
# size, but each of its rows is a third of a row, three times as wide, and the lower two thirds of the file are missing. Colours and
# other compressions are right. UTIF.js has fixed it (photopea/UTIF.js issue 134), its copy utif2 in Jimp has not. Nothing is reported.
# Until it changes: read TIFFs with another package, such as sharp.
set -euo pipefail
dir="$(mktemp -d)"
trap 'rm -rf "$dir"' EXIT
cd "$dir"
npm install --silent --no-audit --no-fund --ignore-scripts jimp@1.6.1
python3 -m venv v
v/bin/pip install --quiet --disable-pip-version-check pillow==13.0.0

cat > draw.py <<'PY'
from PIL import Image

side = 48
grey = Image.new("L", (side, side))
grey.putdata([5 * (y if x < side // 2 else side - y) for y in range(side) for x in range(side)])
for title, image in (("grey", grey), ("colour", grey.convert("RGB"))):
    for name, compression in (("JPEG", "jpeg"), ("LZW", "tiff_lzw"), ("no", None)):
        image.save(f"{title}, {name} compression.tif", compression=compression)
PY
cat > read.mjs <<'JS'
import { Jimp } from "jimp";
for (const title of ["colour", "grey"])
  for (const name of ["no", "LZW", "JPEG"]) {
    const { bitmap } = await Jimp.read(`${title}, ${name} compression.tif`);
    const column = [0, 15, 30, 45].map((y) => bitmap.data[4 * (y * bitmap.width + 12)]);
    const size = `${bitmap.width} x ${bitmap.height}`;
    console.log(`${title}, ${name} compression: ${size}, greys at the left in rows 0, 15, 30, 45: ${column.join(" ")}`);
  }
JS

# Correct would be 0 75 150 225 everywhere, or a level off with JPEG.
cat > seen.txt <<'TXT'
colour, no compression: 48 x 48, greys at the left in rows 0, 15, 30, 45: 0 75 150 225
colour, LZW compression: 48 x 48, greys at the left in rows 0, 15, 30, 45: 0 75 150 225
colour, JPEG compression: 48 x 48, greys at the left in rows 0, 15, 30, 45: 0 74 151 226
grey, no compression: 48 x 48, greys at the left in rows 0, 15, 30, 45: 0 75 150 225
grey, LZW compression: 48 x 48, greys at the left in rows 0, 15, 30, 45: 0 75 150 225
grey, JPEG compression: 48 x 48, greys at the left in rows 0, 15, 30, 45: 0 25 49 74
TXT
v/bin/python draw.py 2> errors.txt && node read.mjs > now.txt 2>> errors.txt || { cat errors.txt; exit 1; }
diff seen.txt now.txt && echo "Jimp 1.6.1 still reads a third of them:" && cat now.txt
