#!/usr/bin/env bash
# Optuna 5.0.0: a study that is continued with load_if_exists=True keeps its first direction, whatever direction is given. A search that was
# started without direction="maximize" minimizes an accuracy, and still does after the script was corrected: best_params are the worst ones
# and the pruner stops the best trials, without a warning. Until it changes: compare study.direction with the one you want, and choose
# another study_name if it differs.
set -euo pipefail
dir="$(mktemp -d)"
trap 'rm -rf "$dir"' EXIT
cd "$dir"
python3 -m venv v
v/bin/pip install --quiet --disable-pip-version-check optuna==5.0.0

cat > run.py <<'PY'
import warnings

import optuna

warnings.simplefilter("error")
optuna.logging.set_verbosity(optuna.logging.WARNING)


def accuracy(trial):
    rate = trial.suggest_categorical("learning_rate", [0.1, 0.01, 0.001])
    result = {0.1: 0.2, 0.01: 0.9, 0.001: 0.6}[rate]
    for epoch in range(4):
        trial.report(result, epoch)
        if trial.should_prune():
            raise optuna.TrialPruned()
    return result


def search(title, **options):
    study = optuna.create_study(
        study_name="faces",
        storage="sqlite:///study.db",
        load_if_exists=True,
        sampler=optuna.samplers.GridSampler({"learning_rate": [0.1, 0.01, 0.001]}, seed=0),
        pruner=optuna.pruners.MedianPruner(n_startup_trials=1, n_warmup_steps=1),
        **options,
    )
    study.optimize(accuracy, n_trials=1)
    pruned = [trial.params["learning_rate"] for trial in study.trials if trial.state.name == "PRUNED"]
    print(f"{title}: {study.direction.name}, best of {len(study.trials)} is {study.best_value}, pruned {pruned}")


search("first")
for _ in range(2):
    search('continued with direction="maximize"', direction="maximize")
PY

# Correct would be MAXIMIZE and 0.9 in the last line, or an error.
cat > seen.txt <<'TXT'
first: MINIMIZE, best of 1 is 0.6, pruned []
continued with direction="maximize": MINIMIZE, best of 2 is 0.6, pruned [0.01]
continued with direction="maximize": MINIMIZE, best of 3 is 0.2, pruned [0.01]
TXT
v/bin/python run.py > now.txt 2> errors.txt || { cat errors.txt; exit 1; }
grep . errors.txt && exit 1
diff seen.txt now.txt && echo "Optuna 5.0.0 still keeps the first direction:" && cat now.txt
