#!/usr/bin/env bash
# Keras 3.15.1: with gradient_accumulation_steps=4, the weights change at every fourth batch, but a learning rate schedule and the moving
# average of use_ema advance at every batch. A schedule for 8 updates is over after 2: cosine or linear decay trains with a rate near 0 for
# most of the run. The average follows the weights as if its momentum were 0.9 ** 4. optimizer.iterations does count updates.
# Until it changes: multiply the steps of a schedule by gradient_accumulation_steps, and take the fourth root of the momentum.
set -euo pipefail
dir="$(mktemp -d)"
trap 'rm -rf "$dir"' EXIT
cd "$dir"
python3 -m venv v
v/bin/pip install --quiet --disable-pip-version-check keras==3.15.1 jax==0.10.2 numpy==2.4.6

cat > run.py <<'PY'
import keras
import numpy as np

GRADIENT = np.array([-1], "float32")  # each update adds the learning rate


def train(accumulated, rate, **options):
    weight = keras.Variable(np.zeros(1, "float32"))
    optimizer = keras.optimizers.SGD(rate, gradient_accumulation_steps=accumulated, **options)
    optimizer.build([weight])
    for batch in range(8 * (accumulated or 1)):
        optimizer.apply([GRADIENT])
        if (batch + 1) % (accumulated or 1) == 0:
            yield float(weight[0]), optimizer
    print(f"({int(optimizer.iterations)} updates)", end=" ")


for accumulated in (None, 4):
    rate = keras.optimizers.schedules.PolynomialDecay(1.0, decay_steps=8, end_learning_rate=0.0)
    weights = [0] + [weight for weight, _ in train(accumulated, rate)]
    print(f"accumulating {accumulated or 1}, learning rates", *(f"{value:.2f}" for value in np.diff(weights)))
for accumulated in (None, 4):
    averages = [float(state._model_variables_moving_average[0][0]) for _, state in train(accumulated, 1.0, use_ema=True, ema_momentum=0.9)]
    print(f"accumulating {accumulated or 1}, averages of the weight 1, 2, ... 8:", *(f"{value:.2f}" for value in averages))
PY

# Correct would be the same numbers in each two lines.
cat > seen.txt <<'TXT'
(8 updates) accumulating 1, learning rates 1.00 0.88 0.75 0.62 0.50 0.38 0.25 0.12
(8 updates) accumulating 4, learning rates 0.62 0.12 0.00 0.00 0.00 0.00 0.00 0.00
(8 updates) accumulating 1, averages of the weight 1, 2, ... 8: 1.00 1.10 1.29 1.56 1.90 2.31 2.78 3.30
(8 updates) accumulating 4, averages of the weight 1, 2, ... 8: 1.00 1.10 1.51 2.12 2.87 3.70 4.59 5.52
TXT
KERAS_BACKEND=jax v/bin/python run.py > now.txt 2> errors.txt || { cat errors.txt; exit 1; }
diff seen.txt now.txt && echo "Keras 3.15.1 still counts batches:" && cat now.txt
