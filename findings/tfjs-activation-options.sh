#!/usr/bin/env bash
# TensorFlow.js 4.22.0: layers drop options that they do not know. ReLU has only its maximum, so the negative slope and the threshold of
# Keras are lost, and LeakyReLU reads the slope under its name in Keras 2: a model described by Keras 3 gets 0.3 instead of its own.
# Weights and shapes fit, so the model loads and predicts something else. Nothing is reported.
# Until it changes: compare a few predictions after a conversion, and write LeakyReLU with alpha, as in the last line of the output.
set -euo pipefail
dir="$(mktemp -d)"
trap 'rm -rf "$dir"' EXIT
cd "$dir"
npm install --silent --no-audit --no-fund --ignore-scripts @tensorflow/tfjs@4.22.0
python3 -m venv v
v/bin/pip install --quiet --disable-pip-version-check keras==3.15.1 jax==0.10.2 numpy==2.4.6

cat > run.py <<'PY'
import json

import keras
import numpy as np

inputs = np.array([[-2, -1, 0.25, 1, 8]], np.float32)
layers = [
    keras.layers.ReLU(max_value=6, negative_slope=0.1),
    keras.layers.ReLU(threshold=0.5),
    keras.layers.LeakyReLU(negative_slope=0.1),
]
described = []
for layer in layers:
    config = layer.get_config()
    options = {key: config[key] for key in ("max_value", "negative_slope", "threshold") if key in config}
    described.append({"name": type(layer).__name__, "options": options, "inputs": inputs.tolist()})
    print(f"Keras, {type(layer).__name__}:", " ".join(f"{value:.2f}" for value in np.asarray(layer(inputs)).ravel()))
with open("layers.json", "w") as file:
    json.dump(described, file)
PY
cat > run.js <<'JS'
const tf = require("@tensorflow/tfjs");
async function show(title, name, options, inputs) {
  const data = tf.tensor(inputs);
  const config = { name: "layer", batch_input_shape: [null, ...data.shape.slice(1)], ...options };
  const description = { class_name: "Sequential", config: { name: "model", layers: [{ class_name: name, config }] } };
  const model = await tf.models.modelFromJSON(description);
  console.log(`tfjs, ${title}: ${Array.from(model.predict(data).dataSync(), (value) => value.toFixed(2)).join(" ")}`);
}
(async () => {
  const layers = require("./layers.json");
  for (const { name, options, inputs } of layers) await show(name, name, options, inputs);
  await show("LeakyReLU with alpha", "LeakyReLU", { alpha: 0.1 }, layers[0].inputs);
})();
JS

# Correct would be the same numbers in both.
cat > seen.txt <<'TXT'
Keras, ReLU: -0.20 -0.10 0.25 1.00 6.00
Keras, ReLU: 0.00 0.00 0.00 1.00 8.00
Keras, LeakyReLU: -0.20 -0.10 0.25 1.00 8.00
tfjs, ReLU: 0.00 0.00 0.25 1.00 6.00
tfjs, ReLU: 0.00 0.00 0.25 1.00 8.00
tfjs, LeakyReLU: -0.60 -0.30 0.25 1.00 8.00
tfjs, LeakyReLU with alpha: -0.20 -0.10 0.25 1.00 8.00
TXT
{ KERAS_BACKEND=jax v/bin/python run.py && node run.js; } 2> errors.txt | grep -E "^(tfjs|Keras)," > now.txt || { cat errors.txt; exit 1; }
diff seen.txt now.txt && echo "TensorFlow.js 4.22.0 still drops options:" && cat now.txt
