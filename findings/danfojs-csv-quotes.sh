#!/usr/bin/env bash
# danfojs 1.2.0: toCSV writes values as they are. A comma inside a value becomes a separator, so the row has a cell too many, and
# other readers shift its columns or refuse the file. A quote or a line break inside a value breaks the file as well.
# Until it changes: write CSV with another package, or JSON with toJSON.
set -euo pipefail
dir="$(mktemp -d)"
trap 'rm -rf "$dir"' EXIT
cd "$dir"
echo '{"private": true, "dependencies": {"danfojs": "1.2.0"}, "overrides": {"xlsx": "0.18.5"}}' > package.json
npm install --silent --no-audit --no-fund --ignore-scripts

cat > run.js <<'JS'
const { DataFrame, toCSV } = require("danfojs");
process.stdout.write(`${toCSV(new DataFrame({ file: ["tired, sad.jpg", "glad.jpg"], label: [1, 2] })).trim()}\n`);
JS

# Correct would be "tired, sad.jpg",1 with quotes.
cat > seen.txt <<'TXT'
file,label
tired, sad.jpg,1
glad.jpg,2
TXT
node run.js 2> errors.txt | grep , > now.txt || { cat errors.txt; exit 1; }
diff seen.txt now.txt && echo "danfojs 1.2.0 still writes CSV without quotes:" && cat now.txt
