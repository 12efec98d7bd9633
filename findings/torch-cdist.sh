#!/usr/bin/env bash
# PyTorch 2.14.1: torch.cdist computes distances otherwise from 26 rows on: from a product of matrices, which loses small differences in
# float32. The distance of an image to itself is then not 0, so a search for copies with a small limit finds none of them in 26 images
# although it finds all in 25. Features that share a large mean get other neighbours: here nearly all. Nothing is reported.
# Until it changes: give compute_mode="donot_use_mm_for_euclid_dist", as in the last column of the output, or subtract the mean.
# Installs PyTorch, which takes some minutes.
set -euo pipefail
dir="$(mktemp -d)"
trap 'rm -rf "$dir"' EXIT
cd "$dir"
python3 -m venv v
v/bin/pip install --quiet --disable-pip-version-check torch==2.14.1 numpy==2.4.6

cat > run.py <<'PY'
import torch

torch.manual_seed(0)
images = torch.randint(0, 256, (100, 48 * 48)).float()
features = 10 + torch.rand(1000, 64) / 100


def copies(images, **options):  # pairs of an image and its copy that are closer than 0.01 of a grey level
    distances = torch.cdist(images, images.clone(), **options)
    return (distances.diagonal() < 0.01).sum().item()


def neighbours(**options):
    return torch.cdist(features, features, **options).fill_diagonal_(torch.inf).argmin(1)


exact = {"compute_mode": "donot_use_mm_for_euclid_dist"}
for n in (25, 26, 100):
    print(f"{n} images: {copies(images[:n])} copies found, with the option {copies(images[:n], **exact)}")
right = torch.cdist(features.double(), features.double(), **exact).fill_diagonal_(torch.inf).argmin(1)
wrong = [(neighbours(**options) != right).float().mean().item() for options in ({}, exact)]
print(f"features near 10: more than half of the nearest neighbours are others: {wrong[0] > 0.5}, with the option {wrong[1] > 0.01}")
PY

# Correct would be 25, 26 and 100 copies, and False twice.
cat > seen.txt <<'TXT'
25 images: 25 copies found, with the option 25
26 images: 19 copies found, with the option 26
100 images: 73 copies found, with the option 100
features near 10: more than half of the nearest neighbours are others: True, with the option False
TXT
v/bin/python run.py > now.txt 2> errors.txt || { cat errors.txt; exit 1; }
diff seen.txt now.txt && echo "PyTorch 2.14.1 still loses copies from 26 rows on:" && cat now.txt
