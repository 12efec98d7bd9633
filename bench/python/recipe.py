"""A recipe of ferkit's (TrainConfig of src/config.ts) in PyTorch, epoch by epoch against the clock."""
import copy
import math
import time

import numpy as np
import torch
from torch.nn.functional import cross_entropy

from augment import Augmentation
from efficientnet import build, load_imagenet_lite0, to_input
from images import load

# Options that are not translated, with the values that switch them off.
UNTRANSLATED = {
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
# Those that are; headLearningRate has no use without headEpochs.
TRANSLATED = {
    *("imageSize", "seed", "epochs", "batchSize", "learningRate", "headLearningRate", "schedule", "warmupShare"),
    *("weightDecay", "labelSmoothing", "emaDecay", "dropoutRate", "dropPathRate", "batchNormMomentum", "augment"),
}
# Of timm's Lite0: pixels are scaled to [-1, 1].
CENTRE = 127.5
VALIDATION_BATCH_SIZE = 256


def train(config, root, splits, num_classes, layout, head, until=None):
    """Trains on splits["train"] and yields {epoch, seconds, accuracy} as each epoch has been validated.

    The clock starts when the images are decoded, as ferkit's does. Stops once the accuracy until is reached. The last
    layer starts as timm has it (head="timm"), uniform within 1/sqrt(classes), or as ferkit has it (head="ferkit"), within
    1/sqrt(features), from which training goes faster.
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
    """A model with what its training needs."""

    def __init__(self, config, num_classes, layout, head, num_batches):
        torch.manual_seed(config["seed"])
        self._config, self._layout, self._num_batches = config, layout, num_batches
        dropout = {"drop_rate": config["dropoutRate"], "drop_path_rate": config["dropPathRate"]}
        self._model = build("lite0", num_classes, layout, **dropout)
        load_imagenet_lite0(self._model)
        if head == "ferkit":
            self._model.classifier.reset_parameters()
            torch.nn.init.zeros_(self._model.classifier.bias)
        for module in self._model.modules():
            if isinstance(module, torch.nn.BatchNorm2d):
                module.momentum = config["batchNormMomentum"]
        # The model that is validated: a moving average where there is one.
        self._average = copy.deepcopy(self._model) if config["emaDecay"] else self._model
        self._optimizer = self._build_optimizer()
        self._augmentation = Augmentation(config["augment"], config["seed"])
        self._shuffle = np.random.default_rng(config["seed"])
        self._num_steps = 0

    def train_epoch(self, pixels, labels):
        self._model.train()
        batch_size = self._config["batchSize"]
        order = self._shuffle.permutation(len(labels))
        for batch in order[: self._num_batches * batch_size].reshape(-1, batch_size):
            images = to_input(self._augmentation.move(pixels[batch]), self._layout)
            self._augmentation.relight_and_erase(images)
            self._step(images.sub_(CENTRE).div_(CENTRE), torch.from_numpy(labels[batch]))

    @torch.inference_mode()
    def accuracy(self, pixels, labels):
        """Share of the images that are recognised."""
        self._average.eval()
        num_hits = 0
        for i in range(0, len(labels), VALIDATION_BATCH_SIZE):
            images = to_input(pixels[i : i + VALIDATION_BATCH_SIZE], self._layout).sub_(CENTRE).div_(CENTRE)
            predicted = self._average(images).argmax(1).numpy()
            num_hits += int((predicted == labels[i : i + VALIDATION_BATCH_SIZE]).sum())
        return num_hits / len(labels)

    def _step(self, images, labels):
        for group in self._optimizer.param_groups:
            group["lr"] = self._learning_rate()
        self._num_steps += 1
        self._optimizer.zero_grad()
        logits = self._model(images)
        cross_entropy(logits, labels, label_smoothing=self._config["labelSmoothing"]).backward()
        self._optimizer.step()
        if self._average is not self._model:
            self._update_average()

    def _build_optimizer(self):
        """AdamW that decays kernels alone; without decay it is Adam. Fused where all is done for speed."""
        parameters = list(self._model.parameters())
        groups = [
            {"params": [p for p in parameters if p.ndim > 1], "weight_decay": self._config["weightDecay"]},
            {"params": [p for p in parameters if p.ndim <= 1], "weight_decay": 0.0},
        ]
        fused = self._layout == "channels-last" or None
        return torch.optim.AdamW(groups, lr=self._config["learningRate"], fused=fused)

    def _learning_rate(self):
        """A linear rise, then constant or half a cosine down to 0."""
        config, step = self._config, self._num_steps
        total = config["epochs"] * self._num_batches
        warm_up = round(config["warmupShare"] * total)
        if step < warm_up:
            return config["learningRate"] * (step + 1) / warm_up
        if config["schedule"] == "constant":
            return config["learningRate"]
        return config["learningRate"] * (1 + math.cos(math.pi * (step - warm_up) / max(1, total - warm_up))) / 2

    @torch.no_grad()
    def _update_average(self):
        """Moves weights and moving statistics towards the model's; faster at first."""
        decay = min(self._config["emaDecay"], self._num_steps / (self._num_steps + 9))
        averages, values = (
            [value for value in model.state_dict().values() if value.is_floating_point()]
            for model in (self._average, self._model)
        )
        torch._foreach_lerp_(averages, values, 1 - decay)


def _check(config):
    for name, value in config.items():
        if name in UNTRANSLATED:
            if value != UNTRANSLATED[name]:
                raise ValueError(f"Expected {UNTRANSLATED[name]} for {name} but received {value}: PyTorch's side lacks it")
        elif name not in TRANSLATED:
            raise ValueError(f"Expected a training option that PyTorch's side knows but received {name}")
