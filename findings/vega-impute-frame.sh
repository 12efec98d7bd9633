#!/usr/bin/env bash
# Vega-Lite 6.5.0 with Vega 6.4.0: impute with a frame is meant to fill a gap from its neighbours. But the missing points are appended at
# the end of their group, and the frame counts rows: the accuracy of a missing epoch 2 is that of the last epoch. If two are missing, the
# first takes the last value, and the second none. Altair fills gaps with it, too. Nothing is reported.
# Until it changes: impute null, and compute the mean with a window that is sorted by the key, as in the last column of the output.
set -euo pipefail
dir="$(mktemp -d)"
trap 'rm -rf "$dir"' EXIT
cd "$dir"
npm install --silent --no-audit --no-fund --ignore-scripts vega@6.4.0 vega-lite@6.5.0

cat > run.mjs <<'JS'
import { View, parse } from "vega";
import { compile } from "vega-lite";

const rows = (run, accuracies) => accuracies.map((accuracy, i) => ({ run, epoch: i + 1, accuracy })).filter(({ accuracy }) => accuracy);
const values = [...rows("a", [0.3, 0, 0.5, 0.6, 0, 0.8]), ...rows("b", [0.3, 0.4, 0.5, 0.6, 0.7, 0.8])];
const axes = { x: { field: "epoch", type: "quantitative" }, y: { field: "accuracy", type: "quantitative" } };

async function imputed(transform) {
  const view = new View(parse(compile({ data: { values }, transform, mark: "line", encoding: axes }).spec), { renderer: "none" });
  await view.runAsync();
  return view.data("data_0").filter(({ run, epoch }) => run === "a" && [2, 5].includes(epoch));
}

const gap = { impute: "accuracy", key: "epoch", groupby: ["run"] };
const window = [{ op: "mean", field: "accuracy", as: "mean" }];
const framed = await imputed([{ ...gap, method: "mean", frame: [-1, 1] }]);
const sorted = await imputed([
  { ...gap, value: null },
  { window, groupby: ["run"], sort: [{ field: "epoch" }], frame: [-1, 1] },
  { calculate: "isValid(datum.accuracy) ? datum.accuracy : datum.mean", as: "accuracy" },
]);
for (const epoch of [2, 5]) {
  const [a, b] = [framed, sorted].map((found) => found.find((row) => row.epoch === epoch).accuracy);
  console.log(`epoch ${epoch}: ${a?.toFixed(2)}, sorted ${b?.toFixed(2)}`);
}
JS

# Correct would be 0.40 and 0.70 in both columns.
cat > seen.txt <<'TXT'
epoch 2: 0.80, sorted 0.40
epoch 5: undefined, sorted 0.70
TXT
node run.mjs > now.txt 2> errors.txt || { cat errors.txt; exit 1; }
diff seen.txt now.txt && echo "Vega-Lite 6.5.0 still takes other neighbours:" && cat now.txt
