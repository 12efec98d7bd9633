#!/usr/bin/env bash
# TensorFlow.js 4.22.0: div of two int32 tensors rounds down, where Python's TensorFlow, NumPy and PyTorch give fractions. Counts are
# int32, so rates become 0: the recalls of a confusion matrix, an accuracy from equal and sum, an image divided by its maximum.
# Dividing by a plain number gives fractions. It is on purpose (tensorflow/tfjs issue 215), but the documentation of div lacks it.
# Until it changes: convert counts with toFloat, as in the last column of the output.
set -euo pipefail
dir="$(mktemp -d)"
trap 'rm -rf "$dir"' EXIT
cd "$dir"
npm install --silent --no-audit --no-fund --ignore-scripts @tensorflow/tfjs@4.22.0

cat > run.js <<'JS'
const tf = require("@tensorflow/tfjs");
const show = (title, a, b) => {
  const [integers, floats] = [a.div(b), a.toFloat().div(b)].map((t) => Array.from(t.dataSync(), (value) => value.toFixed(2)).join(" "));
  console.log(`divided: ${title}: ${integers}, of floats ${floats}`);
};
const labels = tf.tensor1d([0, 0, 0, 0, 1, 1, 1, 1], "int32");
const predicted = tf.tensor1d([0, 0, 0, 1, 1, 1, 1, 1], "int32");
const matrix = tf.math.confusionMatrix(labels, predicted, 2);
show("confusion matrix by its rows", matrix, matrix.sum(1, true));
show("correct by all", tf.equal(labels, predicted).sum(), tf.onesLike(labels).sum());
const image = tf.tensor1d([0, 64, 128, 200], "int32");
show("an image by its maximum", image, image.max());
show("an image by the number 200", image, 200);
JS

# Correct would be the same numbers in both columns.
cat > seen.txt <<'TXT'
divided: confusion matrix by its rows: 0.00 0.00 0.00 1.00, of floats 0.75 0.25 0.00 1.00
divided: correct by all: 0.00, of floats 0.88
divided: an image by its maximum: 0.00 0.00 0.00 1.00, of floats 0.00 0.32 0.64 1.00
divided: an image by the number 200: 0.00 0.32 0.64 1.00, of floats 0.00 0.32 0.64 1.00
TXT
node run.js 2> errors.txt | grep "^divided" > now.txt || { cat errors.txt; exit 1; }
diff seen.txt now.txt && echo "TensorFlow.js 4.22.0 still rounds rates down:" && cat now.txt
