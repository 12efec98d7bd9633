#!/usr/bin/env bash
# torchmetrics 1.9.0: BootStrapper with sampling_strategy="multinomial" draws new samples only within a batch. Its standard deviation
# depends on the batch size: with batches of one image, each draw is that image, so an accuracy seems to be exact. Images sorted by class
# (as from class folders) have the same effect in larger batches. The documentation calls this true bootstrapping of each batch, and an
# approximation for all images; it does not say that the result may be 0.
# Until it changes: use the default, sampling_strategy="poisson", as in the last column of the output, or one batch of all images.
# Installs PyTorch, which takes some minutes.
set -euo pipefail
dir="$(mktemp -d)"
trap 'rm -rf "$dir"' EXIT
cd "$dir"
python3 -m venv v
v/bin/pip install --quiet --disable-pip-version-check torchmetrics==1.9.0 torch==2.14.1 numpy==2.4.6

cat > run.py <<'PY'
import torch
from torchmetrics import BootStrapper
from torchmetrics.classification import MulticlassAccuracy

labels = torch.arange(80) // 20  # sorted by class
probs = torch.eye(4)[torch.where(torch.arange(80) % 20 < torch.tensor([20, 20, 2, 2])[labels], labels, (labels + 1) % 4)]
print(f"expected: {(0.55 * 0.45 / 80) ** 0.5:.3f}")
for size in (1, 5, 20, 80):
    found = []
    for strategy in ("multinomial", "poisson"):
        torch.manual_seed(0)
        metric = BootStrapper(MulticlassAccuracy(4, average="micro"), num_bootstraps=100, sampling_strategy=strategy)
        for start in range(0, 80, size):
            metric.update(probs[start : start + size], labels[start : start + size])
        found.append(f"{metric.compute()['std'].item():.3f}")
    print(f"standard deviation of the accuracy, batches of {size}: {found[0]}, poisson {found[1]}")
PY

# Correct would be about the expected value everywhere.
cat > seen.txt <<'TXT'
expected: 0.056
standard deviation of the accuracy, batches of 1: 0.000, poisson 0.058
standard deviation of the accuracy, batches of 5: 0.021, poisson 0.053
standard deviation of the accuracy, batches of 20: 0.022, poisson 0.049
standard deviation of the accuracy, batches of 80: 0.057, poisson 0.055
TXT
v/bin/python run.py > now.txt 2> errors.txt || { cat errors.txt; exit 1; }
diff seen.txt now.txt && echo "torchmetrics 1.9.0 still draws within batches:" && cat now.txt
