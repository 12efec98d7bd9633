#!/usr/bin/env bash
# timm 1.0.31: classes get their indices in the natural order of their folders (2 before 10), where torchvision 0.29.1 and Keras
# take the order of letters (10 before 2). A network trained with timm on folders 0 to 11 and measured with torchvision on the
# same folders is right for two classes out of 12, and its predictions get other names. Nothing is reported.
# Until they agree: store the names of the classes with the weights, and name folders with leading zeros (02, 10).
# Installs PyTorch, which takes some minutes.
set -euo pipefail
dir="$(mktemp -d)"
trap 'rm -rf "$dir"' EXIT
cd "$dir"
python3 -m venv v
v/bin/pip install --quiet --disable-pip-version-check timm==1.0.31 torch==2.14.1 torchvision==0.29.1 numpy==2.4.6 pillow==13.0.0

cat > run.py <<'PY'
from pathlib import Path

from PIL import Image
from timm.data import create_dataset
from torchvision.datasets import ImageFolder

for title, names in (("ages", [f"age{i}" for i in range(12)]), ("padded", [f"age{i:02}" for i in range(12)])):
    for name in names:
        Path(title, name).mkdir(parents=True)
        Image.new("RGB", (8, 8)).save(Path(title, name, "a.png"))
    timm, torchvision = create_dataset("", root=title).reader.class_to_idx, ImageFolder(title).class_to_idx
    print(f"{names[2]} to {names[11]}: timm {timm[names[2]]} to {timm[names[11]]}, torchvision {torchvision[names[2]]} to {torchvision[names[11]]};"
          f" {sum(timm[name] == torchvision[name] for name in names)} of 12 are equal")
PY

# Expected by their user: 12 of 12.
cat > seen.txt <<'TXT'
age2 to age11: timm 2 to 11, torchvision 4 to 3; 2 of 12 are equal
age02 to age11: timm 2 to 11, torchvision 2 to 11; 12 of 12 are equal
TXT
v/bin/python run.py > now.txt 2> errors.txt || { cat errors.txt; exit 1; }
diff seen.txt now.txt && echo "timm 1.0.31 and torchvision 0.29.1 still disagree:" && cat now.txt
