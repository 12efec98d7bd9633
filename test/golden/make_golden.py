"""Writes efficientnet.json: results of timm's EfficientNet, which the tests compare ferkit with.

    python3 -m venv v && v/bin/pip install --requirement bench/requirements.txt
    v/bin/python test/golden/make_golden.py > test/golden/efficientnet.json

Images and weights are formulas, so the tests need no files: `image` and `formula_weights`, repeated in test/golden/golden.ts.
"""
import json
import math
import sys
from pathlib import Path

import numpy as np
import timm
import torch

sys.path.insert(0, str(Path(__file__).parents[2] / "bench/python"))
from reference.efficientnet import build, load_imagenet_lite0, normalize, parameter_names  # noqa: E402


def noise(length, t):
    """Returns element i of tensor t for all i, in [-1, 1), mixed by multiplications modulo 2**32."""
    mixed = (np.arange(length, dtype=np.uint64) * 2654435761 + t * 97) % 2**32
    for shift, factor in ((15, 2246822519), (13, 3266489917)):
        mixed = (mixed ^ (mixed >> shift)) * factor % 2**32
    return torch.from_numpy(mixed.astype(np.float64) / 2**31 - 1)


def image(size, seed):
    """Returns noise in blocks of 4 pixels, so that it has some structure."""
    y, x, c = np.mgrid[0:size, 0:size, 0:3]
    blocks = noise(size * size * 3, 1000 + seed).numpy()
    pixels = np.floor((blocks[(y // 4 * size + x // 4) * 3 + c] + 1) * 127.99)
    return torch.from_numpy(pixels.astype(np.float32)).permute(2, 0, 1)


def normalized(*images):
    return normalize(torch.stack(images))


def formula_weights(model):
    """Sets noise as weights, row by row in torch's layout, scaled so that activations neither vanish nor explode."""
    state = model.state_dict()
    names = parameter_names(model)
    for t, name in enumerate(names):
        tensor = state[name]
        wave = noise(tensor.numel(), t).reshape(tensor.shape)
        if name.endswith("running_var"):
            value = 1 + 0.1 * wave
        elif tensor.dim() == 1 and name.endswith("weight"):
            value = 1 + 0.1 * wave
        elif tensor.dim() == 1:
            value = 0.1 * wave
        else:
            value = wave * math.sqrt(6 / (tensor.numel() / tensor.shape[0]))
        state[name] = value
    model.load_state_dict(state)
    return names


def pretrained_logits():
    model = build("lite0", 1000)
    load_imagenet_lite0(model)
    model.eval()
    with torch.no_grad():
        return {size: [round(v, 6) for v in model(normalized(image(size, 0)))[0].tolist()] for size in (224, 48)}


def training_step(variant, size, labels):
    model = build(variant, 7).double()  # the exact result, without float32's rounding
    names = formula_weights(model)
    images = normalized(*(image(size, seed) for seed in range(len(labels)))).double()
    model.eval()
    with torch.no_grad():
        logits = model(images).tolist()
    model.train()
    loss = torch.nn.functional.cross_entropy(model(images), torch.tensor(labels))
    loss.backward()
    gradients = {name: p.grad for name, p in model.named_parameters()}
    state = model.state_dict()
    index = {name: t for t, name in enumerate(names)}
    chosen = [n for n in names if n in gradients]
    return {
        "logits": logits,
        "loss": loss.item(),
        # Norm of the gradient by index of the parameter.
        "gradientNorms": {index[n]: gradients[n].norm().item() for n in chosen},
        "statistics": {
            index[n]: state[n].norm().item() for n in names if n.endswith(("running_mean", "running_var"))
        },
    }


if __name__ == "__main__":
    golden = {
        "versions": {"torch": torch.__version__, "timm": timm.__version__},
        "pretrainedLogits": {"lite0": pretrained_logits()},
        "parameters": {
            v: sum(p.numel() for p in build(v, 1000).parameters())
            for v in ["lite0", "lite1", "lite2", "lite3", "lite4", *(f"b{i}" for i in range(8))]
        },
        "trainingStep": {
            **{v: training_step(v, 48, [0, 1, 4]) for v in ("lite0", "b0")},
            # The last norms see four pixels only.
            "b0OneImage": training_step("b0", 33, [4]),
        },
    }
    json.dump(golden, sys.stdout)
