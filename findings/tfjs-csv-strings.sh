#!/usr/bin/env bash
# TensorFlow.js 4.22.0: tf.data.csv turns each value that JavaScript can read as a number into one, also in quotes and in a column
# that is configured as dtype "string". Names such as 007, 1e5 and 0x10 become 7, 100000 and 16, a space becomes 0, and a table of
# file names or classes no longer fits its folder. A column of one class of digits among words has both numbers and strings.
# Until it changes: read the file with another package.
set -euo pipefail
dir="$(mktemp -d)"
trap 'rm -rf "$dir"' EXIT
cd "$dir"
npm install --silent --no-audit --no-fund --ignore-scripts @tensorflow/tfjs@4.22.0

cat > faces.csv <<'CSV'
person,label
"007",1e5
"0x10",happy
" ",sad
CSV
cat > run.js <<'JS'
const tf = require("@tensorflow/tfjs");
const string = { dtype: "string" };
const rows = tf.data.csv(`file://${__dirname}/faces.csv`, { columnConfigs: { person: string, label: string } });
rows.forEachAsync((row) => console.log(JSON.stringify(row)));
JS

# Correct would be strings: "007", "1e5", "0x10" and " ".
cat > seen.txt <<'TXT'
{"person":7,"label":100000}
{"person":16,"label":"happy"}
{"person":0,"label":"sad"}
TXT
node run.js 2> errors.txt | grep "^{" > now.txt || { cat errors.txt; exit 1; }
diff seen.txt now.txt && echo "TensorFlow.js 4.22.0 still reads strings as numbers:" && cat now.txt
