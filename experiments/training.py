"""What train_bundled_model.py and train_ferplus_model.py share: the network, the loop, and the score."""
import sys
from pathlib import Path

import numpy as np
import torch
import torch.nn.functional as F

sys.path.insert(0, str(Path(__file__).parents[1] / "bench/python"))
from reference.efficientnet import build, normalize, reset_head  # noqa: E402
from reference.training import Ema, build_optimizer, learning_rate  # noqa: E402

DEVICE = "cuda" if torch.cuda.is_available() else "cpu"
# Options of ferkit's TrainConfig (src/config.ts).
AUGMENT = dict(
    horizontalFlip=0.5, rotation=15, translation=0.06, zoom=(0.9, 1.15), brightness=0.15, contrast=0.15, erasing=0.25
)
# Tries every line, in a minute.
SMOKE = dict(weights="random", imageSize=40, batchSize=16, epochs=1)


def build_network(variant, config):
    options = dict(drop_rate=config["dropoutRate"], drop_path_rate=config["dropPathRate"])
    network = build(f"{variant}.in1k", 7, "channels-last", pretrained=config["weights"] == "imagenet", **options)
    reset_head(network)
    return network.to(DEVICE)


def to_input(x):
    """Converts [n, 1, size, size] of 0-255 to three channels of [-1, 1]."""
    return normalize(x).expand(-1, 3, -1, -1).contiguous(memory_format=torch.channels_last)


def fit(networks, num_images, config, random, loss_of):
    """Trains networks on the same batches, and returns their EMAs, ready to predict.

    `loss_of(batch, progress)` returns the loss, summed over the networks, of the images with the indices `batch`;
    `progress` is the share of the steps that are done.
    """
    emas = [Ema(network, config["emaDecay"]) for network in networks]
    optimizer = build_optimizer((p for network in networks for p in network.parameters()), config, DEVICE == "cuda")
    batch_size, epochs = config["batchSize"], config["epochs"]
    num_batches = num_images // batch_size
    num_steps = num_batches * epochs
    for step in range(num_steps):
        if step % num_batches == 0:
            order = torch.from_numpy(random.permutation(num_images)).to(DEVICE)
        for group in optimizer.param_groups:
            group["lr"] = learning_rate(config, step, num_steps)
        start = step % num_batches * batch_size
        loss = loss_of(order[start : start + batch_size], step / num_steps)
        loss.backward()
        optimizer.step()
        optimizer.zero_grad()
        for network, ema in zip(networks, emas):
            ema.update(network)
        if (step + 1) % num_batches == 0:
            epoch = (step + 1) // num_batches
            print(f"epoch {epoch}/{epochs} loss {loss.item() / len(networks):.3f}", flush=True)
    return [ema.model for ema in emas]


def generators(seed):
    """Returns NumPy's generator and PyTorch's, for all random draws of a training."""
    torch.manual_seed(seed)
    return np.random.default_rng(seed), torch.Generator(DEVICE).manual_seed(seed)


def autocast():
    return torch.autocast(DEVICE, torch.bfloat16, enabled=DEVICE == "cuda")


def score(probs, labels):
    predicted, actual = F.one_hot(probs.argmax(1), 7).float(), F.one_hot(labels, 7).float()
    hits, count = (predicted * actual).sum(0), (predicted + actual).sum(0)
    return f"accuracy {hits.sum() / len(labels):.4f}, macro-F1 {(2 * hits / count.clamp(min=1)).mean():.4f}"
