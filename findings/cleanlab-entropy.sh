#!/usr/bin/env bash
# cleanlab 2.9.0: with the method confidence_weighted_entropy, label quality scores turn around for images of which a network is sure. A label
# with a probability of exactly 1 gets a score near 0, so the most confident labels head the list of label issues, and a label that a
# network contradicts with almost certainty gets the highest. In float32, a softmax gives exactly 1 once logits differ by 17.
# Until it changes: use the default method, self_confidence, or normalized_margin.
set -euo pipefail
dir="$(mktemp -d)"
trap 'rm -rf "$dir"' EXIT
cd "$dir"
python3 -m venv v
v/bin/pip install --quiet --disable-pip-version-check cleanlab==2.9.0 numpy==2.4.6

cat > run.py <<'PY'
import numpy as np
from cleanlab.rank import get_label_quality_scores


def softmax(logits):
    powers = np.exp(logits - logits.max(1, keepdims=True))
    return powers / powers.sum(1, keepdims=True)


margins = [30, 20, 10, 2, 0, -2, -10, -20, -30]  # by how much the logit of the label is larger than the other
probs = softmax(np.array([[margin, 0] for margin in margins], "float32"))
labels = np.zeros(len(margins), int)
print("margin of the label:", *margins)
for method in ("self_confidence", "normalized_margin", "confidence_weighted_entropy"):
    print(f"{method}:", *[f"{score:.2f}" for score in get_label_quality_scores(labels, probs, method=method)])
PY

# Correct would be scores that fall from left to right in every row.
cat > seen.txt <<'TXT'
margin of the label: 30 20 10 2 0 -2 -10 -20 -30
self_confidence: 1.00 1.00 1.00 0.88 0.50 0.12 0.00 0.00 0.00
normalized_margin: 1.00 1.00 1.00 0.88 0.50 0.12 0.00 0.00 0.00
confidence_weighted_entropy: 0.00 0.06 1.00 0.78 0.55 0.38 0.18 0.97 1.00
TXT
v/bin/python run.py > now.txt 2> errors.txt || { cat errors.txt; exit 1; }
diff seen.txt now.txt && echo "cleanlab 2.9.0 still ranks them so:" && cat now.txt
