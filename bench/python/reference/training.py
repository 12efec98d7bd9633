"""Schedule, optimizer and EMA of a training, from the options of ferkit's TrainConfig (src/config.ts)."""
import copy
import math

import torch


def learning_rate(config, step, num_steps):
    """Returns the rate of a step, from 0: a linear warm-up, then constant or half a cosine down to 0."""
    warm_up = round(config["warmupShare"] * num_steps)
    if step < warm_up:
        return config["learningRate"] * (step + 1) / warm_up
    if config["schedule"] == "constant":
        return config["learningRate"]
    return config["learningRate"] * (1 + math.cos(math.pi * (step - warm_up) / max(1, num_steps - warm_up))) / 2


def build_optimizer(parameters, config, fused=None):
    """Returns AdamW that decays only kernels; without decay it is Adam."""
    parameters = list(parameters)
    groups = [
        {"params": [p for p in parameters if p.ndim > 1], "weight_decay": config["weightDecay"]},
        {"params": [p for p in parameters if p.ndim <= 1], "weight_decay": 0.0},
    ]
    return torch.optim.AdamW(groups, lr=config["learningRate"], fused=fused)


class Ema:
    """Exponential moving average of a model's weights and moving statistics."""

    def __init__(self, model, decay):
        self.model = copy.deepcopy(model).eval().requires_grad_(False)
        self._decay = decay
        self._num_updates = 0

    @torch.no_grad()
    def update(self, model):
        """Moves the average towards the model, faster at first."""
        self._num_updates += 1
        decay = min(self._decay, self._num_updates / (self._num_updates + 9))
        averages, values = (
            [value for value in network.state_dict().values() if value.is_floating_point()]
            for network in (self.model, model)
        )
        torch._foreach_lerp_(averages, values, 1 - decay)
