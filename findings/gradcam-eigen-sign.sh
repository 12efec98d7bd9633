#!/usr/bin/env bash
# grad-cam 1.5.7: maps of EigenCAM, EigenGradCAM and any method with eigen_smooth=True are the first principal component of the network's
# activations, whose sign is arbitrary. A quarter or more of the maps can be inverted: they highlight the background instead of the object,
# and the map of an image is the opposite of that of its mirror image. Each map is scaled to 0..1, so that nothing shows it.
# Until it changes: use a method without it (GradCAM, LayerCAM), as in the last line of the output.
# Installs PyTorch, which takes some minutes.
set -euo pipefail
dir="$(mktemp -d)"
trap 'rm -rf "$dir"' EXIT
cd "$dir"
python3 -m venv v
v/bin/pip install --quiet --disable-pip-version-check grad-cam==1.5.7 torch==2.14.1 torchvision==0.29.1 numpy==2.4.6

cat > run.py <<'PY'
import numpy as np
import torch
from pytorch_grad_cam import EigenCAM, LayerCAM
from pytorch_grad_cam.utils.model_targets import ClassifierOutputTarget
from torch import nn

NUM_IMAGES = 20
torch.manual_seed(0)
layers = nn.Sequential(nn.Conv2d(3, 8, 3, padding=1), nn.ReLU(), nn.Conv2d(8, 12, 3, stride=2, padding=1), nn.ReLU())
model = nn.Sequential(*layers, nn.AdaptiveAvgPool2d(1), nn.Flatten(), nn.Linear(12, 7)).eval()
images = torch.zeros(NUM_IMAGES, 3, 24, 24)
for i in range(NUM_IMAGES):  # a textured square on black
    top, left = (5 * i) % 17, (7 * i) % 17
    images[i, :, top : top + 8, left : left + 8] = 1 + torch.rand(3, 8, 8)
squares = images.sum(1).gt(0).numpy()


def correlation(a, b):
    return np.corrcoef(a.ravel(), b.ravel())[0, 1]


def words(count):
    return "none" if count == 0 else "a quarter or more" if count >= NUM_IMAGES / 4 else "less than a quarter"


for title, method, options in (
    ("EigenCAM", EigenCAM, {}),
    ("LayerCAM with eigen_smooth", LayerCAM, {"eigen_smooth": True}),
    ("LayerCAM", LayerCAM, {}),
):
    cam = method(model, [model[3]])

    def maps_of(batch):
        return np.concatenate([cam(image[None], [ClassifierOutputTarget(2)], **options) for image in batch])

    maps, mirrored = maps_of(images), maps_of(images.flip(3))[:, :, ::-1]
    inverted = sum(correlation(*pair) < 0 for pair in zip(maps, squares))
    opposite = sum(correlation(*pair) < 0 for pair in zip(maps, mirrored))
    print(f"{title}: {words(inverted)} highlight the background, {words(opposite)} are opposite to the map of the mirror image")
PY

# Correct would be none in each line. The sign depends on the linear algebra library, so counts are rounded.
cat > seen.txt <<'TXT'
EigenCAM: a quarter or more highlight the background, a quarter or more are opposite to the map of the mirror image
LayerCAM with eigen_smooth: a quarter or more highlight the background, a quarter or more are opposite to the map of the mirror image
LayerCAM: less than a quarter highlight the background, none are opposite to the map of the mirror image
TXT
v/bin/python run.py > now.txt 2> errors.txt || { cat errors.txt; exit 1; }
diff seen.txt now.txt && echo "grad-cam 1.5.7 still gives an arbitrary sign:" && cat now.txt
