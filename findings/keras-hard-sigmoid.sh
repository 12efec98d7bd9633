#!/usr/bin/env bash
# Keras 3.15.1: hard_sigmoid has another slope than in Keras 2 (tf_keras 2.21.0) and TensorFlow.js 4.22.0: 1/6 instead of 1/5. A
# model that Keras 2 saved is loaded by Keras 3 without a warning and computes other gates and probabilities. The file has only
# the name of the function. Squeeze-and-excitation blocks and recurrent layers use it.
# Until it changes: write the function as layers (Rescaling, then ReLU with max_value=1) before the model changes hands.
# Installs TensorFlow, which takes some minutes.
set -euo pipefail
dir="$(mktemp -d)"
trap 'rm -rf "$dir"' EXIT
cd "$dir"
python3 -m venv v
v/bin/pip install --quiet --disable-pip-version-check tensorflow-cpu==2.21.0 tf_keras==2.21.0 keras==3.15.1
npm install --silent --no-audit --no-fund --ignore-scripts @tensorflow/tfjs@4.22.0

cat > run.py <<'PY'
import keras
import numpy as np
import tf_keras

old = tf_keras.Sequential([tf_keras.layers.Input((1,)), tf_keras.layers.Activation("hard_sigmoid")])
old.save("model.h5")
points = np.array([[-2.5], [-1], [1], [2.5]], "float32")
for title, model in (("Keras 2", old), ("Keras 3", keras.models.load_model("model.h5"))):
    print(f"hard sigmoid, {title}:", *[f"{value:.2f}" for value in np.asarray(model(points))[:, 0]])
PY
cat > run.js <<'JS'
const tf = require("@tensorflow/tfjs");
const values = tf.layers.activation({ activation: "hardSigmoid" }).apply(tf.tensor2d([[-2.5], [-1], [1], [2.5]])).dataSync();
console.log(`hard sigmoid, tfjs: ${Array.from(values, (value) => value.toFixed(2)).join(" ")}`);
JS

# Correct would be the same numbers in all lines.
cat > seen.txt <<'TXT'
hard sigmoid, Keras 2: 0.00 0.30 0.70 1.00
hard sigmoid, Keras 3: 0.08 0.33 0.67 0.92
hard sigmoid, tfjs: 0.00 0.30 0.70 1.00
TXT
v/bin/python run.py 2> errors.txt | grep "^hard" > now.txt || { cat errors.txt; exit 1; }
node run.js 2>> errors.txt | grep "^hard" >> now.txt || { cat errors.txt; exit 1; }
diff seen.txt now.txt && echo "Keras 3.15.1 still has another slope:" && cat now.txt
