#!/usr/bin/env bash
# danfojs 1.2.0: a changed copy changes the frame that it was made from. copy is documented as deep but shares the rows, so a column
# that is assigned in the copy is assigned in both. fillNa with columns fills the frame itself, although inplace is false unless given
# (known: javascriptdata/danfojs issue 611). Then the rows of the frame, which are printed, saved, sorted and grouped, and its columns
# disagree: a mean may be of either. Nothing is reported.
# Until it changes: build the copy from the values, as in the last line of the output.
set -euo pipefail
dir="$(mktemp -d)"
trap 'rm -rf "$dir"' EXIT
cd "$dir"
echo '{"private": true, "dependencies": {"danfojs": "1.2.0"}, "overrides": {"xlsx": "0.18.5"}}' > package.json
npm install --silent --no-audit --no-fund --ignore-scripts

cat > run.js <<'JS'
const { DataFrame } = require("danfojs");
const build = () => new DataFrame({ run: ["a", "b", "c"], accuracy: [0.8, NaN, 0.9] });

function show(title, change) {
  const runs = build();
  change(runs);
  const rows = runs.values.map((row) => row[1]);
  console.log(`${title}: rows of the frame ${rows.join(" ")}, its column ${runs.column("accuracy").values.join(" ")}`);
}

show("fillNa without columns", (runs) => runs.fillNa(0));
show("fillNa with columns", (runs) => runs.fillNa([0], { columns: ["accuracy"] }));
show("percent in a copy", (runs) => {
  const percent = runs.copy();
  percent.addColumn("accuracy", percent.column("accuracy").mul(100), { inplace: true });
});
show("percent in a copy of the values", (runs) => {
  const percent = new DataFrame(structuredClone(runs.values), { columns: runs.columns });
  percent.addColumn("accuracy", percent.column("accuracy").mul(100), { inplace: true });
});
JS

# Correct would be 0.8 NaN 0.9 everywhere.
cat > seen.txt <<'TXT'
fillNa without columns: rows of the frame 0.8 NaN 0.9, its column 0.8 NaN 0.9
fillNa with columns: rows of the frame 0.8 0 0.9, its column 0.8 NaN 0.9
percent in a copy: rows of the frame 80 NaN 90, its column 0.8 NaN 0.9
percent in a copy of the values: rows of the frame 0.8 NaN 0.9, its column 0.8 NaN 0.9
TXT
node run.js 2> errors.txt | grep "rows of the frame" > now.txt || { cat errors.txt; exit 1; }
diff seen.txt now.txt && echo "danfojs 1.2.0 still changes the original:" && cat now.txt
