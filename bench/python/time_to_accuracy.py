"""Trains in PyTorch with a TrainConfig of ferkit (src/config.ts), and yields the accuracy after each epoch."""
import time

import numpy as np
import torch
from torch.nn.functional import cross_entropy

from reference.augment import augment
from reference.efficientnet import MEMORY_FORMATS, build, load_imagenet_lite0, normalize, reset_head, to_input
from reference.images import load
from reference.training import Ema, build_optimizer, learning_rate

# Options that this program lacks, with the values that turn them off.
UNSUPPORTED = {
    "variant": "lite0",
    "weights": "imagenet",
    "headEpochs": 0,
    "trainableFrom": "stem",
    "classWeights": "none",
    "mixup": 0,
    "cutmix": 0,
    "mixShare": 1,
    "teachers": [],
    "teacherShare": 0.75,
    "patience": 0,
}
# headLearningRate has no effect without headEpochs.
SUPPORTED = {
    *("imageSize", "seed", "epochs", "batchSize", "learningRate", "headLearningRate", "schedule", "warmupShare"),
    *("weightDecay", "labelSmoothing", "emaDecay", "dropoutRate", "dropPathRate", "batchNormMomentum", "augment"),
}
VALIDATION_BATCH_SIZE = 256


def train(config, root, splits, num_classes, layout, head, until=None):
    """Trains on splits["train"] and yields {epoch, seconds, accuracy} after each epoch.

    The clock starts when the images are decoded, as in ferkit. Training stops when the accuracy `until` is reached.
    The last layer starts with timm's values (head="timm"), uniform within 1/sqrt(classes), or with ferkit's
    (head="ferkit"), within 1/sqrt(features), which train faster.
    """
    _check(config)
    train_pixels, train_labels = load(root, splits["train"], config["imageSize"])
    validation = load(root, splits["validation"], config["imageSize"])
    start = time.perf_counter()
    run = Run(config, num_classes, layout, head, len(train_labels) // config["batchSize"])
    for epoch in range(1, config["epochs"] + 1):
        run.train_epoch(train_pixels, train_labels)
        accuracy = run.accuracy(*validation)
        yield {"epoch": epoch, "seconds": time.perf_counter() - start, "accuracy": accuracy}
        if until is not None and accuracy >= until:
            break


class Run:
    """A model and everything that its training needs."""

    def __init__(self, config, num_classes, layout, head, num_batches):
        torch.manual_seed(config["seed"])
        self._config, self._layout, self._num_batches = config, layout, num_batches
        dropout = {"drop_rate": config["dropoutRate"], "drop_path_rate": config["dropPathRate"]}
        self._model = build("lite0", num_classes, layout, **dropout)
        load_imagenet_lite0(self._model)
        if head == "ferkit":
            reset_head(self._model)
        for module in self._model.modules():
            if isinstance(module, torch.nn.BatchNorm2d):
                module.momentum = config["batchNormMomentum"]
        self._ema = Ema(self._model, config["emaDecay"]) if config["emaDecay"] else None
        # Fused in the layout that is as fast as possible.
        fused = layout == "channels-last" or None
        self._optimizer = build_optimizer(self._model.parameters(), config, fused)
        self._generator = torch.Generator().manual_seed(config["seed"])
        self._shuffle = np.random.default_rng(config["seed"])
        self._num_steps = 0

    def train_epoch(self, pixels, labels):
        self._model.train()
        batch_size = self._config["batchSize"]
        order = self._shuffle.permutation(len(labels))
        for batch in order[: self._num_batches * batch_size].reshape(-1, batch_size):
            images = augment(to_input(pixels[batch]), self._config["augment"], self._generator)
            images = normalize(images).contiguous(memory_format=MEMORY_FORMATS[self._layout])
            self._step(images, torch.from_numpy(labels[batch]))

    @torch.inference_mode()
    def accuracy(self, pixels, labels):
        """Returns the share of images whose class is correct."""
        model = self._ema.model if self._ema else self._model.eval()
        num_correct = 0
        for i in range(0, len(labels), VALIDATION_BATCH_SIZE):
            images = normalize(to_input(pixels[i : i + VALIDATION_BATCH_SIZE], self._layout))
            predicted = model(images).argmax(1).numpy()
            num_correct += int((predicted == labels[i : i + VALIDATION_BATCH_SIZE]).sum())
        return num_correct / len(labels)

    def _step(self, images, labels):
        config = self._config
        rate = learning_rate(config, self._num_steps, config["epochs"] * self._num_batches)
        for group in self._optimizer.param_groups:
            group["lr"] = rate
        self._num_steps += 1
        self._optimizer.zero_grad()
        cross_entropy(self._model(images), labels, label_smoothing=config["labelSmoothing"]).backward()
        self._optimizer.step()
        if self._ema:
            self._ema.update(self._model)


def _check(config):
    for name, value in config.items():
        if name in UNSUPPORTED:
            if value != UNSUPPORTED[name]:
                raise ValueError(f"Expected {UNSUPPORTED[name]} for {name} but received {value}: PyTorch's side lacks it")
        elif name not in SUPPORTED:
            raise ValueError(f"Expected a known training option but received {name}")
