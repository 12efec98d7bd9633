#!/usr/bin/env bash
# danfojs 1.2.0: sortValues compares with ">", which is false for NaN on both sides. A single missing value leaves rows before
# and after it in the wrong order, without a warning. Sorting runs by an accuracy that one run lacks gives a wrong winner.
# Until it changes: drop the missing rows (dropNa) before sorting.
set -euo pipefail
dir="$(mktemp -d)"
trap 'rm -rf "$dir"' EXIT
cd "$dir"
echo '{"private": true, "dependencies": {"danfojs": "1.2.0"}, "overrides": {"xlsx": "0.18.5"}}' > package.json
npm install --silent --no-audit --no-fund --ignore-scripts

cat > run.js <<'JS'
const { DataFrame } = require("danfojs");
const runs = new DataFrame({ run: ["a", "b", "c", "d"], accuracy: [0.61, NaN, 0.58, 0.71] });
const order = (frame) => frame.sortValues("accuracy", { ascending: false }).column("run").values.join(" ");
console.log("runs:", order(runs));
console.log("runs without the missing value:", order(runs.dropNa()));
JS

# Correct would be d, a, c, with b at either end.
cat > seen.txt <<'TXT'
runs: a b d c
runs without the missing value: d a c
TXT
node run.js 2> errors.txt | grep "^runs" > now.txt || { cat errors.txt; exit 1; }
diff seen.txt now.txt && echo "danfojs 1.2.0 still sorts wrongly around a missing value:" && cat now.txt
