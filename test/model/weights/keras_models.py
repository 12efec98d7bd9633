"""Writes Keras files of networks with few arrays, and of any layers before and after them, and reads each.

    keras_models.py [FILE]

It takes a list of models as JSON from its standard input, and prints what the reader returns for each: `tensors` and `conventions`, or
the `problem`. FILE gets the first. In a model, `before` and `after` list layers, each as [class, options, arrays by weight, calls], where
a weight may be of a layer within, such as `query/kernel`; `backbone` replaces options of its layers by name; `side` is the side of its
images; `isFlat` tells that the network is no model of its own within the model; `isLegacy` makes a file as before Keras 3.
"""
import io
import json
import os
import sys
import zipfile

import h5py
import numpy as np

sys.path.insert(0, os.path.join(os.path.dirname(__file__), "../../../scripts"))
from weights.keras_file import convert_keras  # noqa: E402
from weights.problem import Problem  # noqa: E402

NORM = {"epsilon": 1e-3}
NAMES = {
    "BatchNormalization": "batch_normalization",
    "Conv2D": "conv2d",
    "DepthwiseConv2D": "depthwise_conv2d",
    "LayerNormalization": "layer_normalization",
    "MultiHeadAttention": "multi_head_attention",
    "PReLU": "p_re_lu",
}


def entry(kind, options, arrays=None, calls=None, name=None):
    own = {"name": name or f"my_{kind.lower()}", **options}
    return {"class_name": kind, "config": own, "inbound_nodes": calls or [], "arrays": arrays or {}}


def ones(count):
    """Returns the arrays of a batch norm that changes nothing but by its epsilon."""
    ones, zeros = [1] * count, [0] * count
    return {"gamma": ones, "beta": zeros, "moving_mean": zeros, "moving_variance": ones}


def named(layers):
    """Gives each layer a name of its own."""
    entries = [entry(*layer) for layer in layers]
    for index, one in enumerate(entries):
        one["config"]["name"] += f"_{index}"
    return entries


def layers_of(model):
    """Returns the configuration of a model."""
    backbone = [
        entry("ZeroPadding2D", {"padding": [[0, 1], [0, 1]]}, name="stem_conv_pad"),
        entry("Conv2D", {"use_bias": False, "strides": [2, 2]}, {"kernel": [[[[1, 2]] * 3] * 3] * 3}, name="stem_conv"),
        entry("BatchNormalization", NORM, ones(2), name="stem_bn"),
        entry("Activation", {"activation": "relu6"}, name="stem_activation"),
        entry("DepthwiseConv2D", {"use_bias": False, "strides": [1, 1]}, {"depthwise_kernel": [[[[3], [4]]]]}, name="block1a_dwconv"),
        entry("Conv2D", {"use_bias": False, "strides": [1, 1]}, {"kernel": [[[[1, 2, 3], [4, 5, 6]]]]}, name="top_conv"),
        entry("BatchNormalization", NORM, ones(3), name="top_bn"),
        entry("Activation", {"activation": "relu6"}, name="top_activation"),
    ]
    for layer in backbone:
        layer["config"] |= model.get("backbone", {}).get(layer["config"]["name"], {})
    side = model.get("side", 48)
    images = entry("InputLayer", {"batch_shape": [None, side, side, 3]}, name="images")
    before, after = named(model.get("before", [])), named(model.get("after", []))
    own = [images, *before, *backbone]
    ends = {"input_layers": ["images", 0, 0], "output_layers": [["last", 0, 0]]}
    if model.get("isFlat"):
        layers = [*own, *after]
    else:
        inner = {"class_name": "Functional", "config": {"name": "efficientnetb0", "layers": [images, *backbone], **ends}}
        outer = entry("InputLayer", {"batch_shape": [None, 33, 33, 3]}, name="outer")
        layers = [outer, *before, inner, *after]
    ends["output_layers"] = ends["output_layers"] * model.get("outputs", 1)
    return {"class_name": "Functional", "config": {"name": "model", "layers": layers, **ends}}


def write(h5, model, layers, path, top=None):
    """Writes arrays by the numbers of their layers; before Keras 3, by the names of theirs."""
    counts = {}
    for layer in layers:
        kind, name = layer["class_name"], layer["config"]["name"]
        counts[kind] = counts.get(kind, -1) + 1
        own = NAMES.get(kind, kind.lower()) + (f"_{counts[kind]}" if counts[kind] else "")
        if "layers" in layer["config"]:
            write(h5, model, layer["config"]["layers"], f"{path}/{own}/layers", name)
        for index, (weight, values) in enumerate(layer.pop("arrays", {}).items()):
            legacy = f"model_weights/{top or name}/{name}/{weight}:0"
            *within, weight = weight.split("/")
            numbered = "/".join([path, own, *within, "vars", str(index)])
            place = legacy if model.get("isLegacy") else numbered
            h5[place] = np.array(values, "i1" if model.get("isQuantized") and kind == "Dense" else "f4")


def file_of(model):
    """Returns the bytes of a model's file."""
    config, content, file = layers_of(model), io.BytesIO(), io.BytesIO()
    with h5py.File(content, "w") as h5:
        write(h5, model, config["config"]["layers"], "layers")
        for name, values in model.get("extra", {}).items():
            h5[name] = np.array(values, "f4")
        if model.get("isLegacy"):
            h5.attrs["model_config"] = json.dumps(config)
    if model.get("isLegacy"):
        return content.getvalue()
    with zipfile.ZipFile(file, "w") as archive:
        archive.writestr("config.json", json.dumps(config))
        archive.writestr("model.weights.h5", content.getvalue())
    return file.getvalue()


def read(file):
    try:
        tensors, metadata = convert_keras(io.BytesIO(file), len(file))
    except Problem as problem:
        return {"problem": problem.parts}
    numbers = {name: array.ravel().tolist() for name, array in tensors.items()}
    return {"tensors": numbers, "conventions": json.loads(metadata["ferkit.keras"])}


files = [file_of(model) for model in json.load(sys.stdin)]
if len(sys.argv) > 1:
    with open(sys.argv[1], "wb") as target:
        target.write(files[0])
print(json.dumps([read(file) for file in files]))
