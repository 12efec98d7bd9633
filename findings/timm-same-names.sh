#!/usr/bin/env bash
# timm 1.0.31: efficientnet_lite0 and tf_efficientnet_lite0 have the same parameters, by name and shape. Strict loading accepts
# the weights of one in the other. But they pad differently and use another epsilon in batch norm, so they predict other classes.
# A file of weights does not say which of the two it is from; the names stored by other programs often drop the "tf_".
# Until it changes: keep the model's full name beside its weights, and compare a few predictions after a conversion.
# Installs PyTorch, which takes some minutes.
set -euo pipefail
dir="$(mktemp -d)"
trap 'rm -rf "$dir"' EXIT
cd "$dir"
python3 -m venv v
v/bin/pip install --quiet --disable-pip-version-check timm==1.0.31 torch==2.14.1 torchvision==0.29.1 numpy==2.4.6 pillow==13.0.0

cat > run.py <<'PY'
import timm
import torch

torch.manual_seed(0)
source = timm.create_model("tf_efficientnet_lite0", num_classes=7).train()
images = torch.nn.functional.interpolate(torch.rand(64, 3, 12, 12), (96, 96), mode="bicubic") * 2 - 1
with torch.no_grad():
    for _ in range(20):  # moving statistics of real activations
        source(images)
target = timm.create_model("efficientnet_lite0", num_classes=7)
print(target.load_state_dict(source.state_dict(), strict=True))
with torch.inference_mode():
    a, b = source.eval()(images), target.eval()(images)
changed = (a.argmax(1) != b.argmax(1)).float().mean().item()
print(f"other classes for more than a tenth of the images: {changed > 0.1}")
PY

cat > seen.txt <<'TXT'
<All keys matched successfully>
other classes for more than a tenth of the images: True
TXT
v/bin/python run.py > now.txt 2> errors.txt || { cat errors.txt; exit 1; }
diff seen.txt now.txt && echo "timm 1.0.31 still exchanges them:" && cat now.txt
