#!/usr/bin/env bash
# ml-naivebayes 4.0.0: GaussianNB predicts from the first two features only, however many there are, so classes that differ in the others are
# guessed. Images far from all classes are of class -1, because a probability becomes 0. Nothing is reported.
# Until it changes: use GaussianNB of scikit-learn, or another classifier, such as ml-knn.
set -euo pipefail
dir="$(mktemp -d)"
trap 'rm -rf "$dir"' EXIT
cd "$dir"
npm install --silent --no-audit --no-fund --ignore-scripts ml-naivebayes@4.0.0

cat > run.js <<'JS'
const { GaussianNB } = require("ml-naivebayes");
let state = 1;
const noise = () => (state = (state * 16807) % 2147483647) / 2147483647;
const labels = Array.from({ length: 400 }, (_, i) => i % 4);

/** Trains with features of which one is 10 times the label, plus noise, and returns the accuracy on the same images. */
function accuracy(numFeatures, telling) {
  const features = labels.map((label) => Array.from({ length: numFeatures }, (_, j) => noise() + (j === telling ? 10 * label : 0)));
  const model = new GaussianNB();
  model.train(features, labels);
  return model.predict(features).filter((label, i) => label === labels[i]).length / labels.length;
}
for (const telling of [0, 1, 2, 3]) {
  const result = accuracy(4, telling);
  console.log(`classes differ in feature ${telling} of 4: ${result === 1 ? "all right" : result < 0.4 ? "guessed" : result}`);
}
const model = new GaussianNB();
model.train(labels.map((label) => [10 * label + noise(), noise()]), labels);
console.log(`an image far from class 3, the nearest: ${model.predict([[60, 0.5]])}`);
JS

# Correct would be "all right" four times, and 3.
cat > seen.txt <<'TXT'
classes differ in feature 0 of 4: all right
classes differ in feature 1 of 4: all right
classes differ in feature 2 of 4: guessed
classes differ in feature 3 of 4: guessed
an image far from class 3, the nearest: -1
TXT
node run.js > now.txt
diff seen.txt now.txt && echo "ml-naivebayes 4.0.0 still uses two features:" && cat now.txt
