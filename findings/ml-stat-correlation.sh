#!/usr/bin/env bash
# ml-stat 1.3.3: matrix.correlation returns covariances, so the correlation of a column with itself can be 167 or 0.001. matrix.zScores
# only subtracts the means, so distances between its rows are distances in the column with the largest numbers. Both give the arguments of
# standardDeviation in the wrong order. Nothing is reported.
# Until it changes: give the means and deviations to zScores, and divide the covariances, as in the last column of the output.
set -euo pipefail
dir="$(mktemp -d)"
trap 'rm -rf "$dir"' EXIT
cd "$dir"
npm install --silent --no-audit --no-fund --ignore-scripts ml-stat@1.3.3

cat > run.mjs <<'JS'
import stat from "ml-stat";

const runs = [[10, 0.61], [20, 0.66], [30, 0.65], [40, 0.69]]; // epochs and accuracies
const fixed = (value) => value.toFixed(3);
const { mean, standardDeviation, covariance, correlation, zScores } = stat.matrix;
const [means, deviations] = [mean(runs), standardDeviation(runs)];
const found = correlation(runs);
const expected = covariance(runs).map((row, i) => row.map((value, j) => value / deviations[i] / deviations[j]));
for (const [i, j] of [[0, 0], [0, 1], [1, 1]])
  console.log(`correlation of columns ${i} and ${j}: ${fixed(found[i][j])}, by definition ${fixed(expected[i][j])}`);
const [scores, given] = [zScores(runs), zScores(runs, means, deviations)];
for (const row of [0, 3]) console.log(`z-scores of row ${row}: ${scores[row].map(fixed)}, with deviations ${given[row].map(fixed)}`);
JS

# Correct would be the same numbers in both columns.
cat > seen.txt <<'TXT'
correlation of columns 0 and 0: 166.667, by definition 1.000
correlation of columns 0 and 1: 0.383, by definition 0.899
correlation of columns 1 and 1: 0.001, by definition 1.000
z-scores of row 0: -15.000,-0.042, with deviations -1.162,-1.286
z-scores of row 3: 15.000,0.037, with deviations 1.162,1.135
TXT
node run.mjs > now.txt 2> errors.txt || { cat errors.txt; exit 1; }
diff seen.txt now.txt && echo "ml-stat 1.3.3 still returns covariances:" && cat now.txt
