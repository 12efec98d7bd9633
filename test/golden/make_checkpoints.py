"""Writes checkpoints/*.pth with torch: small files of each form that weights are saved in.

    python3 -m venv v && v/bin/pip install --requirement bench/requirements.txt
    v/bin/python test/golden/make_checkpoints.py
"""
import argparse
import functools
import logging
import pathlib
from collections import Counter, OrderedDict

import numpy as np
import torch

FOLDER = pathlib.Path(__file__).parent / "checkpoints"


def tensors():
    """Returns tensors of each kind, with views of one storage among them."""
    matrix = torch.tensor([[1.0, 2.0, 3.0], [4.0, 5.0, 6.0]])
    return OrderedDict(
        weight=matrix,
        transposed=matrix.t(),
        tail=matrix.flatten()[4:],
        channels_last=torch.arange(8.0).reshape(1, 2, 2, 2).to(memory_format=torch.channels_last),
        parameter=torch.nn.Parameter(torch.tensor([0.5, -0.5])),
        half=torch.tensor([0.25, 3.0]).half(),
        bfloat16=torch.tensor([0.25, 3.0]).bfloat16(),
        double=torch.tensor([0.25, 3.0]).double(),
        steps=torch.tensor(7),
    )


def main():
    FOLDER.mkdir(exist_ok=True)
    torch.save(tensors(), FOLDER / "zip.pth")
    torch.save(tensors(), FOLDER / "legacy.pth", _use_new_zipfile_serialization=False)
    model = torch.nn.Sequential(OrderedDict(conv=torch.nn.Conv2d(1, 2, 1), norm=torch.nn.BatchNorm2d(2)))
    with torch.no_grad():
        model.conv.weight.copy_(torch.tensor([1.0, 2.0]).reshape(2, 1, 1, 1))
        model.conv.bias.copy_(torch.tensor([3.0, 4.0]))
    optimizer = torch.optim.Adam(model.parameters())
    model(torch.ones(1, 1, 2, 2)).sum().backward()
    optimizer.step()
    torch.save(model, FOLDER / "module.pth")
    everything = {
        "state_dict": model.state_dict(),
        "optimizer": optimizer.state_dict(),
        "arch": "efficientnet",
        "args": argparse.Namespace(
            model="tf_efficientnet_lite0", mean=[0.5, 0.25, 0.125], std=(1.0, 2.0, 4.0), output=pathlib.PurePosixPath("out")
        ),
        "log": logging.getLogger("training"),
        "parse": functools.partial(int, base=2),
        "counts": Counter("aab"),
        "metric": np.float64(0.5),
        "epoch": 3,
    }
    torch.save(everything, FOLDER / "nested.pth")


if __name__ == "__main__":
    main()
