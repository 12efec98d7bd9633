"""PyTorch with timm, eager: steps of training and inference, parity with ferkit's, whole trainings."""
from efficientnet import build, to_input, to_tensorflow, to_torch

import cv2
import numpy as np
import timm
import torch
from torch.nn.functional import cross_entropy

from parity import RecordedStep
from recipe import train
from serve import serve

NUM_CLASSES = 7
# Pixels are scaled outside the timed step, so any of the two usual ways will do.
CENTRE = 127.5


def prepare(kind, **workload):
    return {"train": training, "infer": inference, "predict": prediction}[kind](**workload)


def training(variant, image_size, batch_size, layout):
    model = build(variant, NUM_CLASSES, layout).train()
    images, labels = noise(image_size, batch_size, layout)
    # As it comes with the default layout; with the other one, all that makes it faster.
    optimizer = torch.optim.Adam(model.parameters(), lr=1e-3, fused=layout == "channels-last" or None)

    def step():
        optimizer.zero_grad()
        loss = cross_entropy(model(images), labels)
        loss.backward()
        optimizer.step()
        return loss.item()

    return step


def inference(variant, image_size, batch_size, layout):
    model = build(variant, NUM_CLASSES, layout).eval()
    images, _ = noise(image_size, batch_size, layout)

    @torch.inference_mode()
    def step():
        return model(images).numpy()

    return step


def prediction(variant, image_size, batch_size, layout, file):
    """From the bytes of an image file to probabilities; the file's image has the network's size."""
    model = build(variant, NUM_CLASSES, layout).eval()
    encoded = np.fromfile(file, np.uint8)

    @torch.inference_mode()
    def step():
        image = cv2.cvtColor(cv2.imdecode(encoded, cv2.IMREAD_COLOR), cv2.COLOR_BGR2RGB)
        images = to_input(image[None], layout).sub_(CENTRE).div_(CENTRE)
        return model(images).softmax(1).tolist()

    return step


def noise(image_size, batch_size, layout):
    random = np.random.default_rng(0)
    pixels = random.integers(256, size=(batch_size, image_size, image_size, 3), dtype=np.uint8)
    labels = torch.from_numpy(random.integers(NUM_CLASSES, size=batch_size))
    return to_input(pixels, layout).sub_(CENTRE).div_(CENTRE), labels


def parity(variant, file, timm_names):
    """Compares ferkit's step in file with this engine's; timm_names translates ferkit's names."""
    recorded = RecordedStep(file)
    num_classes = recorded.weights["predictions/bias"].size
    model = build(variant, num_classes, "default").train()
    weights = {timm_names[name]: to_torch(name, value) for name, value in recorded.weights.items()}
    unknown = model.load_state_dict(weights, strict=False)
    missing = [name for name in unknown.missing_keys if not name.endswith("num_batches_tracked")]
    if missing or unknown.unexpected_keys:
        raise ValueError(f"Expected timm's names but {missing} are missing, {unknown.unexpected_keys} unknown")
    loss = cross_entropy(model(to_input(recorded.images, "default")), torch.from_numpy(recorded.labels))
    loss.backward()
    parameters = dict(model.named_parameters())
    gradients = {name: to_tensorflow(name, parameters[timm_names[name]].grad) for name in recorded.gradients}
    return recorded.compare(loss.item(), gradients)


def versions():
    return {"torch": torch.__version__, "timm": timm.__version__}


serve(prepare, parity=parity, versions=versions, train=train)
