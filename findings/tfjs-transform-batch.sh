#!/usr/bin/env bash
# TensorFlow.js 4.22.0: on the JavaScript backend ("cpu"), tf.image.transform is right for the first image of a batch only. All others
# become the fill value, also with one transform for all images. Training with shifted images on this backend sees
# one image and blanks. WebAssembly is right.
# Until it changes: transform one image at a time, as in the last column of the output, and join them with tf.concat.
set -euo pipefail
dir="$(mktemp -d)"
trap 'rm -rf "$dir"' EXIT
cd "$dir"
npm install --silent --no-audit --no-fund --ignore-scripts @tensorflow/tfjs@4.22.0 @tensorflow/tfjs-backend-wasm@4.22.0

cat > run.js <<'JS'
const { dirname, join } = require("node:path");
const tf = require("@tensorflow/tfjs");
const { setWasmPaths } = require("@tensorflow/tfjs-backend-wasm");
setWasmPaths(join(dirname(require.resolve("@tensorflow/tfjs-backend-wasm/package.json")), "dist/"));

const shiftsOf = { "1 pixel each": [1, 1, 1], "1, 2 and -1 pixels": [1, 2, -1] };

async function main() {
  for (const backend of ["cpu", "wasm"]) {
    await tf.setBackend(backend);
    const image = tf.tensor([1, 2, 3, 4], [1, 1, 4, 1]);
    for (const [title, shifts] of Object.entries(shiftsOf)) {
      for (const fill of ["constant", "nearest"]) {
        const shift = (images, by) => {
          const transforms = tf.tensor2d(by.map((pixels) => [1, 0, pixels, 0, 1, 0, 0, 0]));
          return tf.image.transform(images, transforms, "nearest", fill, 0);
        };
        const moved = shift(tf.tile(image, [3, 1, 1, 1]), shifts);
        const alone = tf.concat(shifts.map((pixels) => shift(image, [pixels])));
        const [a, b] = [moved, alone].map((images) => images.reshape([3, 4]).arraySync().map((row) => row.join("")).join(" "));
        console.log(`shift by ${title}, ${fill}, ${backend}: ${a}, one at a time ${b}`);
      }
    }
  }
}
main();
JS

# Correct would be the same images in both columns.
cat > seen.txt <<'TXT'
shift by 1 pixel each, constant, cpu: 2340 0000 0000, one at a time 2340 2340 2340
shift by 1 pixel each, nearest, cpu: 2344 0000 0000, one at a time 2344 2344 2344
shift by 1, 2 and -1 pixels, constant, cpu: 2340 0000 0000, one at a time 2340 3400 0123
shift by 1, 2 and -1 pixels, nearest, cpu: 2344 0000 0000, one at a time 2344 3444 1123
shift by 1 pixel each, constant, wasm: 2340 2340 2340, one at a time 2340 2340 2340
shift by 1 pixel each, nearest, wasm: 2344 2344 2344, one at a time 2344 2344 2344
shift by 1, 2 and -1 pixels, constant, wasm: 2340 3400 0123, one at a time 2340 3400 0123
shift by 1, 2 and -1 pixels, nearest, wasm: 2344 3444 1123, one at a time 2344 3444 1123
TXT
node run.js 2> errors.txt | grep "^shift" > now.txt || { cat errors.txt; exit 1; }
diff seen.txt now.txt && echo "TensorFlow.js 4.22.0 still transforms only the first:" && cat now.txt
