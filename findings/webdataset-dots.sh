#!/usr/bin/env bash
# webdataset 1.0.2: the name of a sample ends at the first dot of the file name, and neighbours with the same name are one sample.
# The files cat.0.jpg, cat.1.jpg and cat.2.jpg, named as in a well-known data set of cats and dogs, become one sample with three
# fields, and a loader that asks for "jpg" finds none. 25,000 images are two samples, without a warning.
# Until it changes: rename files (cat-0.jpg) before packing them into a tar.
set -euo pipefail
dir="$(mktemp -d)"
trap 'rm -rf "$dir"' EXIT
cd "$dir"
python3 -m venv v
v/bin/pip install --quiet --disable-pip-version-check webdataset==1.0.2 numpy==2.4.6

cat > run.py <<'PY'
import tarfile
from pathlib import Path

import webdataset

for animal in ("cat", "dog"):
    for i in range(3):
        Path(f"{animal}.{i}.jpg").write_bytes(b"\xff\xd8")  # only the names matter here
files = sorted(Path(".").glob("*.jpg"))
with tarfile.open("shard.tar", "w") as tar:
    for file in files:
        tar.add(file)
print(f"{len(files)} files")
for sample in webdataset.WebDataset("shard.tar", shardshuffle=False):
    print("sample", sample["__key__"], *sorted(field for field in sample if not field.startswith("__")))
PY

# Expected by its user: six samples, each with the field jpg.
cat > seen.txt <<'TXT'
6 files
sample cat 0.jpg 1.jpg 2.jpg
sample dog 0.jpg 1.jpg 2.jpg
TXT
v/bin/python run.py > now.txt 2> errors.txt || { cat errors.txt; exit 1; }
diff seen.txt now.txt && echo "webdataset 1.0.2 still joins them:" && cat now.txt
