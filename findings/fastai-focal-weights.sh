#!/usr/bin/env bash
# fastai 2.8.12: FocalLossFlat(weight=...) puts the weight of a class into the probability, too: (1 - p ** weight) ** gamma instead of
# (1 - p) ** gamma. So a weight does not multiply the loss, as its documentation says: an image that is surely wrong counts little if the
# weight of its class is small, and a right one counts much if it is large.
# Until it changes: FocalLossFlat(reduction="none") without weight, times weight[labels].
# Installs PyTorch, which takes some minutes.
set -euo pipefail
dir="$(mktemp -d)"
trap 'rm -rf "$dir"' EXIT
cd "$dir"
python3 -m venv v
v/bin/pip install --quiet --disable-pip-version-check fastai==2.8.12 torch==2.14.1 torchvision==0.29.1 numpy==2.4.6

cat > run.py <<'PY'
import torch
from fastai.losses import FocalLossFlat

for probability in (0.9, 0.5, 0.05):
    logits = torch.log(torch.tensor([[probability, 1 - probability]]))
    label = torch.tensor([0])
    plain = FocalLossFlat(gamma=2)(logits, label).item()
    for weight in (0.1, 10.0):
        loss = FocalLossFlat(gamma=2, weight=torch.tensor([weight, 1.0]))(logits, label).item()
        print(f"probability {probability}, weight {weight}: {loss / plain:.3f} times the loss without weight")
PY

# Correct would be 0.100 and 10.000 times.
cat > seen.txt <<'TXT'
probability 0.9, weight 0.1: 0.001 times the loss without weight
probability 0.9, weight 10.0: 424.220 times the loss without weight
probability 0.5, weight 0.1: 0.002 times the loss without weight
probability 0.5, weight 10.0: 39.922 times the loss without weight
probability 0.05, weight 0.1: 0.007 times the loss without weight
probability 0.05, weight 10.0: 11.080 times the loss without weight
TXT
v/bin/python run.py > now.txt 2> errors.txt || { cat errors.txt; exit 1; }
diff seen.txt now.txt && echo "fastai 2.8.12 still weights the probability:" && cat now.txt
