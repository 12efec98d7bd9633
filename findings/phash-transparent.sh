#!/usr/bin/env bash
# sharp-phash 2.2.0 and imagehash 4.3.2: drawings in black on a transparent background all have the hash 0, so each is a copy of every
# other. Both look at the colours without the alpha channel, and transparent pixels are mostly stored as black. A search for duplicates
# in a set of icons, emojis or signs then finds that all but one can go; imagededup 0.3.3 lists them for removal. Nothing is reported.
# Until it changes: draw the images on white before, as in the second and the last line of the output.
set -euo pipefail
dir="$(mktemp -d)"
trap 'rm -rf "$dir"' EXIT
cd "$dir"
npm install --silent --no-audit --no-fund --ignore-scripts sharp@0.35.5 sharp-phash@2.2.0
python3 -m venv v
v/bin/pip install --quiet --disable-pip-version-check imagehash==4.3.2 pillow==13.0.0 numpy==2.4.6

cat > draw.py <<'PY'
from pathlib import Path

import imagehash
from PIL import Image, ImageDraw

faces = {
    "happy": lambda draw: draw.arc([16, 16, 80, 80], 20, 160, fill="black", width=6),
    "sad": lambda draw: draw.arc([16, 50, 80, 110], 200, 340, fill="black", width=6),
    "surprise": lambda draw: draw.ellipse([36, 50, 60, 80], fill="black"),
    "neutral": lambda draw: draw.line([20, 65, 76, 65], fill="black", width=6),
}
for title, background in (("on transparent", (0, 0, 0, 0)), ("on white", (255, 255, 255, 255))):
    Path(title).mkdir()
    hashes = set()
    for name, mouth in faces.items():
        image = Image.new("RGBA", (96, 96), background)
        mouth(ImageDraw.Draw(image))
        for left in (28, 60):
            ImageDraw.Draw(image).ellipse([left, 24, left + 10, 34], fill="black")
        image.save(f"{title}/{name}.png")
        hashes.add(str(imagehash.phash(image)))
    print(f"imagehash: 4 faces {title}: {len(hashes)} different")
PY
cat > hash.mjs <<'JS'
import { readdirSync } from "node:fs";
import phash from "sharp-phash";
for (const title of ["on transparent", "on white"]) {
  const hashes = await Promise.all(readdirSync(title).map((name) => phash(`${title}/${name}`)));
  console.log(`sharp-phash: 4 faces ${title}: ${new Set(hashes).size} different`);
}
JS

# Correct would be 4 different everywhere.
cat > seen.txt <<'TXT'
imagehash: 4 faces on transparent: 1 different
imagehash: 4 faces on white: 4 different
sharp-phash: 4 faces on transparent: 1 different
sharp-phash: 4 faces on white: 4 different
TXT
v/bin/python draw.py > now.txt 2> errors.txt && node hash.mjs >> now.txt 2>> errors.txt || { cat errors.txt; exit 1; }
diff seen.txt now.txt && echo "Both still take drawings on transparent for copies:" && cat now.txt
