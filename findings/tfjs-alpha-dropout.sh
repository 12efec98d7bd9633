#!/usr/bin/env bash
# TensorFlow.js 4.22.0: alphaDropout replaces dropped units by +1.76 instead of -1.76, the lower end of SELU. It should keep a mean of 0 and a
# standard deviation of 1, which networks with SELU need, but the mean grows with the rate, in training only. So a network predicts
# from other activations than it was trained on. Keras is right.
# Until it changes: leave the layer out, or use dropout.
set -euo pipefail
dir="$(mktemp -d)"
trap 'rm -rf "$dir"' EXIT
cd "$dir"
npm install --silent --no-audit --no-fund --ignore-scripts @tensorflow/tfjs@4.22.0

cat > run.js <<'JS'
const tf = require("@tensorflow/tfjs");

const SELU_END = -1.0507009873554805 * 1.6732632423543772;

/** Mean of the output for inputs of mean 0, if dropped units become `end`, as in Keras: scaled and shifted for the lower end of SELU. */
function expected(rate, end) {
  const scale = ((1 - rate) * (1 + rate * SELU_END ** 2)) ** -0.5;
  return scale * rate * end - scale * SELU_END * rate;
}

async function main() {
  await tf.setBackend("cpu");
  const x = tf.randomNormal([1000, 1000], 0, 1, "float32", 1);
  for (const rate of [0.1, 0.3, 0.5]) {
    const y = tf.layers.alphaDropout({ rate }).apply(x, { training: true });
    const { mean, variance } = tf.moments(y);
    const [a, b] = [mean.dataSync()[0], Math.sqrt(variance.dataSync()[0])].map((value) => value.toFixed(1));
    const [low, high] = [SELU_END, -SELU_END].map((end) => Math.abs(expected(rate, end)).toFixed(1));
    console.log(`rate ${rate}: mean ${a}, deviation ${b}; mean with the lower end ${low}, with the upper end ${high}`);
  }
}
main();
JS

# Correct would be a mean of 0.0 and a deviation of 1.0.
cat > seen.txt <<'TXT'
rate 0.1: mean 0.3, deviation 1.0; mean with the lower end 0.0, with the upper end 0.3
rate 0.3: mean 0.9, deviation 1.0; mean with the lower end 0.0, with the upper end 0.9
rate 0.5: mean 1.6, deviation 1.0; mean with the lower end 0.0, with the upper end 1.6
TXT
node run.js 2> errors.txt | grep "^rate" > now.txt || { cat errors.txt; exit 1; }
diff seen.txt now.txt && echo "TensorFlow.js 4.22.0 still takes the upper end:" && cat now.txt
