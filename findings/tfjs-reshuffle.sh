#!/usr/bin/env bash
# TensorFlow.js 4.22.0: a tf.data.Dataset that is shuffled with reshuffleEachIteration = false still has another order in each iteration. So
# take and skip of it, the usual way to split once, overlap: images of the validation set are trained on, others are never used, and
# both sets change in every epoch. tf.data of TensorFlow keeps the order.
# Until it changes: shuffle the array (tf.util.shuffle) before tf.data.array, as in the last line of the output.
set -euo pipefail
dir="$(mktemp -d)"
trap 'rm -rf "$dir"' EXIT
cd "$dir"
npm install --silent --no-audit --no-fund --ignore-scripts @tensorflow/tfjs@4.22.0

cat > run.js <<'JS'
const tf = require("@tensorflow/tfjs");

const COUNT = 1000;
const numbers = () => Array.from({ length: COUNT }, (_, i) => i);

async function show(title, dataset) {
  const [validation, train, again] = [dataset.take(200), dataset.skip(200), dataset.take(200)];
  const [a, b, c] = (await Promise.all([validation, train, again].map((part) => part.toArray()))).map((part) => new Set(part));
  const shared = [...a].filter((value) => b.has(value)).length;
  const same = [...a].filter((value) => c.has(value)).length;
  console.log(`${title}: of 200 validation images, ${shared} are trained on, and ${same} validate the next epoch, too`);
}

async function main() {
  await show("dataset, shuffled each time", tf.data.array(numbers()).shuffle(COUNT, "seed", true));
  await show("dataset, shuffled once", tf.data.array(numbers()).shuffle(COUNT, "seed", false));
  const order = numbers();
  tf.util.shuffle(order);
  await show("dataset of a shuffled array", tf.data.array(order));
}
main();
JS

# Correct would be 0 and 200 in the last two lines.
cat > seen.txt <<'TXT'
dataset, shuffled each time: of 200 validation images, 150 are trained on, and 33 validate the next epoch, too
dataset, shuffled once: of 200 validation images, 156 are trained on, and 48 validate the next epoch, too
dataset of a shuffled array: of 200 validation images, 0 are trained on, and 200 validate the next epoch, too
TXT
node run.js 2> errors.txt | grep "^dataset" > now.txt || { cat errors.txt; exit 1; }
diff seen.txt now.txt && echo "TensorFlow.js 4.22.0 still shuffles each time:" && cat now.txt
