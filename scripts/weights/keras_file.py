"""Reads Keras' files of weights: `.keras`, `.weights.h5` and `.h5`."""
import io
import json
import re
import zipfile

import h5py
import numpy as np

from weights.keras_layers import BACKBONE, read_model, refuse
from weights.limits import Budget
from weights.problem import Problem


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


def is_state(name):
    """True for what Keras saves besides layers: an optimizer, metrics, counters and seeds."""
    return re.match(r"_?(optimizer|metrics|loss)", name) is not None or re.search(r"seed_generator|count(:0)?$", name) is not None


def by_layer(tensors):
    """Returns the arrays as Keras before version 3 names them: by the layer of the outermost model, those within, and the weight."""
    named = {}
    for name, array in tensors.items():
        *layers, weight = name.removeprefix("model_weights/").split(":")[0].split("/")
        is_depthwise = bool(layers) and layers[-1].endswith("dwconv") and weight == "kernel"
        named[(*layers, "depthwise_kernel" if is_depthwise else weight)] = array
    return named


def from_layers(tensors, config, is_legacy):
    """Returns the arrays and conventions of a file that describes its layers, of which each must be accounted for."""
    rest = by_layer(tensors) if is_legacy else {tuple(name.split("/")): array for name, array in tensors.items()}

    def keys_of(path, top, layer):
        if not is_legacy:
            return [key for key in rest if key[: len(path)] == path]
        return [key for key in rest if key[0] == top and (top == layer or layer in key[1:-1])]

    def arrays_of(path, top, layer, weights):
        path = tuple(path.split("/"))
        own, arrays = keys_of(path, top, layer), {}
        for i, weight in enumerate(weights):
            found = [key for key in own if (key[-2:] == (layer, weight) if is_legacy else key == (*path, "vars", str(i)))]
            if len(found) != 1:
                raise Problem(f"{'two arrays' if found else 'no array'} for {layer}/{weight}")
            arrays[weight] = rest[found[0]]
            own.remove(found[0])
            del rest[found[0]]
        count = (*path, "vars", "2") if "variance" in arrays else None  # of a normalization's images
        others = ["/".join(key) for key in own if key != count]
        for key in own:
            del rest[key]
        return arrays, others

    tensors, conventions = read_model(config, arrays_of)
    if rest:
        raise Problem(
            f"the array {'/'.join(next(iter(rest)))}, which belongs to no layer",
            expected="a Keras file whose arrays are all of the layers that it lists",
            fix="Save the whole functional or sequential model again as .keras.",
        )
    return tensors, {**conventions, **padding_of(config)}


def padding_of(config):
    """Returns how the model pads whose layers are those of the network, by the size that it was built for, and that size."""
    layers = config["config"]["layers"]
    if not any(layer["config"].get("name") == "stem_conv" for layer in layers):
        inner = (layer for layer in layers if isinstance(layer["config"].get("layers"), list))
        return next((found for found in map(padding_of, inner) if found), {})
    inputs = [layer["config"] for layer in layers if layer["class_name"] == "InputLayer"]
    shape = (inputs[0].get("batch_shape") or inputs[0].get("batch_input_shape")) if inputs else None
    size = {"image_size": shape[1]} if shape and shape[1] is not None else {}
    if not any(layer["config"].get("name") == "stem_conv_pad" for layer in layers):
        return {"padding": "same", **size}
    return {"padding": "even" if shape[1] is None else "same", **size} if shape else {}


def from_arrays(tensors, is_legacy):
    """Returns the arrays and conventions of a file that has nothing but arrays, of which some may be of a normalization."""
    if is_legacy:
        named = {}
        for key, array in by_layer(tensors).items():
            name = "/".join(key[-2:])
            if name in named and BACKBONE.match(name):
                raise Problem(f"two arrays named {name}")
            named["/".join(key) if name in named else name] = array
        tensors = named
    pattern = re.compile(r"(?P<layer>(.*/)?normalization(_\d+)?)/(vars/0|mean)$")
    layers = [match["layer"] for match in map(pattern.match, tensors) if match]
    if len(layers) > 1:
        raise refuse(f"two Normalization layers ({', '.join(layers)}) without their order")
    if not layers:
        return tensors, {}
    own = [name for name in tensors if name.startswith(f"{layers[0]}/")]
    mean, variance = (tensors[name].astype("f8").ravel() for name in own[:2])
    # ImageNet's weights have deviations in place of variances, which a second scale sets right.
    is_imagenet = np.allclose(variance, [0.229, 0.224, 0.225], atol=1e-4)
    deviation = variance if is_imagenet else np.sqrt(variance)
    spread = lambda values: np.broadcast_to(255 * values, 3).tolist()  # noqa: E731
    rest = {name: array for name, array in tensors.items() if name not in own}
    return rest, {"preprocessing": {"mean": spread(mean), "std": spread(deviation)}}


def convert_keras(file, size):
    """Returns the arrays of a Keras file of `size` bytes by name, and metadata."""
    config = {}
    budget = Budget(size)
    if zipfile.is_zipfile(file):
        archive = zipfile.ZipFile(file)
        config = json.loads(budget.read(archive, "config.json"))
        file = io.BytesIO(budget.read(archive, "model.weights.h5"))
    tensors, attributes = read_h5(file, budget)
    is_legacy = not any("/vars/" in name for name in tensors)
    if is_legacy:
        config = json.loads(attributes.get("model_config", "{}"))
    tensors = {name: array for name, array in tensors.items() if not is_state(name)}
    # A model of a class of its own has a configuration without layers.
    has_layers = isinstance(config.get("config"), dict) and isinstance(config["config"].get("layers"), list)
    tensors, conventions = from_layers(tensors, config, is_legacy) if has_layers else from_arrays(tensors, is_legacy)
    return tensors, {"ferkit.keras": json.dumps(conventions)}
