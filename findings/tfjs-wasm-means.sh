#!/usr/bin/env bash
# TensorFlow.js 4.22.0: the WebAssembly backend adds numbers up one by one in float32, so the mean of many numbers is wrong. The mean
# brightness of 1,000 images of 48 × 48 pixels of 200 is 194, and a constant has a variance. The more numbers, the larger the error,
# and no warning. The JavaScript backend is right.
# Until it changes: take means of each image first, and then of these, as in the last column of the output.
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

async function main() {
  for (const backend of ["cpu", "wasm"]) {
    await tf.setBackend(backend);
    for (const count of [10, 1000, 4000]) {
      const images = tf.fill([count, 48 * 48], 200);
      const { mean, variance } = tf.moments(images);
      const numbers = [mean, variance, images.mean(1).mean()].map((tensor) => Math.round(tensor.dataSync()[0]));
      console.log(`images, ${count} on ${backend}: mean ${numbers[0]}, variance ${numbers[1]}, mean of means ${numbers[2]}`);
    }
  }
}
main();
JS

# Correct would be a mean of 200 and a variance of 0 in all lines.
cat > seen.txt <<'TXT'
images, 10 on cpu: mean 200, variance 0, mean of means 200
images, 1000 on cpu: mean 200, variance 0, mean of means 200
images, 4000 on cpu: mean 200, variance 0, mean of means 200
images, 10 on wasm: mean 200, variance 0, mean of means 200
images, 1000 on wasm: mean 194, variance 32, mean of means 200
images, 4000 on wasm: mean 218, variance 318, mean of means 200
TXT
node run.js 2> errors.txt | grep "^images" > now.txt || { cat errors.txt; exit 1; }
diff seen.txt now.txt && echo "TensorFlow.js 4.22.0 still adds up in float32:" && cat now.txt
