#!/usr/bin/env bash
# scikitjs 1.24.0 (scikit-learn for TensorFlow.js): rocAucScore is the area of a polygon of labels and scores in the order of the rows. A
# perfect ranking may get 0.5 or 0.45, and the order of the images changes the result. predict of GaussianNB returns the position of a
# class instead of its label, so labels such as 1 and 3 become 0 and 1, and predictProba returns densities, which do not add up to 1.
# Until it changes: compute the AUC as the share of pairs that are ranked right, as in the last column of the output, and look up labels.
set -euo pipefail
dir="$(mktemp -d)"
trap 'rm -rf "$dir"' EXIT
cd "$dir"
npm install --silent --no-audit --no-fund --ignore-scripts scikitjs@1.24.0 @tensorflow/tfjs@4.22.0

cat > run.cjs <<'JS'
const tf = require("@tensorflow/tfjs");
const sk = require("scikitjs");
sk.setBackend(tf);

function pairs(labels, scores) {
  let [count, right] = [0, 0];
  labels.forEach((a, i) => {
    labels.forEach((b, j) => {
      if (a === 1 && b === 0) {
        count++;
        right += scores[i] > scores[j] ? 1 : scores[i] === scores[j] ? 0.5 : 0;
      }
    });
  });
  return right / count;
}

const rows = { "perfect ranking": [[0, 0, 1, 1], [0.1, 0.2, 0.8, 0.9]], "the same rows, mixed": [[0, 1, 0, 1], [0.1, 0.9, 0.2, 0.8]] };
rows["example of scikit-learn"] = [[0, 0, 1, 1], [0.1, 0.4, 0.35, 0.8]];
for (const [title, [labels, scores]] of Object.entries(rows)) {
  console.log(`AUC, ${title}: ${sk.metrics.rocAucScore(labels, scores).toFixed(3)}, right pairs ${pairs(labels, scores).toFixed(3)}`);
}

(async () => {
  const x = [[0], [1], [2], [10], [11], [12]];
  for (const Model of [sk.GaussianNB, sk.KNeighborsClassifier]) {
    const model = new Model({ nNeighbors: 3 });
    await model.fit(x, [1, 1, 1, 3, 3, 3]);
    const sums = model.predictProba([[1], [11]]).sum(1).arraySync();
    console.log(`${Model.name}: classes ${model.predict([[1], [11]]).arraySync()}, sums of probabilities ${sums.map((sum) => sum.toFixed(2))}`);
  }
})();
JS

# Correct would be the same numbers in both columns, classes 1,3 and sums of 1.
cat > seen.txt <<'TXT'
AUC, perfect ranking: 0.500, right pairs 1.000
AUC, the same rows, mixed: 0.450, right pairs 1.000
AUC, example of scikit-learn: 0.375, right pairs 0.750
GaussianNB: classes 0,1, sums of probabilities 0.49,0.49
KNeighborsClassifier: classes 1,3, sums of probabilities 1.00,1.00
TXT
node run.cjs 2> errors.txt | grep -E "^(AUC|GaussianNB|KNeighbors)" > now.txt || { cat errors.txt; exit 1; }
diff seen.txt now.txt && echo "scikitjs 1.24.0 still computes them so:" && cat now.txt
