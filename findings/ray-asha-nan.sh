#!/usr/bin/env bash
# Ray Tune 2.60.0: ASHA stops a trial if its metric is below a cutoff, and NaN is below nothing. A trial that has diverged is never stopped
# and trains to the end, while a trial with a large loss stops at the first rung. Of a search with large learning rates, most of the time
# goes to trials that are lost. Ray's MedianStoppingRule and PBT do treat NaN.
# Until it changes: report a very large finite loss instead of NaN, or stop the trial itself.
set -euo pipefail
dir="$(mktemp -d)"
trap 'rm -rf "$dir"' EXIT
cd "$dir"
python3 -m venv v
v/bin/pip install --quiet --disable-pip-version-check "ray[tune]==2.60.0" numpy==2.4.6

cat > run.py <<'PY'
import sys

import ray
from ray import tune
from ray.tune.schedulers import ASHAScheduler

DIVERGED = {"NaN": float("nan"), "1000000": 1e6}


def train(config):
    for epoch in range(1, 17):
        loss = DIVERGED[config["reported"]] if config["rate"] >= 10 and epoch > 1 else abs(config["rate"] - 0.1) + 1 / epoch
        tune.report({"loss": loss, "epoch": epoch})


ray.init(num_cpus=1, include_dashboard=False, log_to_driver=False, logging_level="ERROR")
for reported in DIVERGED:
    results = tune.Tuner(
        train,
        param_space={"rate": tune.grid_search([0.1, 0.5, 10, 1, 30]), "reported": reported},
        tune_config=tune.TuneConfig(
            metric="loss",
            mode="min",
            max_concurrent_trials=1,
            scheduler=ASHAScheduler(time_attr="epoch", max_t=16, grace_period=2, reduction_factor=2),
        ),
        run_config=tune.RunConfig(verbose=0, storage_path=sys.argv[1]),
    ).fit()
    epochs = [f"rate {result.config['rate']} {result.metrics['epoch']} epochs" for result in results]
    print(f"diverged trials report {reported}: {', '.join(epochs)}")
PY

# Correct would be 2 epochs for the rates 10 and 30 in both lines.
cat > seen.txt <<'TXT'
diverged trials report NaN: rate 0.1 16 epochs, rate 0.5 2 epochs, rate 10 16 epochs, rate 1 2 epochs, rate 30 16 epochs
diverged trials report 1000000: rate 0.1 16 epochs, rate 0.5 2 epochs, rate 10 2 epochs, rate 1 2 epochs, rate 30 2 epochs
TXT
RAY_USAGE_STATS_ENABLED=0 RAY_TMPDIR="$dir" v/bin/python run.py "$dir/results" 2> errors.txt | grep "^diverged" > now.txt || { cat errors.txt; exit 1; }
diff seen.txt now.txt && echo "Ray Tune 2.60.0 still trains them to the end:" && cat now.txt
