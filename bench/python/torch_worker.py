"""PyTorch with timm, eager: steps of training and inference, parity with ferkit, whole trainings."""
import cv2
import numpy as np
import timm
import torch
from torch.nn.functional import cross_entropy

from reference.efficientnet import build, normalize, parameter_names, to_input, to_tensorflow, to_torch
from reference.parity import RecordedStep
from serve import serve
from time_to_accuracy import train

NUM_CLASSES = 7


def prepare(kind, **workload):
    return {"train": training, "infer": inference, "predict": prediction}[kind](**workload)


def training(variant, image_size, batch_size, layout):
    model = build(variant, NUM_CLASSES, layout).train()
    images, labels = noise(image_size, batch_size, layout)
    # The default layout keeps the usual optimizer; channels-last gets the fused one, to be as fast as possible.
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
    """From the bytes of an image file to probabilities; the image has the network's size."""
    model = build(variant, NUM_CLASSES, layout).eval()
    encoded = np.fromfile(file, np.uint8)

    @torch.inference_mode()
    def step():
        image = cv2.cvtColor(cv2.imdecode(encoded, cv2.IMREAD_COLOR), cv2.COLOR_BGR2RGB)
        return model(normalize(to_input(image[None], layout))).softmax(1).tolist()

    return step


def noise(image_size, batch_size, layout):
    random = np.random.default_rng(0)
    pixels = random.integers(256, size=(batch_size, image_size, image_size, 3), dtype=np.uint8)
    labels = torch.from_numpy(random.integers(NUM_CLASSES, size=batch_size))
    return normalize(to_input(pixels, layout)), labels


def parity(variant, file, names):
    """Compares ferkit's step in file with this engine's; names are ferkit's parameters in the order of the layers."""
    recorded = RecordedStep(file)
    model = build(variant, recorded.weights["predictions/bias"].size).train()
    timm_names = dict(zip(names, parameter_names(model), strict=True))
    weights = {timm_names[name]: to_torch(name, value) for name, value in recorded.weights.items()}
    model.load_state_dict({**model.state_dict(), **weights})
    loss = cross_entropy(model(to_input(recorded.images)), torch.from_numpy(recorded.labels))
    loss.backward()
    parameters = dict(model.named_parameters())
    gradients = {name: to_tensorflow(name, parameters[timm_names[name]].grad) for name in recorded.gradients}
    return recorded.compare(loss.item(), gradients)


def versions():
    return {"torch": torch.__version__, "timm": timm.__version__}


serve(prepare, parity=parity, versions=versions, train=train)
