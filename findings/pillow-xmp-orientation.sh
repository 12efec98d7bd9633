#!/usr/bin/env bash
# Pillow 13.0.0: ImageOps.exif_transpose also turns an image that has no EXIF, by tiff:Orientation in its XMP; sharp 0.35.5's autoOrient and
# browsers do not. So one file is upright in one tool and lying in the other. Programs that turn the pixels leave the old value in the
# XMP at times. Until they agree: remove XMP before training (exiftool -XMP:all=), or check such images by eye.
set -euo pipefail
dir="$(mktemp -d)"
trap 'rm -rf "$dir"' EXIT
cd "$dir"
python3 -m venv v
v/bin/pip install --quiet --disable-pip-version-check pillow==13.0.0
npm install --silent --no-audit --no-fund --ignore-scripts sharp@0.35.5

cat > draw.js <<'JS'
const sharp = require("sharp");
const xmp =
  '<x:xmpmeta xmlns:x="adobe:ns:meta/"><rdf:RDF xmlns:rdf="http://www.w3.org/1999/02/22-rdf-syntax-ns#">' +
  '<rdf:Description xmlns:tiff="http://ns.adobe.com/tiff/1.0/" tiff:Orientation="6"/></rdf:RDF></x:xmpmeta>';
async function main() {
  for (const format of ["jpeg", "png"]) {
    const image = sharp({ create: { width: 64, height: 32, channels: 3, background: "red" } });
    const bytes = await image.withXmp(xmp).toFormat(format).toBuffer();
    require("fs").writeFileSync(`image.${format}`, bytes);
    const { info } = await sharp(bytes).autoOrient().raw().toBuffer({ resolveWithObject: true });
    console.log(`sharp, ${format}: ${info.width} x ${info.height}`);
  }
}
main();
JS
cat > turn.py <<'PY'
from PIL import Image, ImageOps

for kind in ["jpeg", "png"]:
    width, height = ImageOps.exif_transpose(Image.open(f"image.{kind}")).size
    print(f"Pillow, {kind}: {width} x {height}")
PY

cat > seen.txt <<'TXT'
sharp, jpeg: 64 x 32
sharp, png: 64 x 32
Pillow, jpeg: 32 x 64
Pillow, png: 32 x 64
TXT
node draw.js > now.txt
v/bin/python turn.py >> now.txt
diff seen.txt now.txt && echo "Pillow 13.0.0 still turns by XMP, and sharp 0.35.5 does not:" && cat now.txt
