#!/usr/bin/env bash
# TensorFlow.js 4.22.0: tf.train.adadelta divides a gradient by the average before this gradient, which is 0 in the first step. So the first
# step is the whole gradient times the learning rate, instead of a very small one, and a steep loss diverges. Keras and PyTorch divide by
# the average that includes the gradient, as the paper does (Zeiler 2012, algorithm 1). With tfjs-node it is the same.
# Until it changes: use another optimizer, such as tf.train.adam.
set -euo pipefail
dir="$(mktemp -d)"
trap 'rm -rf "$dir"' EXIT
cd "$dir"
npm install --silent --no-audit --no-fund --ignore-scripts @tensorflow/tfjs@4.22.0

cat > run.js <<'JS'
const tf = require("@tensorflow/tfjs");

const STEPS = 5;

/** Weights of Adadelta as in the paper, for a loss of steepness / 2 * weight ** 2. */
function ofPaper(steepness) {
  let [weight, squares, updates] = [1, 0, 0];
  return Array.from({ length: STEPS }, () => {
    const gradient = steepness * weight;
    squares = 0.95 * squares + 0.05 * gradient ** 2;
    const update = Math.sqrt((updates + 1e-6) / (squares + 1e-6)) * gradient;
    updates = 0.95 * updates + 0.05 * update ** 2;
    weight -= update;
    return weight;
  });
}

async function main() {
  await tf.setBackend("cpu");
  for (const steepness of [1, 10, 100]) {
    const weight = tf.variable(tf.scalar(1));
    const optimizer = tf.train.adadelta(1, 0.95, 1e-6);
    const weights = Array.from({ length: STEPS }, () => {
      optimizer.minimize(() => weight.square().mul(steepness / 2));
      return weight.dataSync()[0];
    });
    const [a, b] = [weights, ofPaper(steepness)].map((values) => values.map((value) => value.toFixed(3)).join(" "));
    console.log(`weights, steepness ${steepness}: ${a}, of the paper ${b}`);
  }
}
main();
JS

# Correct would be about the same numbers in both columns.
cat > seen.txt <<'TXT'
weights, steepness 1: 0.000 0.000 0.000 0.000 0.000, of the paper 0.996 0.991 0.986 0.982 0.977
weights, steepness 10: -9.000 81.000 -729.000 6561.000 -59049.000, of the paper 0.996 0.991 0.986 0.982 0.977
weights, steepness 100: -99.000 9801.000 -970299.000 96059608.000 -9509901312.000, of the paper 0.996 0.991 0.986 0.982 0.977
TXT
node run.js 2> errors.txt | grep "^weights" > now.txt || { cat errors.txt; exit 1; }
diff seen.txt now.txt && echo "TensorFlow.js 4.22.0 still takes the first step so:" && cat now.txt
