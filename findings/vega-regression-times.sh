#!/usr/bin/env bash
# Vega 6.4.0: a regression over times loses its slope. Means of times of today (1.8e12 ms) are rounded, and the errors are multiplied by
# the distances, so a trend over a log with a row per second is nearly flat: an accuracy that rises from 0.5 to 0.7 is drawn as rising
# from 0.58 to 0.62, and flat with method "log". Vega-Lite and Altair draw it with Vega. Nothing is reported.
# Until it changes: subtract the first time (seconds since the start), as in the last column of the output, or use "quad".
set -euo pipefail
dir="$(mktemp -d)"
trap 'rm -rf "$dir"' EXIT
cd "$dir"
npm install --silent --no-audit --no-fund --ignore-scripts vega@6.4.0

cat > run.mjs <<'JS'
import { View, parse } from "vega";

async function ends(values, method) {
  const lines = { name: "lines", source: "rows", transform: [{ type: "regression", method, x: "time", y: "accuracy" }] };
  const view = new View(parse({ data: [{ name: "rows", values }, lines] }), { renderer: "none" });
  await view.runAsync();
  const line = view.data("lines");
  return `${line[0].accuracy.toFixed(2)} to ${line[line.length - 1].accuracy.toFixed(2)}`;
}

const start = Date.UTC(2026, 10, 28);
for (const seconds of [0.1, 1, 10]) {
  const rows = Array.from({ length: 101 }, (_, i) => ({ time: start + i * seconds * 1000, accuracy: 0.5 + 0.002 * i }));
  const fromStart = rows.map(({ time, accuracy }) => ({ time: (time - start) / 1000, accuracy }));
  const times = [await ends(rows, "linear"), await ends(rows, "log"), await ends(rows, "quad")];
  console.log(`a row every ${seconds} s: linear ${times[0]}, log ${times[1]}, quad ${times[2]}, from the start ${await ends(fromStart, "linear")}`);
}
JS

# Correct would be 0.50 to 0.70 everywhere.
cat > seen.txt <<'TXT'
a row every 0.1 s: linear 0.60 to 0.60, log 0.60 to 0.60, quad 0.50 to 0.70, from the start 0.50 to 0.70
a row every 1 s: linear 0.58 to 0.62, log 0.60 to 0.60, quad 0.50 to 0.70, from the start 0.50 to 0.70
a row every 10 s: linear 0.50 to 0.70, log 0.60 to 0.60, quad 0.50 to 0.70, from the start 0.50 to 0.70
TXT
node run.mjs 2> errors.txt | grep "^a row" > now.txt || { cat errors.txt; exit 1; }
diff seen.txt now.txt && echo "Vega 6.4.0 still flattens trends over times:" && cat now.txt
