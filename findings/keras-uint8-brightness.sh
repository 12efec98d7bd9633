#!/usr/bin/env bash
# Keras 3.15.1: RandomBrightness adds to images of uint8 before it clips, so values wrap around: a white picture made brighter becomes
# dark. Made darker, pictures stay as they are (with JAX) or black becomes nearly white (with TensorFlow). Its documentation takes int
# inputs and promises floats, clipped to 0 to 255. The arrays of keras.datasets and of Pillow are uint8. Nothing is reported.
# Until it changes: convert images to float32 before, as in the last column of the output.
set -euo pipefail
dir="$(mktemp -d)"
trap 'rm -rf "$dir"' EXIT
cd "$dir"
python3 -m venv v
v/bin/pip install --quiet --disable-pip-version-check keras==3.15.1 jax==0.10.2 numpy==2.4.6

cat > run.py <<'PY'
import keras
import numpy as np


def changed(grey, factor, dtype):
    layer = keras.layers.RandomBrightness((factor, factor))  # value_range is (0, 255) unless given
    return int(np.array(layer(np.full((1, 8, 8, 3), grey, dtype), training=True))[0, 0, 0, 0])


for factor in (0.2, -0.2):
    for grey in (0, 100, 255):
        print(f"factor {factor}, a picture of {grey}: uint8 {changed(grey, factor, 'uint8')}, float32 {changed(grey, factor, 'float32')}")
PY

# Correct would be the same numbers in both columns.
cat > seen.txt <<'TXT'
factor 0.2, a picture of 0: uint8 51, float32 51
factor 0.2, a picture of 100: uint8 151, float32 151
factor 0.2, a picture of 255: uint8 50, float32 255
factor -0.2, a picture of 0: uint8 0, float32 0
factor -0.2, a picture of 100: uint8 100, float32 49
factor -0.2, a picture of 255: uint8 255, float32 204
TXT
KERAS_BACKEND=jax v/bin/python run.py > now.txt 2> errors.txt || { cat errors.txt; exit 1; }
diff seen.txt now.txt && echo "Keras 3.15.1 still makes white pictures dark:" && cat now.txt
