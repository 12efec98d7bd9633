#!/usr/bin/env bash
# torchmetrics 1.9.0: MetricCollection counts only once for metrics whose counts were equal after the first batch. Metrics that differ
# in threshold or ignore_index are often equal then, for example if a network is sure of the first images. From then on, the others report
# the numbers of the first metric, so the result depends on the order of the images. Nothing is reported.
# Known for other metrics since 2025: Lightning-AI/torchmetrics issue 2916.
# Until it changes: MetricCollection(..., compute_groups=False), as in the last column of the output.
# Installs PyTorch, which takes some minutes.
set -euo pipefail
dir="$(mktemp -d)"
trap 'rm -rf "$dir"' EXIT
cd "$dir"
python3 -m venv v
v/bin/pip install --quiet --disable-pip-version-check torchmetrics==1.9.0 torch==2.14.1 numpy==2.4.6

cat > run.py <<'PY'
import torch
from torchmetrics import MetricCollection
from torchmetrics.classification import BinaryRecall, MulticlassAccuracy

probs = torch.tensor([[0.95, 0.97, 0.02, 0.03], [0.6, 0.7, 0.2, 0.96], [0.55, 0.93, 0.1, 0.65]])
smiles = torch.tensor([[1, 1, 0, 0], [1, 1, 0, 1], [1, 1, 0, 1]])
scores = torch.tensor([[[8, 1, 1], [1, 8, 1]], [[5, 4, 1], [1, 2, 7]], [[2, 7, 1], [1, 3, 6]]]) / 10
classes = torch.tensor([[0, 1], [1, 2], [0, 2]])


def recalls():
    return {"above 50%": BinaryRecall(threshold=0.5), "above 90%": BinaryRecall(threshold=0.9)}


def accuracies():
    return {"of all": MulticlassAccuracy(3, average="micro"), "without class 2": MulticlassAccuracy(3, average="micro", ignore_index=2)}


def measure(metrics, batches, **options):
    collection = MetricCollection(metrics, **options)
    for outputs, labels in batches:
        collection.update(outputs, labels)
    return {name: f"{value.item():.2f}" for name, value in collection.compute().items()}


for title, metrics, outputs, labels in (("recall", recalls, probs, smiles), ("accuracy", accuracies, scores, classes)):
    batches = list(zip(outputs, labels))
    apart = measure(metrics(), batches, compute_groups=False)
    for order, rows in (("as they are", batches), ("last batch first", batches[::-1])):
        for name, value in measure(metrics(), rows).items():
            print(f"{title} {name}, {order}: {value}, apart {apart[name]}")
PY

# Correct would be the same numbers in both columns.
cat > seen.txt <<'TXT'
recall above 50%, as they are: 1.00, apart 1.00
recall above 90%, as they are: 1.00, apart 0.50
recall above 50%, last batch first: 1.00, apart 1.00
recall above 90%, last batch first: 0.50, apart 0.50
accuracy of all, as they are: 0.67, apart 0.67
accuracy without class 2, as they are: 0.67, apart 0.50
accuracy of all, last batch first: 0.67, apart 0.67
accuracy without class 2, last batch first: 0.50, apart 0.50
TXT
v/bin/python run.py > now.txt 2> errors.txt || { cat errors.txt; exit 1; }
diff seen.txt now.txt && echo "torchmetrics 1.9.0 still counts once for both:" && cat now.txt
