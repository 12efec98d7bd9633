#!/usr/bin/env bash
# Keras 3.15.1: RandomSaturation limits the saturation to the range of the pixels, not to 1. With pixels of 0 to 255, the default, it
# may become 255, so colours get values far below 0: 200, 100, 50 becomes 200, -700, -1150 with a factor of 0.9. Documented is a fully
# saturated image for factor 1. With factors drawn from 0 to 1, a quarter of the images have negative pixels. Nothing is reported.
# Until it changes: divide the pixels by 255 and give value_range=(0, 1), as in the last column of the output.
set -euo pipefail
dir="$(mktemp -d)"
trap 'rm -rf "$dir"' EXIT
cd "$dir"
python3 -m venv v
v/bin/pip install --quiet --disable-pip-version-check keras==3.15.1 jax==0.10.2 numpy==2.4.6

cat > run.py <<'PY'
import keras
import numpy as np

image = np.array([[[[200, 100, 50]]]], "float32")


def saturated(factor, image, **options):
    layer = keras.layers.RandomSaturation((factor, factor), **options)
    return np.array(layer(image, training=True))[0, 0, 0]


for factor in (0.5, 0.7, 0.9):
    colour = saturated(factor, image).round().astype(int).tolist()
    scaled = (255 * saturated(factor, image / 255, value_range=(0, 1))).round().astype(int).tolist()
    print(f"factor {factor}: {colour}, of pixels divided by 255 {scaled}")

layer = keras.layers.RandomSaturation(1.0, seed=0)
images = np.random.default_rng(0).integers(0, 256, (1000, 8, 8, 3)).astype("float32")
outside = (np.array(layer(images, training=True)).min((1, 2, 3)) < -1).mean()
print(f"factor 0 to 1: {outside:.0%} of the images have negative pixels")
PY

# Correct would be the last column in both, and 0%.
cat > seen.txt <<'TXT'
factor 0.5: [200, 100, 50], of pixels divided by 255 [200, 100, 50]
factor 0.7: [200, -33, -150], of pixels divided by 255 [200, 67, 0]
factor 0.9: [200, -700, -1150], of pixels divided by 255 [200, 67, 0]
factor 0 to 1: 25% of the images have negative pixels
TXT
KERAS_BACKEND=jax v/bin/python run.py > now.txt 2> errors.txt || { cat errors.txt; exit 1; }
diff seen.txt now.txt && echo "Keras 3.15.1 still saturates beyond the colours there are:" && cat now.txt
