#!/usr/bin/env bash
# imageio 2.38.1: TIFFs are read as they are stored, whatever their photometric tag says, where Pillow, sharp and viewers show the
# picture. A scan or X-ray that stores white as 0 becomes a negative, and a picture with a palette becomes the indices of its
# colours, as if they were shades of grey. PNGs of the same pictures are right. Nothing is reported.
# Until it changes: read TIFFs with plugin="pillow" and mode="RGB", as in the last column of the output.
set -euo pipefail
dir="$(mktemp -d)"
trap 'rm -rf "$dir"' EXIT
cd "$dir"
python3 -m venv v
v/bin/pip install --quiet --disable-pip-version-check imageio==2.38.1 pillow==13.0.0 numpy==2.4.6

cat > run.py <<'PY'
import imageio.v3
import numpy as np
from PIL import Image

grey = np.full((8, 8), 230, np.uint8)  # nearly white
Image.fromarray(grey).save("black is 0.tif")
Image.fromarray(grey).save("white is 0.tif", tiffinfo={262: 0})
Image.fromarray(grey).convert("RGB").quantize(4).save("palette.tif")
Image.fromarray(grey).convert("RGB").quantize(4).save("palette.png")
for file in ("black is 0.tif", "white is 0.tif", "palette.tif", "palette.png"):
    means = [Image.open(file).convert("RGB"), imageio.v3.imread(file), imageio.v3.imread(file, plugin="pillow", mode="RGB")]
    print(f"mean brightness, {file}:", *[round(float(np.asarray(image).mean())) for image in means])
PY

# Correct would be 230 everywhere. Columns: Pillow, imageio, imageio with the plugin.
cat > seen.txt <<'TXT'
mean brightness, black is 0.tif: 230 230 230
mean brightness, white is 0.tif: 230 25 230
mean brightness, palette.tif: 230 0 230
mean brightness, palette.png: 230 230 230
TXT
v/bin/python run.py > now.txt 2> errors.txt || { cat errors.txt; exit 1; }
diff seen.txt now.txt && echo "imageio 2.38.1 still reads what is stored:" && cat now.txt
