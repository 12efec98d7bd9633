#!/usr/bin/env bash
# TensorFlow.js 4.22.0: layers that resize take other points than the same layers in Keras 3.15.1, so a model from Keras sees other
# images. Resizing stretches them so that the outer pixels meet, with cropToAspectRatio it crops nothing and squeezes a wide
# picture, and UpSampling2D with "bilinear" shifts by a quarter of a pixel. The options are accepted and nothing is reported.
# Until it changes: resize before the model, and enlarge with "nearest" or a transposed convolution.
set -euo pipefail
dir="$(mktemp -d)"
trap 'rm -rf "$dir"' EXIT
cd "$dir"
npm install --silent --no-audit --no-fund --ignore-scripts @tensorflow/tfjs@4.22.0
python3 -m venv v
v/bin/pip install --quiet --disable-pip-version-check keras==3.15.1 jax==0.10.2 numpy==2.4.6

cat > run.js <<'JS'
const tf = require("@tensorflow/tfjs");
const ramp = (height, width) => tf.range(0, width).reshape([1, 1, width, 1]).tile([1, height, 1, 1]);
const show = (title, layer, image) => {
  const row = layer.apply(image).slice([0, 0, 0, 0], [1, 1, -1, 1]).dataSync();
  console.log(`${title}: ${Array.from(row, (value) => value.toFixed(2)).join(" ")}`);
};
show("tfjs, Resizing", tf.layers.resizing({ height: 4, width: 4 }), ramp(8, 8));
show("tfjs, Resizing with crop", tf.layers.resizing({ height: 4, width: 4, cropToAspectRatio: true }), ramp(4, 8));
show("tfjs, UpSampling2D", tf.layers.upSampling2d({ size: [2, 2], interpolation: "bilinear" }), ramp(4, 4));
JS
cat > run.py <<'PY'
import keras
import numpy as np


def ramp(height, width):
    return np.tile(np.arange(width, dtype="float32").reshape(1, 1, width, 1), (1, height, 1, 1))


def show(title, layer, image):
    print(f"Keras, {title}:", *[f"{value:.2f}" for value in np.asarray(layer(image))[0, 0, :, 0]])


show("Resizing", keras.layers.Resizing(4, 4), ramp(8, 8))
show("Resizing with crop", keras.layers.Resizing(4, 4, crop_to_aspect_ratio=True), ramp(4, 8))
show("UpSampling2D", keras.layers.UpSampling2D(2, interpolation="bilinear"), ramp(4, 4))
PY

# Correct would be the same numbers in both.
cat > seen.txt <<'TXT'
Keras, Resizing: 0.50 2.50 4.50 6.50
Keras, Resizing with crop: 2.00 3.00 4.00 5.00
Keras, UpSampling2D: 0.00 0.25 0.75 1.25 1.75 2.25 2.75 3.00
tfjs, Resizing: 0.00 2.33 4.67 7.00
tfjs, Resizing with crop: 0.00 2.00 4.00 6.00
tfjs, UpSampling2D: 0.00 0.50 1.00 1.50 2.00 2.50 3.00 3.00
TXT
KERAS_BACKEND=jax v/bin/python run.py 2> errors.txt | grep ^Keras, > now.txt || { cat errors.txt; exit 1; }
node run.js 2> errors.txt | grep ^tfjs, >> now.txt || { cat errors.txt; exit 1; }
diff seen.txt now.txt && echo "TensorFlow.js 4.22.0 still resizes otherwise:" && cat now.txt
