"""Writes small files of weights that ask their reader for much more memory or time than files of their size should.

    make_greedy_files.py FOLDER
"""
import io
import pickle
import sys
import zipfile
from pathlib import Path

import h5py
import numpy as np

folder = Path(sys.argv[1])


def text(value):
    return b"X" + len(value).to_bytes(4, "little") + value.encode()


def integer(value):
    return b"J" + value.to_bytes(4, "little")


def view(length):
    """Returns the instructions for a tensor of all numbers of the only storage."""
    storage = b"(" + text("storage") + b"ctorch\nFloatStorage\n" + text("0") + text("cpu") + integer(length) + b"tQ"
    sizes = integer(0) + b"(" + integer(length) + b"t(" + integer(1) + b"t"
    return b"ctorch._utils\n_rebuild_tensor_v2\n(" + storage + sizes + b"\x89ccollections\nOrderedDict\n)RtR"


def write_zip(name, data, numbers=None, compression=zipfile.ZIP_STORED):
    with zipfile.ZipFile(folder / name, "w", compression) as archive:
        archive.writestr("archive/data.pkl", data)
        if numbers is not None:
            archive.writestr("archive/data/0", numbers)


def dictionary(entries):
    return b"\x80\x02}(" + b"".join(text(name) + value for name, value in entries) + b"u."


length = 100_000
views = dictionary([(f"w{i}", view(length)) for i in range(400)])
write_zip("views.pth", views, np.ones(length, "<f4").tobytes())

nested = [1.0]
for _ in range(60):
    nested = [nested, nested]
write_zip("nested.pth", pickle.dumps({"a": nested}, 2))

deep = {}
for _ in range(300):
    deep = {"a": deep}
write_zip("deep.pth", pickle.dumps(deep, 2))

length = 2**25
write_zip("zeros.pth", dictionary([("w", view(length))]), bytes(4 * length), zipfile.ZIP_DEFLATED)

with h5py.File(folder / "huge.h5", "w") as h5:
    h5.create_dataset("layers/dense/vars/0", (2**20, 2**20), "f4", chunks=(64, 64))

(folder / "outside.bin").write_bytes(np.ones(4, "<f4").tobytes())
with h5py.File(folder / "outside.h5", "w") as h5:
    h5.create_dataset("layers/dense/vars/0", (4,), "f4", external=[(str(folder / "outside.bin"), 0, 16)])

content = io.BytesIO()
with h5py.File(content, "w") as h5:
    h5["layers/dense/vars/0"] = np.zeros(2**25, "f4")
with zipfile.ZipFile(folder / "zeros.keras", "w", zipfile.ZIP_DEFLATED) as archive:
    archive.writestr("config.json", "{}")
    archive.writestr("model.weights.h5", content.getvalue())
