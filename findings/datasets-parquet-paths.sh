#!/usr/bin/env bash
# datasets 5.2.0 (Hugging Face): to_parquet of a column of images writes the path of each file and no bytes, if the images came
# from files. The Parquet file looks complete and loads on the same machine. Copied elsewhere, or once the folder is gone, it has
# labels without images.
# Until it changes: read the files into bytes first, as in the last line of the output.
set -euo pipefail
dir="$(mktemp -d)"
trap 'rm -rf "$dir"' EXIT
cd "$dir"
python3 -m venv v
v/bin/pip install --quiet --disable-pip-version-check datasets==5.2.0 pillow==13.0.0

cat > run.py <<'PY'
import datasets
import pyarrow.parquet
from PIL import Image

datasets.disable_progress_bars()
Image.new("RGB", (48, 48), (200, 30, 30)).save("face.png")


def describe(title, image):
    data = datasets.Dataset.from_dict({"image": [image], "label": [0]}).cast_column("image", datasets.Image())
    data.to_parquet("faces.parquet")
    stored = pyarrow.parquet.read_table("faces.parquet").column("image")[0].as_py()
    print(f"{title}: bytes {'stored' if stored['bytes'] else 'missing'}, path {stored['path']}")


describe("from a path", "face.png")
describe("from bytes", {"bytes": open("face.png", "rb").read(), "path": None})
PY

cat > seen.txt <<'TXT'
from a path: bytes missing, path face.png
from bytes: bytes stored, path None
TXT
HF_HUB_OFFLINE=1 v/bin/python run.py > now.txt 2> errors.txt || { cat errors.txt; exit 1; }
diff seen.txt now.txt && echo "datasets 5.2.0 still writes paths:" && cat now.txt
