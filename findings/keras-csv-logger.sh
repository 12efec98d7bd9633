#!/usr/bin/env bash
# Keras 3.15.1: CSVLogger with append=True keeps the header of an earlier session, but orders the values by the metrics of its own. One
# more metric or callback moves them to other columns: if "accuracy" replaces another metric, the column "loss" holds accuracies, and
# after ReduceLROnPlateau is added, learning rates. Without surplus columns, no reader of CSV files notices. Nothing is reported.
# Until it changes: write a new file for each session, and join them by column name.
set -euo pipefail
dir="$(mktemp -d)"
trap 'rm -rf "$dir"' EXIT
cd "$dir"
python3 -m venv v
v/bin/pip install --quiet --disable-pip-version-check keras==3.15.1 jax==0.10.2 numpy==2.4.6

cat > run.py <<'PY'
import csv

import keras
import numpy as np

x, y = np.eye(2, dtype="float32"), np.arange(2)
model = keras.Sequential([keras.Input((2,)), keras.layers.Dense(2, kernel_initializer="zeros")])


def train(title, start, metrics, *more):
    model.compile(keras.optimizers.SGD(4.0), keras.losses.SparseCategoricalCrossentropy(from_logits=True), metrics=metrics)
    logger = keras.callbacks.CSVLogger(f"{title}.csv", append=True)
    model.fit(x, y, validation_data=(x, y), epochs=start + 2, initial_epoch=start, verbose=0, callbacks=[*more, logger])


for title in ("another metric", "another callback"):
    model.layers[0].kernel.assign(np.zeros((2, 2)))
    top2 = [keras.metrics.SparseTopKCategoricalAccuracy(k=2, name="top2")]
    train(title, 0, top2)
    if title == "another metric":
        train(title, 2, ["accuracy"])
    else:
        train(title, 2, top2, keras.callbacks.ReduceLROnPlateau())
    with open(f"{title}.csv") as file:
        for row in csv.DictReader(file):
            surplus = row.pop(None, [])
            cells = [f"{name} {float(value):.4g}" for name, value in row.items()]
            print(f"{title}: {', '.join(cells)}", *surplus and [f"and {len(surplus)} more"])
PY

# Correct would be a falling loss, and top2 only for the epochs that have it.
cat > seen.txt <<'TXT'
another metric: epoch 0, loss 0.6931, top2 1, val_loss 0.1269, val_top2 1
another metric: epoch 1, loss 0.1269, top2 1, val_loss 0.08067, val_top2 1
another metric: epoch 2, loss 1, top2 0.08067, val_loss 1, val_top2 0.05979
another metric: epoch 3, loss 1, top2 0.05979, val_loss 1, val_top2 0.0477
another callback: epoch 0, loss 0.6931, top2 1, val_loss 0.1269, val_top2 1
another callback: epoch 1, loss 0.1269, top2 1, val_loss 0.08067, val_top2 1
another callback: epoch 2, loss 4, top2 0.08067, val_loss 1, val_top2 0.05979 and 1 more
another callback: epoch 3, loss 4, top2 0.05979, val_loss 1, val_top2 0.0477 and 1 more
TXT
KERAS_BACKEND=jax v/bin/python run.py > now.txt 2> errors.txt || { cat errors.txt; exit 1; }
diff seen.txt now.txt && echo "Keras 3.15.1 still mixes up the columns:" && cat now.txt
