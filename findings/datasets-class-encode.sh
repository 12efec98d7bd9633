#!/usr/bin/env bash
# datasets 5.2.0 (Hugging Face): class_encode_column sorts labels as texts, also if they are integers. With 11 classes or more, class 2
# becomes 4, after 0, 1, 10 and 11. train_test_split asks for such a column to stratify, so a data set of 0 to 11 is often encoded
# although it needs no change. Weights, class names and predictions from before then mean other classes. Nothing is reported.
# Until it changes: use cast_column with ClassLabel(num_classes=12), as in the last line of the output.
set -euo pipefail
dir="$(mktemp -d)"
trap 'rm -rf "$dir"' EXIT
cd "$dir"
python3 -m venv v
v/bin/pip install --quiet --disable-pip-version-check datasets==5.2.0

cat > run.py <<'PY'
import datasets

datasets.disable_progress_bars()
for count in (10, 12):
    data = datasets.Dataset.from_dict({"label": list(range(count))})
    print(f"class_encode_column, {count} classes:", *data.class_encode_column("label")["label"][:])
print("cast_column, 12 classes:", *data.cast_column("label", datasets.ClassLabel(num_classes=12))["label"][:])
PY

# Expected by its user: each label stays what it is.
cat > seen.txt <<'TXT'
class_encode_column, 10 classes: 0 1 2 3 4 5 6 7 8 9
class_encode_column, 12 classes: 0 1 4 5 6 7 8 9 10 11 2 3
cast_column, 12 classes: 0 1 2 3 4 5 6 7 8 9 10 11
TXT
HF_HUB_OFFLINE=1 v/bin/python run.py > now.txt 2> errors.txt || { cat errors.txt; exit 1; }
diff seen.txt now.txt && echo "datasets 5.2.0 still renumbers labels:" && cat now.txt
