#!/usr/bin/env bash
# Vega 6.4.0 with Vega-Lite 6.5.0: a density counts missing values (null) as 0. Confidences of 0.8 to 1 get a second peak at 0, and
# their own peak is lower, while the mean, the median and the histogram of the same data leave missing values out. Altair draws
# densities with it, too. Known since 2020: vega/vega issue 2717.
# Until it changes: filter before, as in the last column of the output: {"filter": "isValid(datum.confidence)"}.
set -euo pipefail
dir="$(mktemp -d)"
trap 'rm -rf "$dir"' EXIT
cd "$dir"
npm install --silent --no-audit --no-fund --ignore-scripts vega@6.4.0 vega-lite@6.5.0

cat > run.mjs <<'JS'
import { View, parse } from "vega";
import { compile } from "vega-lite";

const present = [0.8, 0.82, 0.85, 0.86, 0.88, 0.9, 0.91, 0.93, 0.95, 0.97].map((confidence) => ({ confidence }));
const values = [...present, ...Array(5).fill({ confidence: null })];
const valid = { filter: "isValid(datum.confidence)" };

async function rows(transform, encoding) {
  const view = new View(parse(compile({ data: { values }, transform, mark: "area", encoding }).spec), { renderer: "none" });
  await view.runAsync();
  return view.data("data_0");
}

const axes = { x: { field: "value", type: "quantitative" }, y: { field: "density", type: "quantitative" } };
const density = { density: "confidence", extent: [0, 1], steps: 20 };
const [all, filtered] = [await rows([density], axes), await rows([valid, density], axes)];
for (const at of [0, 0.5, 0.9]) {
  const [a, b] = [all, filtered].map((found) => found.find(({ value }) => Math.abs(value - at) < 1e-9).density.toFixed(1));
  console.log(`density at ${at}: ${a}, filtered ${b}`);
}
const aggregate = [{ aggregate: [{ op: "mean", field: "confidence", as: "value" }, { op: "min", field: "confidence", as: "density" }] }];
const [{ value, density: min }] = await rows(aggregate, axes);
console.log(`mean ${value.toFixed(2)}, minimum ${min}`);
JS

# Correct would be the same densities in both columns.
cat > seen.txt <<'TXT'
density at 0: 4.0, filtered 0.0
density at 0.5: 0.0, filtered 0.0
density at 0.9: 3.8, filtered 5.6
mean 0.89, minimum 0.8
TXT
node run.mjs > now.txt 2> errors.txt || { cat errors.txt; exit 1; }
diff seen.txt now.txt && echo "Vega 6.4.0 still draws missing values at 0:" && cat now.txt
