#!/usr/bin/env bash
# TensorFlow.js 4.22.0: tf.image.rgbToGrayscale makes images of integers darker. Its weights add up to 0.9999, and the result is cut, not
# rounded: each grey but black loses a level, and white becomes 254. A network that was trained on grey images sees others, an image
# that is stored and converted again loses another level each time, and a search for white pixels finds none. Nothing is reported.
# Until it changes: convert to float32 first and round, as in the last column of the output.
set -euo pipefail
dir="$(mktemp -d)"
trap 'rm -rf "$dir"' EXIT
cd "$dir"
npm install --silent --no-audit --no-fund --ignore-scripts @tensorflow/tfjs@4.22.0

cat > run.js <<'JS'
const tf = require("@tensorflow/tfjs");
const pixels = tf.tensor2d([[0, 1, 50, 100, 200, 255]], [1, 6], "int32").expandDims(2).tile([1, 1, 3]);
let [image, kept] = [pixels, pixels];
for (const times of [1, 2, 3]) {
  image = tf.image.rgbToGrayscale(image).tile([1, 1, 3]);
  kept = tf.image.rgbToGrayscale(kept.toFloat()).round().toInt().tile([1, 1, 3]);
  const [grey, rounded] = [image, kept].map((colors) => colors.slice([0, 0, 0], [1, 6, 1]).dataSync().join(" "));
  console.log(`time ${times}: ${grey}, rounded ${rounded}`);
}
JS

# Correct would be 0 1 50 100 200 255 in all lines.
cat > seen.txt <<'TXT'
time 1: 0 0 49 99 199 254, rounded 0 1 50 100 200 255
time 2: 0 0 48 98 198 253, rounded 0 1 50 100 200 255
time 3: 0 0 47 97 197 252, rounded 0 1 50 100 200 255
TXT
node run.js 2> errors.txt | grep "^time" > now.txt || { cat errors.txt; exit 1; }
diff seen.txt now.txt && echo "TensorFlow.js 4.22.0 still darkens grey images:" && cat now.txt
