#!/usr/bin/env bash
# apache-arrow 21.2.0 (JavaScript): a column as an array has other numbers than the column. toArray returns what is stored: 0 for a
# missing number, and the bits of a float16 as an integer, so a run without an accuracy has the accuracy 0, and the largest number may be
# the most negative one. Decimals lose their point, in toArray and one by one: 0.10 becomes "10". Nothing is reported.
# Until it changes: read values one by one, as in the last column of the output, and write decimals as float64.
set -euo pipefail
dir="$(mktemp -d)"
trap 'rm -rf "$dir"' EXIT
cd "$dir"
npm install --silent --no-audit --no-fund --ignore-scripts apache-arrow@21.2.0
python3 -m venv v
v/bin/pip install --quiet --disable-pip-version-check pyarrow==26.0.1 numpy==2.4.6

cat > run.py <<'PY'
from decimal import Decimal

import numpy as np
import pyarrow as pa

table = pa.table({
    "accuracy": pa.array([0.7, None, 0.9]),
    "images": pa.array([1000, None, 3000], pa.int32()),
    "logits": pa.array(np.array([-1, 0.5, 2], np.float16)),
    "price": pa.array([Decimal("0.10"), Decimal("1.25"), None]),
})
with pa.OSFile("table.arrow", "wb") as file, pa.ipc.new_file(file, table.schema) as writer:
    writer.write_table(table)
PY
cat > run.js <<'JS'
const { readFileSync } = require("node:fs");
const { tableFromIPC } = require("apache-arrow");
const table = tableFromIPC(readFileSync("table.arrow"));
for (const { name } of table.schema.fields) {
  const column = table.getChild(name);
  const array = name === "price" ? "" : ` toArray ${Array.from(column.toArray()).join(" ")},`;
  console.log(`${name}:${array} one by one ${Array.from(column, (value) => value ?? "none").join(" ")}`);
}
JS

# Correct would be 0.7 none 0.9, 1000 none 3000, -1 0.5 2 and 0.10 1.25 none.
cat > seen.txt <<'TXT'
accuracy: toArray 0.7 0 0.9, one by one 0.7 none 0.9
images: toArray 1000 0 3000, one by one 1000 none 3000
logits: toArray 48128 14336 16384, one by one -1 0.5 2
price: one by one 10 125 none
TXT
v/bin/python run.py && node run.js 2> errors.txt | grep ": " > now.txt || { cat errors.txt; exit 1; }
diff seen.txt now.txt && echo "apache-arrow 21.2.0 still returns what is stored:" && cat now.txt
