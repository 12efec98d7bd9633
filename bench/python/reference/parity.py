"""A training step, and logits, that ferkit recorded, to compare another engine's with."""
import numpy as np
from safetensors.numpy import load_file

# A gradient smaller than this share of the whole gradient is only rounding.
VANISHING = 1e-6


class RecordedStep:
    """A batch, the weights before the step, its loss and gradients, with ferkit's names and TensorFlow's layout."""

    def __init__(self, file):
        tensors = load_file(file)
        self.images = tensors["images"]  # normalized, [batch, height, width, 3]
        self.labels = tensors["labels"].astype(np.int64)
        self.loss = tensors["loss"].item()
        self.weights = _below("weights/", tensors)
        self.gradients = _below("gradients/", tensors)

    def compare(self, loss, gradients):
        """Returns relative errors of ferkit's loss and gradients, against another engine's.

        Some gradients are zero except for rounding, for example that of a shift which batch norm removes. They have no
        direction to agree on, so they are compared with the whole gradient.
        """
        norms = {name: np.linalg.norm(gradient) for name, gradient in gradients.items()}
        whole = np.linalg.norm(list(norms.values()))
        errors = {}
        for name, own in self.gradients.items():
            scale = whole if norms[name] < VANISHING * whole else norms[name]
            errors[name] = float(np.linalg.norm(own - gradients[name]) / scale)
        return {"loss": abs(self.loss - loss) / abs(loss), "gradients": errors}


class RecordedLogits:
    """A batch, weights and the logits that ferkit infers from them, with ferkit's names and TensorFlow's layout."""

    def __init__(self, file):
        tensors = load_file(file)
        self.images = np.ascontiguousarray(tensors["images"].transpose(0, 3, 1, 2))  # normalized, as torch has them
        self.logits = tensors["logits"]
        self.weights = _below("weights/", tensors)

    def error(self, logits):
        """Returns the norm of the difference of an engine's logits from ferkit's, over the norm of ferkit's."""
        return float(np.linalg.norm(logits - self.logits) / np.linalg.norm(self.logits))


def _below(prefix, tensors):
    return {name.removeprefix(prefix): value for name, value in tensors.items() if name.startswith(prefix)}
