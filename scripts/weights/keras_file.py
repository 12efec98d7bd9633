"""Reads Keras' files of weights: `.keras`, `.weights.h5` and `.h5`."""
import io
import json
import re
import zipfile

import h5py
import numpy as np

from weights.limits import Budget
from weights.problem import Problem


def layers_of(config, path=()):
    """Yields the layers of a Keras configuration, each with the names of the models around it."""
    for layer in config.get("config", {}).get("layers", []) if isinstance(config.get("config"), dict) else []:
        yield path, layer
        yield from layers_of(layer, (*path, layer["config"].get("name")))


def keras_conventions(config, tensors):
    """Returns how the EfficientNet of a Keras configuration pads, and its mean and std for pixels of 0-255."""
    layers = list(layers_of(config))
    around = next((path for path, layer in layers if layer["config"].get("name") == "stem_conv_pad"), None)
    own = [layer for path, layer in layers if path == around]
    shapes = [layer["config"].get("batch_shape") for layer in own if layer["class_name"] == "InputLayer"]
    conventions = {}
    if around is not None and shapes and shapes[0]:
        conventions["padding"] = "even" if shapes[0][1] is None else "same"
    names = [name for name in tensors if re.search(r"(^|/)normalization/(vars/0|mean)$", name)]
    if len(names) == 1:
        mean = tensors[names[0]].astype("f8")
        variance_name = names[0].replace("vars/0", "vars/1").replace("/mean", "/variance")
        deviation = np.sqrt(tensors[variance_name].astype("f8"))
        scales = [np.asarray(layer["config"]["scale"], "f8") for layer in own if layer["class_name"] == "Rescaling"]
        before = scales[0] if scales else 1 / 255
        # ImageNet's weights have deviations in place of variances, which a second scale sets right.
        is_imagenet = np.allclose(tensors[variance_name], [0.229, 0.224, 0.225], atol=1e-4)
        after = scales[1] if len(scales) > 1 else 1 / deviation if not scales and is_imagenet else 1
        spread = np.broadcast_to
        conventions["preprocessing"] = {
            "mean": spread(mean.ravel() / before, 3).tolist(),
            "std": spread(deviation.ravel() / (before * after), 3).tolist(),
        }
    return conventions


def read_h5(file, budget):
    """Returns the arrays of an HDF5 file by name, and its attributes."""
    tensors = {}

    def visit(name, item):
        budget.visit(name)
        if isinstance(item, h5py.Dataset) and item.dtype.kind in "fiu":
            if item.external or item.is_virtual:
                raise Problem(f"numbers of {name} in another file")
            budget.spend(item.size * item.dtype.itemsize, "arrays")
            numbers = item[()]
            tensors[name] = np.ascontiguousarray(numbers, "<f4" if item.dtype.kind == "f" else "<i8").reshape(item.shape)

    with h5py.File(file, "r") as h5:
        h5.visititems(visit)
        return tensors, dict(h5.attrs)


def by_layer(name):
    """Returns the name that Keras before version 3 gives an array: its layer and its weight."""
    layer, weight = name.split(":")[0].split("/")[-2:]
    return f"{layer}/depthwise_kernel" if layer.endswith("dwconv") and weight == "kernel" else f"{layer}/{weight}"


def convert_keras(file, size):
    """Returns the arrays of a Keras file of `size` bytes by name, and metadata."""
    config = {}
    budget = Budget(size)
    if zipfile.is_zipfile(file):
        archive = zipfile.ZipFile(file)
        config = json.loads(budget.read(archive, "config.json"))
        file = io.BytesIO(budget.read(archive, "model.weights.h5"))
    tensors, attributes = read_h5(file, budget)
    if not any("/vars/" in name for name in tensors):
        text = attributes.get("model_config", "{}")
        config = json.loads(text)
        tensors = {by_layer(name): tensor for name, tensor in tensors.items() if "optimizer_weights" not in name}
    return tensors, {"ferkit.keras": json.dumps(keras_conventions(config, tensors))}
