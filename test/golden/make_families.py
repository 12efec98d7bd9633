"""Writes families.json: results of EfficientNets that pad and normalise in other ways, which the tests compare ferkit with.

    python3 -m venv v && v/bin/pip install --requirement bench/requirements.txt
    v/bin/python test/golden/make_families.py > test/golden/families.json

Weights and images are those of make_golden.py, scaled to [-1, 1]. `names` is the SHA-256 of the tensors' names in the order of
ferkit's parameters, one a line.
"""
import hashlib
import json
import os
import sys
import tempfile
from pathlib import Path

os.environ["KERAS_BACKEND"] = "torch"
import h5py
import keras
import numpy as np
import timm
import torch
import torchvision

sys.path.insert(0, str(Path(__file__).parent))
from make_golden import formula_weights, image, normalized  # noqa: E402
from reference.efficientnet import build, parameter_names, to_tensorflow  # noqa: E402

NUM_CLASSES = 7
SIZE = 48
REPEATS = (1, 2, 2, 3, 3, 4, 1)


def digest(names):
    return hashlib.sha256("\n".join(names).encode()).hexdigest()


def torch_family(model):
    """Returns logits, and the loss and some gradients of a training step."""
    model = model.double()
    names = formula_weights(model)
    images = normalized(image(SIZE, 0), image(SIZE, 1), image(SIZE, 2)).double()
    model.eval()
    with torch.no_grad():
        logits = model(images).tolist()
    model.train()
    loss = torch.nn.functional.cross_entropy(model(images), torch.tensor([0, 1, 4]))
    loss.backward()
    norms = {t: model.get_parameter(n).grad.norm().item() for t, n in enumerate(names) if model.state_dict()[n].dim() == 4}
    return {"logits": logits, "loss": loss.item(), "gradientNorms": norms, "names": digest(names)}


def keras_layers():
    """Lists Keras' layers in the order of ferkit's parameters, each with its number of arrays."""
    layers = [("stem_conv", 1), ("stem_bn", 4)]
    for stage, repeats in enumerate(REPEATS, 1):
        for index in range(repeats):
            block = f"block{stage}{chr(ord('a') + index)}_"
            expand = [("expand_conv", 1), ("expand_bn", 4)] if stage > 1 else []
            rest = [("dwconv", 1), ("bn", 4), ("se_reduce", 2), ("se_expand", 2), ("project_conv", 1), ("project_bn", 4)]
            layers += [(block + layer, count) for layer, count in expand + rest]
    return [*layers, ("top_conv", 1), ("top_bn", 4), ("predictions", 2)]


def keras_family(input_size):
    base = keras.applications.EfficientNetB0(
        weights=None, include_top=False, pooling="avg", input_shape=(input_size, input_size, 3)
    )
    model = keras.Model(base.input, keras.layers.Dense(NUM_CLASSES, name="predictions")(base.output))
    reference = build("b0", NUM_CLASSES)
    formula_weights(reference)
    state = reference.state_dict()
    values = iter(parameter_names(reference))
    for layer, count in keras_layers():
        name = "depthwise_kernel" if layer.endswith("dwconv") else "kernel"
        own = [np.asarray(to_tensorflow(name, state[next(values)])) for _ in range(count)]
        model.get_layer(layer).set_weights(own)
    pixels = torch.stack([image(SIZE, seed) for seed in range(3)]).permute(0, 2, 3, 1).numpy()
    # The network divides by 255.
    logits = model((pixels - 127.5) * 2, training=False).detach().numpy()
    return {"logits": logits.astype("f8").tolist(), "names": digest(keras_names(model))}


def keras_names(model):
    """Returns where the arrays of each layer are in a file of weights."""
    order = []
    for number, (layer, count) in enumerate(keras_layers()):
        arrays = model.get_layer(layer).get_weights()
        model.get_layer(layer).set_weights([np.full_like(array, 10 * number + i) for i, array in enumerate(arrays)])
        order += [10 * number + i for i in range(count)]
    with tempfile.TemporaryDirectory() as folder:
        file = Path(folder, "b0.weights.h5")
        model.save_weights(file)
        found = {}
        with h5py.File(file) as h5:
            h5.visititems(
                lambda name, item: found.update({float(item[()].flat[0]): name})
                if isinstance(item, h5py.Dataset) and "/normalization/" not in name
                else None
            )
    return [found[number].removeprefix("layers/") for number in order]


if __name__ == "__main__":
    options = {"num_classes": NUM_CLASSES, "drop_rate": 0.0, "drop_path_rate": 0.0}
    torchvision_options = {"num_classes": NUM_CLASSES, "dropout": 0.0, "stochastic_depth_prob": 0.0}
    versions = {one.__name__: one.__version__ for one in (torch, timm, torchvision, keras)}
    families = {
        "timm efficientnet_lite0": torch_family(timm.create_model("efficientnet_lite0", **options)),
        "timm efficientnet_b0": torch_family(timm.create_model("efficientnet_b0", **options)),
        "torchvision efficientnet_b0": torch_family(torchvision.models.efficientnet_b0(**torchvision_options)),
        "Keras EfficientNetB0": keras_family(SIZE),
        "Keras EfficientNetB0 of any size": keras_family(None),
    }
    rounded = json.dumps({"versions": versions, **families}, default=float)
    json.dump(json.loads(rounded, parse_float=lambda text: float(f"{float(text):.7g}")), sys.stdout, indent=1)
    print()
