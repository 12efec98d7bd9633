#!/usr/bin/env bash
# ml-roc-multiclass 0.2.0: getAuc turns each AUC below 0.5 around. Scores that rank all images the wrong way have an AUC of 1, and guesses
# on 10 images have 0.66 on average instead of 0.50, so a small test set or a fold seems to show that a network has learned something.
# Its documentation does not say so.
# Until it changes: count the pairs that are ranked right, as in the last column of the output.
set -euo pipefail
dir="$(mktemp -d)"
trap 'rm -rf "$dir"' EXIT
cd "$dir"
npm install --silent --no-audit --no-fund --ignore-scripts ml-roc-multiclass@0.2.0

cat > run.mjs <<'JS'
import { getAuc, getRocCurve } from "ml-roc-multiclass";

let state = 1;
function random() {
  state = (state * 16807) % 2147483647;
  return state / 2147483647;
}

function pairs(labels, scores) {
  const [low, high] = ["neutral", "smile"].map((name) => scores.filter((_, i) => labels[i] === name));
  return high.flatMap((a) => low.map((b) => Number(a > b))).reduce((sum, right) => sum + right, 0) / (low.length * high.length);
}

function show(title, labels, rows) {
  const both = [(scores) => getAuc(getRocCurve(labels, scores)), (scores) => pairs(labels, scores)];
  const [a, b] = both.map((auc) => (rows.reduce((sum, scores) => sum + auc(scores), 0) / rows.length).toFixed(2));
  console.log(`${title}: ${a}, by pairs ${b}`);
}

const labels = (count) => Array.from({ length: count }, (_, i) => (i < count / 2 ? "neutral" : "smile"));
show("all right", labels(4), [[0.1, 0.2, 0.8, 0.9]]);
show("all wrong", labels(4), [[0.9, 0.8, 0.2, 0.1]]);
for (const count of [10, 100]) {
  show(`guesses on ${count} images, mean of 1,000`, labels(count), Array.from({ length: 1000 }, () => labels(count).map(random)));
}
JS

# Correct would be the same numbers in both columns.
cat > seen.txt <<'TXT'
all right: 1.00, by pairs 1.00
all wrong: 1.00, by pairs 0.00
guesses on 10 images, mean of 1,000: 0.66, by pairs 0.51
guesses on 100 images, mean of 1,000: 0.55, by pairs 0.50
TXT
node run.mjs > now.txt 2> errors.txt || { cat errors.txt; exit 1; }
diff seen.txt now.txt && echo "ml-roc-multiclass 0.2.0 still turns them around:" && cat now.txt
