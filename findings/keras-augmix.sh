#!/usr/bin/env bash
# Keras 3.15.1: AugMix chooses its operations with Python's random module. In tf.data (map) and in a model that TensorFlow compiles, that
# happens once, when the function is traced: the whole training uses the same few operations, and only their strength varies. Which ones
# depends on Python's random state, not on the layer's seed. RandAugment draws for each batch, as did AugMix when called directly.
# Until it changes: use RandAugment, or AugMix in a model that is compiled with run_eagerly=True.
# Installs TensorFlow, which takes some minutes.
set -euo pipefail
dir="$(mktemp -d)"
trap 'rm -rf "$dir"' EXIT
cd "$dir"
python3 -m venv v
v/bin/pip install --quiet --disable-pip-version-check keras==3.15.1 tensorflow-cpu==2.21.0 numpy==2.4.6

cat > run.py <<'PY'
import keras
import numpy as np
import tensorflow as tf

BATCHES = 60
grey = np.full((1, 8, 8, 3), 100, "float32")  # posterization and solarization change it, the other operations do not


def changed(images):
    return sum(bool(np.abs(np.asarray(image) - grey).max() > 0.01) for image in images)


def layer(name):
    if name == "AugMix":
        return keras.layers.AugMix((0, 255), num_chains=1, chain_depth=1, seed=0)
    return keras.layers.RandAugment((0, 255), num_ops=1, factor=0.3, seed=0)


for name in ("AugMix", "RandAugment"):
    for python_seed in range(4):
        keras.utils.set_random_seed(python_seed)
        augment = layer(name)
        mapped = tf.data.Dataset.from_tensors(grey[0]).repeat(BATCHES).batch(1).map(lambda images: augment(images, training=True))
        counts = [changed(mapped)]
        augment = layer(name)
        counts.append(changed(augment(grey, training=True) for _ in range(BATCHES)))
        print(f"{name}, random.seed({python_seed}): of {BATCHES} batches, {counts[0]} change in tf.data, {counts[1]} if called directly")
PY

# Correct would be about the same numbers in both columns.
cat > seen.txt <<'TXT'
AugMix, random.seed(0): of 60 batches, 0 change in tf.data, 19 if called directly
AugMix, random.seed(1): of 60 batches, 0 change in tf.data, 25 if called directly
AugMix, random.seed(2): of 60 batches, 0 change in tf.data, 14 if called directly
AugMix, random.seed(3): of 60 batches, 60 change in tf.data, 20 if called directly
RandAugment, random.seed(0): of 60 batches, 19 change in tf.data, 19 if called directly
RandAugment, random.seed(1): of 60 batches, 19 change in tf.data, 19 if called directly
RandAugment, random.seed(2): of 60 batches, 19 change in tf.data, 19 if called directly
RandAugment, random.seed(3): of 60 batches, 19 change in tf.data, 19 if called directly
TXT
KERAS_BACKEND=tensorflow TF_CPP_MIN_LOG_LEVEL=3 v/bin/python run.py > now.txt 2> errors.txt || { cat errors.txt; exit 1; }
diff seen.txt now.txt && echo "Keras 3.15.1 still chooses once:" && cat now.txt
