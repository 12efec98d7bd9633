#!/usr/bin/env bash
# jStat 1.9.6: ztest(value, array) does not divide by the square root of the number of values, unlike ttest, which is documented in the same
# words. Its p-value is the same for 6 accuracies and for 6,000, so it finds no difference that is less than two standard deviations, however
# many runs there are. Until it changes: use ttest, or call ztest(value, mean, deviation / Math.sqrt(n)).
set -euo pipefail
dir="$(mktemp -d)"
trap 'rm -rf "$dir"' EXIT
cd "$dir"
npm install --silent --no-audit --no-fund --ignore-scripts jstat@1.9.6

cat > run.js <<'JS'
const { jStat } = require("jstat");
const runs = [0.61, 0.62, 0.62, 0.64, 0.67, 0.63];
for (const times of [1, 10, 1000]) {
  const accuracies = Array.from({ length: times }, () => runs).flat();
  const n = accuracies.length;
  const right = jStat.ztest(0.62, jStat.mean(accuracies), jStat.stdev(accuracies) / Math.sqrt(n), 2);
  const [z, t] = [jStat.ztest(0.62, accuracies, 2), jStat.ttest(0.62, accuracies, 2)];
  console.log(`${n} accuracies against 0.62: ztest ${z.toFixed(4)}, ttest ${t.toFixed(4)}, z-test of the mean ${right.toFixed(4)}`);
}
JS

# Correct would be p-values of ztest as in the last column.
cat > seen.txt <<'TXT'
6 accuracies against 0.62: ztest 0.5498, ttest 0.2387, z-test of the mean 0.1429
60 accuracies against 0.62: ztest 0.5498, ttest 0.0000, z-test of the mean 0.0000
6000 accuracies against 0.62: ztest 0.5498, ttest 0.0000, z-test of the mean 0.0000
TXT
node run.js > now.txt
diff seen.txt now.txt && echo "jStat 1.9.6 still ignores the number of values:" && cat now.txt
