#!/usr/bin/env bash
# transformers.js 4.3.2 in Node.js: images are reduced without smoothing, with bilinear and with bicubic interpolation, where Python's
# transformers smooth. A picture of which every fourth column is white becomes all white, instead of a grey of 64. A model's
# probabilities therefore differ from those in Python, the more the larger the picture is.
# Until it changes: reduce pictures to the model's size before, for example with sharp.
set -euo pipefail
dir="$(mktemp -d)"
trap 'rm -rf "$dir"' EXIT
cd "$dir"
npm install --silent --no-audit --no-fund --ignore-scripts @huggingface/transformers@4.3.2

cat > run.mjs <<'JS'
import { RawImage } from "@huggingface/transformers";
const side = 96;
const stripes = Uint8ClampedArray.from({ length: side * side * 3 }, (_, i) => (Math.floor(i / 3) % 4 === 0 ? 255 : 0));
const brightness = ({ data }) => Math.round(data.reduce((sum, value) => sum + value, 0) / data.length);
for (const [name, resample] of [["bilinear", 2], ["bicubic", 3]]) {
  const image = new RawImage(stripes.slice(), side, side, 3);
  const before = brightness(image);
  const small = await image.resize(side / 4, side / 4, { resample });
  console.log(`mean brightness, ${name}: ${before} before, ${brightness(small)} after`);
}
JS

# Correct would be 64 after, too.
cat > seen.txt <<'TXT'
mean brightness, bilinear: 64 before, 255 after
mean brightness, bicubic: 64 before, 255 after
TXT
node run.mjs 2> errors.txt | grep "^mean" > now.txt || { cat errors.txt; exit 1; }
diff seen.txt now.txt && echo "transformers.js 4.3.2 still reduces without smoothing:" && cat now.txt
