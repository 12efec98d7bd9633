#!/usr/bin/env bash
# danfojs 1.2.0: grouping by two columns joins their values with "-". Different pairs with the same joined text become one group:
# ("no-glasses", "left") and ("no", "glasses-left"). There is no warning, and sums and means are those of the merged group.
# Until it changes: group by one column that you join yourself with a character that no value contains.
set -euo pipefail
dir="$(mktemp -d)"
trap 'rm -rf "$dir"' EXIT
cd "$dir"
# danfojs asks for a package from outside the registry; the registry's version does as well.
echo '{"private": true, "dependencies": {"danfojs": "1.2.0"}, "overrides": {"xlsx": "0.18.5"}}' > package.json
npm install --silent --no-audit --no-fund --ignore-scripts

cat > run.js <<'JS'
const { DataFrame } = require("danfojs");
const frame = new DataFrame({
  worn: ["no-glasses", "no", "glasses"],
  side: ["left", "glasses-left", "left"],
  images: [10, 200, 3000],
});
for (const row of frame.groupby(["worn", "side"]).col(["images"]).sum().values) console.log(row.join(", "));
JS

# Correct would be three groups: 10, 200 and 3000.
cat > seen.txt <<'TXT'
no-glasses, left, 210
glasses, left, 3000
TXT
node run.js 2> errors.txt | grep ", " > now.txt || { cat errors.txt; exit 1; }
diff seen.txt now.txt && echo "danfojs 1.2.0 still merges groups:" && cat now.txt
