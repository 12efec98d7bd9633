#!/usr/bin/env bash
# danfojs 1.2.0: a series of integers stays int32 when it is divided or scaled, although its values have fractions. They print and
# average correctly, but its tensor cuts them off: pixels divided by 255 become 0 or 1 once they reach TensorFlow.js. A series that
# begins with integers, such as confidences of 1, counts as int32 too, and loses all later fractions. Nothing is reported.
# Until it changes: make the tensor from the values, as in the last column of the output.
set -euo pipefail
dir="$(mktemp -d)"
trap 'rm -rf "$dir"' EXIT
cd "$dir"
echo '{"private": true, "dependencies": {"danfojs": "1.2.0"}, "overrides": {"xlsx": "0.18.5"}}' > package.json
npm install --silent --no-audit --no-fund --ignore-scripts

cat > run.js <<'JS'
const { Series, tensorflow } = require("danfojs");
const show = (title, series) => {
  const tensors = [series.tensor, tensorflow.tensor1d(series.values)];
  const means = tensors.map((tensor) => tensor.mean().dataSync()[0].toFixed(2));
  console.log(`series of ${title}: mean ${series.mean().toFixed(2)}, of its tensor ${means[0]}, of a tensor of its values ${means[1]}`);
};

const pixels = new Series([0, 50, 100, 150, 200, 250]);
show("pixels divided by 255", pixels.div(255));
show("pixels times 0.001", pixels.mul(0.001));
show("pixels divided by 255 with apply", pixels.apply((pixel) => pixel / 255));
const confidences = Array.from({ length: 40 }, (_, i) => (i < 20 ? 1 : 0.9));
show("confidences, 20 of 1 first", new Series(confidences));
show("confidences, 20 of 0.9 first", new Series(confidences.reverse()));
JS

# Correct would be three equal means in each line.
cat > seen.txt <<'TXT'
series of pixels divided by 255: mean 0.49, of its tensor 0.00, of a tensor of its values 0.49
series of pixels times 0.001: mean 0.13, of its tensor 0.00, of a tensor of its values 0.13
series of pixels divided by 255 with apply: mean 0.49, of its tensor 0.49, of a tensor of its values 0.49
series of confidences, 20 of 1 first: mean 0.95, of its tensor 0.50, of a tensor of its values 0.95
series of confidences, 20 of 0.9 first: mean 0.95, of its tensor 0.95, of a tensor of its values 0.95
TXT
node run.js 2> errors.txt | grep "^series" > now.txt || { cat errors.txt; exit 1; }
diff seen.txt now.txt && echo "danfojs 1.2.0 still cuts off fractions:" && cat now.txt
