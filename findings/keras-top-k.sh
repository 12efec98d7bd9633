#!/usr/bin/env bash
# Keras 3.15.1: the top-k accuracy counts an image as correct if its class ties with the k-th best, however many tie. A network that
# is sure and wrong, whose other probabilities are rounded to 0, looks as if the right class nearly always came second, and one that
# gives all classes the same logit is always right. The rule is known and documented for TensorFlow's in_top_k (tensorflow/tensorflow
# issue 13005), not for these metrics.
# Until it changes: measure logits, or rank with argsort, as in the last column of the output.
set -euo pipefail
dir="$(mktemp -d)"
trap 'rm -rf "$dir"' EXIT
cd "$dir"
python3 -m venv v
v/bin/pip install --quiet --disable-pip-version-check keras==3.15.1 jax==0.10.2 numpy==2.4.6

cat > run.py <<'PY'
import keras
import numpy as np

labels = np.arange(700) % 7
logits = np.random.default_rng(0).standard_normal((700, 7)).astype("float32")


def measure(title, outputs):
    top1, top2 = keras.metrics.SparseCategoricalAccuracy(), keras.metrics.SparseTopKCategoricalAccuracy(k=2)
    for metric in (top1, top2):
        metric.update_state(labels, outputs)
    ranked = (np.argsort(-outputs, 1, kind="stable")[:, :2] == labels[:, None]).any(1).mean()
    print(f"{title}: accuracy {float(top1.result()):.2f}, top 2 {float(top2.result()):.2f}, ranked {ranked:.2f}")


for scale in (1, 50, 500):
    outputs = np.array(keras.ops.softmax(logits * scale))
    measure(f"guesses, logits times {scale}", outputs)
measure("the same logit for all", np.zeros_like(logits))
PY

# Correct would be near 0.29 for top 2 everywhere.
cat > seen.txt <<'TXT'
guesses, logits times 1: accuracy 0.16, top 2 0.30, ranked 0.30
guesses, logits times 50: accuracy 0.16, top 2 0.31, ranked 0.30
guesses, logits times 500: accuracy 0.16, top 2 0.86, ranked 0.31
the same logit for all: accuracy 0.14, top 2 1.00, ranked 0.29
TXT
KERAS_BACKEND=jax v/bin/python run.py > now.txt 2> errors.txt || { cat errors.txt; exit 1; }
diff seen.txt now.txt && echo "Keras 3.15.1 still counts all ties as correct:" && cat now.txt
