#!/usr/bin/env bash
# litdata 0.2.76: of a JPEG that was opened by Pillow, optimize stores the file, not the image. Whatever was changed in place is lost:
# thumbnail, paste, drawing (a covered watermark or name). A copy (resize, crop, convert) and other formats are stored as changed. So a
# data set of PNGs and JPEGs, each reduced with thumbnail, holds small PNGs and JPEGs of the original size. Nothing is reported.
# Until it changes: return image.copy(), as in the last lines of the output.
# Installs PyTorch, which takes some minutes.
set -euo pipefail
dir="$(mktemp -d)"
trap 'rm -rf "$dir"' EXIT
cd "$dir"
python3 -m venv v
v/bin/pip install --quiet --disable-pip-version-check litdata==0.2.76 torch==2.14.1 torchvision==0.29.1 numpy==2.4.6 pillow==13.0.0

cat > run.py <<'PY'
import litdata
import numpy as np
from PIL import Image


def reduced(path):
    image = Image.open(path)
    image.thumbnail((100, 100))
    return {"kind": path[2:], "image": image, "width": image.width}


def covered(path):
    image = Image.open(path)
    image.paste(255, (0, 0, 200, 150))  # the upper left quarter becomes white
    return {"kind": path[2:], "image": image, "width": image.width}


def copied(path):
    sample = covered(path)
    return {**sample, "image": sample["image"].copy()}


if __name__ == "__main__":
    for name in ("a.jpg", "a.png"):
        Image.new("L", (400, 300), 100).save(name)
    for change in (reduced, covered, copied):
        litdata.optimize(change, ["a.jpg", "a.png"], change.__name__, chunk_bytes="1MB", num_workers=1)
        for sample in litdata.StreamingDataset(change.__name__):
            pixels = np.asarray(sample["image"])  # a JPEG has channels first
            corner = pixels[..., 2, 2].max()
            sizes = f"{sample['width']} wide when returned, stored {pixels.shape[-1]}"
            print(f"{change.__name__} {sample['kind']}: {sizes}, corner {corner}")
PY

# Correct would be equal widths in each line, and 255 in the corner of all that are not reduced.
cat > seen.txt <<'TXT'
reduced jpg: 100 wide when returned, stored 400, corner 100
reduced png: 100 wide when returned, stored 100, corner 100
covered jpg: 400 wide when returned, stored 400, corner 100
covered png: 400 wide when returned, stored 400, corner 255
copied jpg: 400 wide when returned, stored 400, corner 255
copied png: 400 wide when returned, stored 400, corner 255
TXT
v/bin/python run.py > all.txt 2> errors.txt || { cat errors.txt; exit 1; }
grep wide all.txt > now.txt
diff seen.txt now.txt && echo "litdata 0.2.76 still stores the original files:" && cat now.txt
