"""One training step of ferkit, as it wrote it down, to compare another engine's with."""
import numpy as np
from safetensors.numpy import load_file

# Share of the whole gradient below which one is nothing but rounding.
VANISHING = 1e-6


class RecordedStep:
    """A batch, the weights before the step, its loss and gradients; by ferkit's names, in TensorFlow's layout."""

    def __init__(self, file):
        tensors = load_file(file)
        self.images = tensors["images"]  # normalized, [batch, height, width, 3]
        self.labels = tensors["labels"].astype(np.int64)
        self.loss = tensors["loss"].item()
        self.weights = _below("weights/", tensors)
        self.gradients = _below("gradients/", tensors)

    def compare(self, loss, gradients):
        """Errors of ferkit's loss and of each of its gradients against another engine's, relative to that one's.

        A gradient that is zero but for rounding, as that of a shift which batch norm takes away again, has no direction to
        agree on: it is held against the whole gradient.
        """
        norms = {name: np.linalg.norm(gradient) for name, gradient in gradients.items()}
        whole = np.linalg.norm(list(norms.values()))
        errors = {}
        for name, own in self.gradients.items():
            scale = whole if norms[name] < VANISHING * whole else norms[name]
            errors[name] = float(np.linalg.norm(own - gradients[name]) / scale)
        return {"loss": abs(self.loss - loss) / abs(loss), "gradients": errors}


def _below(prefix, tensors):
    return {name.removeprefix(prefix): value for name, value in tensors.items() if name.startswith(prefix)}
