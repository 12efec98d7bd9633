"""PyTorch with timm: steps of training and inference, parity with ferkit, export to ONNX, whole trainings."""
import os

import cv2
import numpy as np
import timm
import torch
import torch._inductor.config
from torch.nn.functional import cross_entropy

from reference.efficientnet import build, normalize, parameter_names, to_input, to_tensorflow, to_torch
from reference.parity import RecordedLogits, RecordedStep
from serve import serve
from time_to_accuracy import train

NUM_CLASSES = 7

torch.set_num_threads(os.cpu_count())


def prepare(kind, **workload):
    return {"train": training, "infer": inference, "predict": prediction}[kind](**workload)


def training(variant, image_size, batch_size, layout, compiled=False):
    model = build(variant, NUM_CLASSES, layout).train()
    apply = torch.compile(model, dynamic=False) if compiled else model
    images, labels = noise(image_size, batch_size, layout)
    # The default layout keeps the usual optimizer; channels-last gets the fused one, to be as fast as possible.
    optimizer = torch.optim.Adam(model.parameters(), lr=1e-3, fused=layout == "channels-last" or None)

    def step():
        optimizer.zero_grad()
        loss = cross_entropy(apply(images), labels)
        loss.backward()
        optimizer.step()
        return loss.item()

    return step


def inference(variant, image_size, batch_size, layout, compiled=False):
    model = build(variant, NUM_CLASSES, layout).eval()
    images, _ = noise(image_size, batch_size, layout)
    apply = freeze(model, images) if compiled else model

    @torch.inference_mode()
    def step():
        return apply(images).numpy()

    return step


def freeze(model, images):
    """Compiles a model for a shape of images, with its weights as constants."""
    compiled = torch.compile(model, dynamic=False)
    with torch._inductor.config.patch(freezing=True), torch.inference_mode():
        compiled(images)
    return compiled


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


def load(variant, weights, names):
    """Returns the network with ferkit's weights, and timm's name of each; names are in the order of the layers."""
    model = build(variant, weights["predictions/bias"].size)
    timm_names = dict(zip(names, parameter_names(model), strict=True))
    own = {timm_names[name]: to_torch(name, value) for name, value in weights.items()}
    model.load_state_dict({**model.state_dict(), **own})
    return model, timm_names


def parity(variant, file, names, compiled=False):
    """Compares ferkit's step in file with this engine's; names are ferkit's parameters in the order of the layers."""
    recorded = RecordedStep(file)
    model, timm_names = load(variant, recorded.weights, names)
    apply = torch.compile(model.train(), dynamic=False) if compiled else model.train()
    loss = cross_entropy(apply(to_input(recorded.images)), torch.from_numpy(recorded.labels))
    loss.backward()
    parameters = dict(model.named_parameters())
    gradients = {name: to_tensorflow(name, parameters[timm_names[name]].grad) for name in recorded.gradients}
    return recorded.compare(loss.item(), gradients)


@torch.inference_mode()
def logits_error(variant, file, names, compiled=False):
    """Compares ferkit's logits in file with those of the same network here, relative to their norm."""
    recorded = RecordedLogits(file)
    model, images = load(variant, recorded.weights, names)[0].eval(), torch.from_numpy(recorded.images)
    return recorded.error((freeze(model, images) if compiled else model)(images).numpy())


def export_onnx(variant, image_size, batch_size, output, file=None, names=()):
    """Writes the network in ONNX format for one shape of images, with ferkit's weights in file or random ones."""
    model = load(variant, RecordedLogits(file).weights, names)[0] if file else build(variant, NUM_CLASSES)
    images = torch.zeros(batch_size, 3, image_size, image_size)
    torch.onnx.export(model.eval(), (images,), output, external_data=False)


def versions():
    return {"torch": torch.__version__, "timm": timm.__version__}


serve(prepare, exportOnnx=export_onnx, logitsError=logits_error, parity=parity, versions=versions, train=train)
