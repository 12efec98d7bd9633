#!/usr/bin/env bash
# torchmetrics 1.9.0: a batch of outputs counts as probabilities if all of them happen to be in [0, 1], and as logits otherwise. The
# guess is made for each batch alone, so one list holds both: the AUROC and the accuracy of the same logits depend on the batch size.
# The last, smaller batch is enough, or a network at the start of its training, whose logits are small. Nothing is reported.
# Until it changes: give probabilities (sigmoid or softmax), as in the last column of the output.
# Installs PyTorch, which takes some minutes.
set -euo pipefail
dir="$(mktemp -d)"
trap 'rm -rf "$dir"' EXIT
cd "$dir"
python3 -m venv v
v/bin/pip install --quiet --disable-pip-version-check torchmetrics==1.9.0 torch==2.14.1 numpy==2.4.6

cat > run.py <<'PY'
import torch
from torchmetrics.classification import BinaryAccuracy, BinaryAUROC, MulticlassCalibrationError

torch.manual_seed(0)
logits = torch.randn(4000)
labels = (torch.rand(4000) < torch.sigmoid(2 * logits)).int()


def measured(metric, outputs, size):
    for start in range(0, len(outputs), size):
        metric.update(outputs[start : start + size], labels[start : start + size])
    return f"{metric.compute().item():.3f}"


for metric in (BinaryAUROC(), BinaryAccuracy()):
    for size in (1, 2, 100):
        metric.reset()
        of_logits = measured(metric, logits, size)
        metric.reset()
        print(f"{type(metric).__name__}, batches of {size}: {of_logits}, of probabilities {measured(metric, torch.sigmoid(logits), size)}")

small = torch.tensor([[0.9, 0.1, 0.2], [0.2, 0.8, 0.1], [0.3, 0.1, 0.7]])  # logits of a network that has begun to learn
for name, rows in (("three images", small), ("the same and one of logits 2, 0, 0", torch.cat([small, torch.tensor([[2.0, 0, 0]])]))):
    target = torch.tensor([0, 1, 2, 0])[: len(rows)]
    of_logits, of_probs = (MulticlassCalibrationError(3)(outputs, target).item() for outputs in (rows, rows.softmax(1)))
    print(f"calibration error of {name}: {of_logits:.2f}, of probabilities {of_probs:.2f}")
PY

# Correct would be the same numbers in both columns.
cat > seen.txt <<'TXT'
BinaryAUROC, batches of 1: 0.772, of probabilities 0.855
BinaryAUROC, batches of 2: 0.823, of probabilities 0.855
BinaryAUROC, batches of 100: 0.855, of probabilities 0.855
BinaryAccuracy, batches of 1: 0.729, of probabilities 0.770
BinaryAccuracy, batches of 2: 0.753, of probabilities 0.770
BinaryAccuracy, batches of 100: 0.770, of probabilities 0.770
calibration error of three images: 0.20, of probabilities 0.52
calibration error of the same and one of logits 2, 0, 0: 0.44, of probabilities 0.44
TXT
v/bin/python run.py > now.txt 2> errors.txt || { cat errors.txt; exit 1; }
diff seen.txt now.txt && echo "torchmetrics 1.9.0 still guesses for each batch:" && cat now.txt
