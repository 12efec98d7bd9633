#!/usr/bin/env bash
# danfojs 1.2.0: append ignores the names of columns. Rows that have the same columns in another order go under the wrong names: the
# loss of a run becomes its accuracy. Sums of two columns go by position as well, also after sorting, where each row has kept its label.
# pandas goes by names and labels in both. Nothing is reported.
# Until it changes: join tables with concat, which goes by names, as in the second line, and reset the index of both before a sum.
set -euo pipefail
dir="$(mktemp -d)"
trap 'rm -rf "$dir"' EXIT
cd "$dir"
# danfojs asks for a package from outside the registry; the registry's version does as well.
echo '{"private": true, "dependencies": {"danfojs": "1.2.0"}, "overrides": {"xlsx": "0.18.5"}}' > package.json
npm install --silent --no-audit --no-fund --ignore-scripts
python3 -m venv v
v/bin/pip install --quiet --disable-pip-version-check pandas==3.1.1 numpy==2.4.6

cat > run.js <<'JS'
const { DataFrame, concat } = require("danfojs");
const first = () => new DataFrame({ run: ["a"], loss: [0.5], accuracy: [0.9] });
const second = new DataFrame({ run: ["b"], accuracy: [0.8], loss: [0.6] });
const show = (title, frame) => console.log(`danfojs, ${title}: ${frame.columns.join(" ")} = ${frame.iloc({ rows: [1] }).values[0].join(" ")}`);
show("append", first().append(second, [1]));
show("concat", concat({ dfList: [first(), second], axis: 0 }));
const before = new DataFrame({ accuracy: [0.5, 0.7, 0.6] });
const sorted = before.sortValues("accuracy");
const gain = sorted.accuracy.sub(before.accuracy);
console.log(`danfojs, gain of each run over itself: ${gain.values.map((value) => value.toFixed(1)).join(" ")}`);
JS
cat > run.py <<'PY'
import pandas as pd

first = pd.DataFrame({"run": ["a"], "loss": [0.5], "accuracy": [0.9]})
second = pd.DataFrame({"run": ["b"], "accuracy": [0.8], "loss": [0.6]})
both = pd.concat([first, second])
print("pandas, concat:", *both.columns, "=", *both.iloc[1])
before = pd.DataFrame({"accuracy": [0.5, 0.7, 0.6]})
gain = before.sort_values("accuracy").accuracy - before.accuracy
print("pandas, gain of each run over itself:", *(f"{value:.1f}" for value in gain))
PY

# Correct would be a loss of 0.6 and an accuracy of 0.8, and gains of 0, as in pandas.
cat > seen.txt <<'TXT'
danfojs, append: run loss accuracy = b 0.8 0.6
danfojs, concat: run loss accuracy = b 0.6 0.8
danfojs, gain of each run over itself: 0.0 -0.1 0.1
pandas, concat: run loss accuracy = b 0.6 0.8
pandas, gain of each run over itself: 0.0 0.0 0.0
TXT
{ node run.js && v/bin/python run.py; } 2> errors.txt | grep -E "^(danfojs|pandas)," > now.txt || { cat errors.txt; exit 1; }
diff seen.txt now.txt && echo "danfojs 1.2.0 still goes by position:" && cat now.txt
