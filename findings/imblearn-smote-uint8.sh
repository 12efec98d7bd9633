#!/usr/bin/env bash
# imbalanced-learn 0.14.2: SMOTE on images of uint8 wraps around. Between a pixel of 250 and one of 0 it interpolates towards 250 + 6,
# because 0 - 250 is 6 in uint8, so a new image is brighter than both of its parents, or wraps to black. The result is uint8, and
# nothing is reported. Until it changes: give float32, and round the result.
set -euo pipefail
dir="$(mktemp -d)"
trap 'rm -rf "$dir"' EXIT
cd "$dir"
python3 -m venv v
v/bin/pip install --quiet --disable-pip-version-check imbalanced-learn==0.14.2 numpy==2.4.6

cat > run.py <<'PY'
import warnings

import numpy as np
from imblearn.over_sampling import SMOTE

warnings.simplefilter("error")
rng = np.random.default_rng(0)
images = np.r_[rng.integers(0, 256, (200, 64)), rng.integers(40, 211, (20, 64))]  # the rare class has pixels of 40 to 210
labels = np.r_[np.zeros(200, int), np.ones(20, int)]
for dtype in ("float32", "uint8"):
    made = SMOTE(random_state=0).fit_resample(images.astype(dtype), labels)[0][len(images) :]
    outside = (made < 39.9) | (made > 210.1)
    print(f"{dtype}: {outside.mean():.0%} of the new pixels are outside of 40 to 210, from {made.min():.0f} to {made.max():.0f}")
PY

# Correct would be 0% twice.
cat > seen.txt <<'TXT'
float32: 0% of the new pixels are outside of 40 to 210, from 41 to 210
uint8: 22% of the new pixels are outside of 40 to 210, from 0 to 255
TXT
v/bin/python run.py > now.txt 2> errors.txt || { cat errors.txt; exit 1; }
diff seen.txt now.txt && echo "imbalanced-learn 0.14.2 still wraps around:" && cat now.txt
