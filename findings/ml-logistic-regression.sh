#!/usr/bin/env bash
# ml-logistic-regression 2.0.0: a model has no intercept, so a feature that is never negative, such as a confidence, cannot separate two
# classes: all images get the same. Classes count from 0, whatever the labels are, so with labels 1 and 2 no image is ever predicted as 2.
# Nothing is reported, and the documentation mentions neither.
# Until it changes: add a column of ones to the features, and renumber the labels from 0, as in the last line of the output.
set -euo pipefail
dir="$(mktemp -d)"
trap 'rm -rf "$dir"' EXIT
cd "$dir"
npm install --silent --no-audit --no-fund --ignore-scripts ml-logistic-regression@2.0.0 ml-matrix@6.15.1

cat > run.cjs <<'JS'
const { Matrix } = require("ml-matrix");
const LogisticRegression = require("ml-logistic-regression");

const confidences = [0.3, 0.35, 0.4, 0.45, 0.5, 0.8, 0.85, 0.9, 0.95, 1]; // the first five are wrong predictions
const classes = confidences.map((confidence) => Number(confidence > 0.6));

function show(title, features, labels) {
  const model = new LogisticRegression({ numSteps: 20000, learningRate: 0.1 });
  model.train(new Matrix(features), Matrix.columnVector(labels));
  console.log(`${title}: labels ${labels.join(" ")}, predictions ${model.predict(new Matrix(features)).join(" ")}`);
}

const [plain, withOnes] = [confidences.map((x) => [x]), confidences.map((x) => [x, 1])];
show("one feature", plain, classes);
show("with ones, from 1", withOnes, classes.map((label) => label + 1));
show("with ones, from 0", withOnes, classes);
JS

# Correct would be the labels as predictions in each line.
cat > seen.txt <<'TXT'
one feature: labels 0 0 0 0 0 1 1 1 1 1, predictions 1 1 1 1 1 1 1 1 1 1
with ones, from 1: labels 1 1 1 1 1 2 2 2 2 2, predictions 1 1 1 1 1 1 1 1 1 1
with ones, from 0: labels 0 0 0 0 0 1 1 1 1 1, predictions 0 0 0 0 0 1 1 1 1 1
TXT
node run.cjs > now.txt 2> errors.txt || { cat errors.txt; exit 1; }
diff seen.txt now.txt && echo "ml-logistic-regression 2.0.0 still predicts so:" && cat now.txt
