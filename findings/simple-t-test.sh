#!/usr/bin/env bash
# simple-statistics 7.12.1: tTest divides by the standard deviation of a population (n) instead of that of a sample (n - 1). With the
# accuracies of 3 runs, t is 22% too large, with 5 runs 12%, so a difference may look significant that is not. tTestTwoSample, SciPy and R
# divide by n - 1.
# Until it changes: multiply by the square root of (n - 1) / n, as in the last column of the output.
set -euo pipefail
dir="$(mktemp -d)"
trap 'rm -rf "$dir"' EXIT
cd "$dir"
npm install --silent --no-audit --no-fund --ignore-scripts simple-statistics@7.12.1

cat > run.mjs <<'JS'
import { mean, sampleStandardDeviation, tTest, tTestTwoSample } from "simple-statistics";

const BASELINE = 0.6645;
const runs = { 2: 4.303, 4: 2.776 }; // degrees of freedom: t at which p is 0.05
const accuracies = [0.668, 0.672, 0.674, 0.663, 0.671];
for (const [freedom, limit] of Object.entries(runs)) {
  const sample = accuracies.slice(0, Number(freedom) + 1);
  const expected = (mean(sample) - BASELINE) / (sampleStandardDeviation(sample) / Math.sqrt(sample.length));
  const t = tTest(sample, BASELINE);
  const corrected = t * Math.sqrt((sample.length - 1) / sample.length);
  const numbers = `t ${t.toFixed(2)}, by definition ${expected.toFixed(2)}, p is 0.05 at ${limit}, corrected ${corrected.toFixed(2)}`;
  console.log(`${sample.length} runs: ${numbers}`);
}
const [a, b] = [accuracies, [0.66, 0.665, 0.669, 0.662, 0.667]];
const pooled = Math.sqrt((sampleStandardDeviation(a) ** 2 + sampleStandardDeviation(b) ** 2) / 5);
console.log(`two samples: t ${tTestTwoSample(a, b).toFixed(2)}, by definition ${((mean(a) - mean(b)) / pooled).toFixed(2)}`);
JS

# Correct would be t by definition in each line.
cat > seen.txt <<'TXT'
3 runs: t 4.74, by definition 3.87, p is 0.05 at 4.303, corrected 3.87
5 runs: t 2.98, by definition 2.67, p is 0.05 at 2.776, corrected 2.67
two samples: t 1.99, by definition 1.99
TXT
node run.mjs > now.txt 2> errors.txt || { cat errors.txt; exit 1; }
diff seen.txt now.txt && echo "simple-statistics 7.12.1 still divides by n:" && cat now.txt
