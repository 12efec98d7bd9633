#!/usr/bin/env bash
# TensorFlow.js 4.22.0: depthwiseConv2d and conv2dTranspose accept dilationRate and ignore it. A dilated network, such as a segmenter on
# MobileNet or EfficientNet, has the same weights and shapes either way, so it loads from Keras and predicts something else.
# conv2d and separableConv2d do dilate. Nothing is reported.
# Until it changes: write the depthwise layer as tf.depthwiseConv2d in a layer of your own, as in the last column of the output.
set -euo pipefail
dir="$(mktemp -d)"
trap 'rm -rf "$dir"' EXIT
cd "$dir"
npm install --silent --no-audit --no-fund --ignore-scripts @tensorflow/tfjs@4.22.0
python3 -m venv v
v/bin/pip install --quiet --disable-pip-version-check keras==3.15.1 jax==0.10.2 numpy==2.4.6

cat > run.js <<'JS'
const tf = require("@tensorflow/tfjs");
const image = tf.range(0, 36).reshape([1, 6, 6, 1]);
const show = (title, result) => console.log(`tfjs, ${title}: ${result.slice([0, 0, 0, 0], [1, 1, -1, 1]).dataSync().join(" ")}`);
const same = { kernelSize: 3, padding: "same" };
for (const dilationRate of [1, 2]) {
  const depthwise = tf.layers.depthwiseConv2d({ ...same, dilationRate, depthwiseInitializer: "ones" });
  const transposed = tf.layers.conv2dTranspose({ ...same, dilationRate, filters: 1, kernelInitializer: "ones" });
  show(`DepthwiseConv2D, dilation ${dilationRate}`, depthwise.apply(image));
  show(`Conv2DTranspose, dilation ${dilationRate}`, transposed.apply(image));
}
show("tf.depthwiseConv2d, dilation 2", tf.depthwiseConv2d(image, tf.ones([3, 3, 1, 1]), 1, "same", "NHWC", 2));
JS
cat > run.py <<'PY'
import keras
import numpy as np

image = np.arange(36, dtype=np.float32).reshape(1, 6, 6, 1)
for rate in (1, 2):
    same = {"kernel_size": 3, "padding": "same", "dilation_rate": rate}
    depthwise = keras.layers.DepthwiseConv2D(**same, depthwise_initializer="ones")
    transposed = keras.layers.Conv2DTranspose(1, **same, kernel_initializer="ones")
    for layer in (depthwise, transposed):
        row = " ".join(f"{value:.0f}" for value in np.asarray(layer(image))[0, 0, :, 0])
        print(f"Keras, {type(layer).__name__}, dilation {rate}: {row}")
PY

# Correct would be the same numbers in both.
cat > seen.txt <<'TXT'
tfjs, DepthwiseConv2D, dilation 1: 14 24 30 36 42 30
tfjs, Conv2DTranspose, dilation 1: 14 24 30 36 42 30
tfjs, DepthwiseConv2D, dilation 2: 14 24 30 36 42 30
tfjs, Conv2DTranspose, dilation 2: 14 24 30 36 42 30
tfjs, tf.depthwiseConv2d, dilation 2: 28 32 48 54 36 40
Keras, DepthwiseConv2D, dilation 1: 14 24 30 36 42 30
Keras, Conv2DTranspose, dilation 1: 14 24 30 36 42 30
Keras, DepthwiseConv2D, dilation 2: 28 32 48 54 36 40
Keras, Conv2DTranspose, dilation 2: 28 32 48 54 36 40
TXT
{ node run.js && KERAS_BACKEND=jax v/bin/python run.py; } 2> errors.txt | grep -E "^(tfjs|Keras)," > now.txt || { cat errors.txt; exit 1; }
diff seen.txt now.txt && echo "TensorFlow.js 4.22.0 still ignores dilation:" && cat now.txt
