#!/usr/bin/env bash
# timm 1.0.31: the class of an image is the name of the folder that directly contains it, not of the folder below the split. If the class
# folders have the same subfolders (angry/part1, happy/part1), part1 is a class with images of both, and there are as many classes as
# names of subfolders. Images beside the class folders are a class with an empty name, which moves all others by 1. Nothing is reported.
# Keras and torchvision take the top folder.
# Until it changes: move images directly into the class folders, and print class_to_idx, as in the last line of the output.
# Installs PyTorch, which takes some minutes.
set -euo pipefail
dir="$(mktemp -d)"
trap 'rm -rf "$dir"' EXIT
cd "$dir"
python3 -m venv v
v/bin/pip install --quiet --disable-pip-version-check timm==1.0.31 torch==2.14.1 torchvision==0.29.1 numpy==2.4.6 pillow==13.0.0

cat > run.py <<'PY'
from collections import Counter
from pathlib import Path

from PIL import Image
from timm.data import create_dataset
from torchvision.datasets import ImageFolder


def draw(path):
    path.parent.mkdir(parents=True, exist_ok=True)
    Image.new("L", (8, 8)).save(path)


def show(root):
    dataset = create_dataset("", root=root, split="train")
    counts = Counter()
    for i in range(len(dataset)):
        top, *rest = Path(dataset.filename(i)).parts
        counts[f"{top if rest else 'beside the classes'} as {dataset.reader.samples[i][1]}"] += 1
    print(f"{root}, torchvision: {ImageFolder(f'{root}/train').class_to_idx}")
    print(f"{root}, timm: {dataset.reader.class_to_idx}")
    print("  " + ", ".join(f"{count} {name}" for name, count in sorted(counts.items())))


for name in ("angry", "happy", "sad"):
    for i in range(4):
        draw(Path(f"nested/train/{name}/part{i % 2 + 1}/{i}.png"))
        draw(Path(f"stray/train/{name}/{i}.png"))
        draw(Path(f"flat/train/{name}/{i}.png"))
draw(Path("stray/train/overview.png"))
for root in ("nested", "stray", "flat"):
    show(root)
PY

# Correct would be the classes of torchvision everywhere.
cat > seen.txt <<'TXT'
nested, torchvision: {'angry': 0, 'happy': 1, 'sad': 2}
nested, timm: {'part1': 0, 'part2': 1}
  2 angry as 0, 2 angry as 1, 2 happy as 0, 2 happy as 1, 2 sad as 0, 2 sad as 1
stray, torchvision: {'angry': 0, 'happy': 1, 'sad': 2}
stray, timm: {'': 0, 'angry': 1, 'happy': 2, 'sad': 3}
  4 angry as 1, 1 beside the classes as 0, 4 happy as 2, 4 sad as 3
flat, torchvision: {'angry': 0, 'happy': 1, 'sad': 2}
flat, timm: {'angry': 0, 'happy': 1, 'sad': 2}
  4 angry as 0, 4 happy as 1, 4 sad as 2
TXT
v/bin/python run.py > now.txt 2> errors.txt || { cat errors.txt; exit 1; }
diff seen.txt now.txt && echo "timm 1.0.31 still takes the innermost folder:" && cat now.txt
