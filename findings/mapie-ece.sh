#!/usr/bin/env bash
# MAPIE 1.6.0: the expected calibration error with the strategy "array split" depends on the order of the images. It splits the
# scores as they come, without sorting them, so that in random order nearly all images are in one bin, in which the errors of sure and
# unsure images cancel out. A network that is off by 0.2 everywhere then has an error near 0. With "uniform", 2 bins are 1 bin: there is a bin
# fewer than num_bins says. Until it changes: sort labels and scores by score before, and give "uniform" a bin more than wanted.
set -euo pipefail
dir="$(mktemp -d)"
trap 'rm -rf "$dir"' EXIT
cd "$dir"
python3 -m venv v
v/bin/pip install --quiet --disable-pip-version-check mapie==1.6.0 numpy==2.4.6

cat > run.py <<'PY'
import numpy as np
from mapie.metrics.calibration import expected_calibration_error

# 1,000 images with a score of 0.4 of which 60% are right, and 1,000 with a score of 0.95 of which 75% are right: off by 0.2 each.
rng = np.random.default_rng(0)
scores = np.r_[np.full(1000, 0.4), np.full(1000, 0.95)]
right = np.r_[np.arange(1000) < 600, np.arange(1000) < 750].astype(int)
orders = {"sorted": np.argsort(scores), "in random order": rng.permutation(len(scores))}
for strategy, num_bins in (("array split", 2), ("array split", 10), ("uniform", 10), ("uniform", 2)):
    for name, order in orders.items():
        error = expected_calibration_error(right[order], scores[order], num_bins=num_bins, split_strategy=strategy)
        print(f"{strategy}, {num_bins} bins, {name}: {error:.2f}")
PY

# Correct would be 0.20 everywhere.
cat > seen.txt <<'TXT'
array split, 2 bins, sorted: 0.20
array split, 2 bins, in random order: 0.00
array split, 10 bins, sorted: 0.20
array split, 10 bins, in random order: 0.00
uniform, 10 bins, sorted: 0.20
uniform, 10 bins, in random order: 0.20
uniform, 2 bins, sorted: 0.00
uniform, 2 bins, in random order: 0.00
TXT
v/bin/python run.py > now.txt 2> errors.txt || { cat errors.txt; exit 1; }
diff seen.txt now.txt && echo "MAPIE 1.6.0 still depends on the order:" && cat now.txt
