#!/usr/bin/env bash
# TensorFlow.js 4.22.0: the metric "precision" counts a prediction only if it is exactly 1, where Keras counts all above 0.5. A
# classifier that is right and sure, but not to the last bit, has a precision of 0. With sigmoids that saturate, the number rises from
# 0 during training and looks like learning. tf.metrics.precision and recall are the same.
# Until it changes: compute precision from rounded predictions, as in the last column of the output.
set -euo pipefail
dir="$(mktemp -d)"
trap 'rm -rf "$dir"' EXIT
cd "$dir"
npm install --silent --no-audit --no-fund --ignore-scripts @tensorflow/tfjs@4.22.0

cat > run.js <<'JS'
const tf = require("@tensorflow/tfjs");
const model = tf.sequential({ layers: [tf.layers.dense({ units: 1, inputShape: [1], activation: "sigmoid" })] });
model.compile({ optimizer: "sgd", loss: "binaryCrossentropy", metrics: ["accuracy", "precision"] });
const inputs = tf.tensor2d([[1], [1], [1], [-1], [-1]]);
const labels = tf.tensor2d([[1], [1], [0], [0], [0]]);
for (const slope of [4, 40]) {
  model.setWeights([tf.tensor2d([[slope]]), tf.tensor1d([0])]);
  const [, accuracy, precision] = model.evaluate(inputs, labels).map((value) => value.dataSync()[0].toFixed(2));
  const sure = model.predict(tf.tensor2d([[1]])).dataSync()[0];
  const rounded = tf.metrics.precision(labels, model.predict(inputs).round()).dataSync()[0].toFixed(2);
  console.log(`predicted ${sure.toFixed(2)}: accuracy ${accuracy}, precision ${precision}, of rounded predictions ${rounded}`);
}
JS

# Correct would be a precision of 0.67 in both lines.
cat > seen.txt <<'TXT'
predicted 0.98: accuracy 0.80, precision 0.00, of rounded predictions 0.67
predicted 1.00: accuracy 0.80, precision 0.67, of rounded predictions 0.67
TXT
node run.js 2> errors.txt | grep "^predicted" > now.txt || { cat errors.txt; exit 1; }
diff seen.txt now.txt && echo "TensorFlow.js 4.22.0 still counts predictions of exactly 1:" && cat now.txt
