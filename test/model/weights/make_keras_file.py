"""Writes a Keras file with few arrays, of a network built for one input size or for any.

    make_keras_file.py FILE SIDE|None VARIANCE
"""
import io
import json
import sys
import zipfile

import h5py
import numpy as np

file, side, variance = sys.argv[1], None if sys.argv[2] == "None" else int(sys.argv[2]), float(sys.argv[3])
scale = [2.0, 4.0, 5.0]
inner = {
    "class_name": "Functional",
    "config": {
        "name": "efficientnetb0",
        "layers": [
            {"class_name": "InputLayer", "config": {"name": "input", "batch_shape": [None, side, side, 3]}},
            {"class_name": "Rescaling", "config": {"name": "rescaling", "scale": 1 / 255}},
            {"class_name": "Normalization", "config": {"name": "normalization"}},
            {"class_name": "Rescaling", "config": {"name": "rescaling_1", "scale": scale}},
            {"class_name": "ZeroPadding2D", "config": {"name": "stem_conv_pad", "padding": [[0, 1], [0, 1]]}},
        ],
    },
}
outer_input = {"class_name": "InputLayer", "config": {"name": "outer", "batch_shape": [None, 48, 48, 3]}}
config = {"class_name": "Functional", "config": {"name": "model", "layers": [outer_input, inner]}}
content = io.BytesIO()
with h5py.File(content, "w") as h5:
    h5["layers/functional/layers/normalization/vars/0"] = np.array([0.2, 0.4, 0.6], "f4")
    h5["layers/functional/layers/normalization/vars/1"] = np.full(3, variance, "f4")
    h5["layers/functional/layers/batch_normalization/vars/0"] = np.zeros(2, "f4")
    h5["layers/dense/vars/1"] = np.array([7, -1], "i1")
    h5["layers/dense/vars/0"] = np.array([[1, 2], [3, 4]], "f2")
with zipfile.ZipFile(file, "w") as archive:
    archive.writestr("config.json", json.dumps(config))
    archive.writestr("model.weights.h5", content.getvalue())
