"""Random changes to training images, the same as ferkit's: moved by one interpolation each, then light, then erasing."""
import math

import cv2
import numpy as np
import torch

# Of the rectangles that erasing fills: share of the area, width over height.
ERASED_AREA = (0.02, 0.2)
ERASED_ASPECT = (0.3, 1 / 0.3)

cv2.setNumThreads(0)  # one small image at a time


class Augmentation:
    """options are ferkit's: see AugmentOptions in src/data/augment.ts."""

    def __init__(self, options, seed):
        self._options = options
        self._random = np.random.default_rng(seed)

    def move(self, images):
        """uint8 [batch, height, width, 3]: mirrored, then turned and scaled about the centre, then shifted."""
        return np.stack([self._move(image) for image in images])

    def relight_and_erase(self, images):
        """float32 [batch, 3, height, width] of 0-255, changed in place."""
        options = self._options
        if options["brightness"] or options["contrast"]:
            brightness = self._per_image(len(images), 255 * options["brightness"])
            contrast = 1 + self._per_image(len(images), options["contrast"])
            means = images.mean((1, 2, 3), keepdim=True)
            images.sub_(means).mul_(contrast).add_(means + brightness).clamp_(0, 255)
        for image in images:
            if self._random.random() < options["erasing"]:
                self._erase(image)

    def _move(self, image):
        random, options = self._random, self._options
        if random.random() < options["horizontalFlip"]:
            image = image[:, ::-1]
        height, width = image.shape[:2]
        angle = math.radians(self._either(options["rotation"]))
        scale = random.uniform(*options["zoom"])
        shift = [self._either(options["translation"]) * side for side in (width, height)]
        cos, sin = math.cos(angle) * scale, math.sin(angle) * scale
        turn = np.array([[cos, sin], [-sin, cos]])
        centre = np.array([(width - 1) / 2, (height - 1) / 2])
        matrix = np.column_stack([turn, centre + shift - turn @ centre])
        return cv2.warpAffine(np.ascontiguousarray(image), matrix, (width, height))

    def _erase(self, image):
        random = self._random
        _, height, width = image.shape
        area = random.uniform(*ERASED_AREA)
        aspect = math.exp(random.uniform(*(math.log(ratio) for ratio in ERASED_ASPECT)))
        w, h = math.sqrt(area * aspect), math.sqrt(area / aspect)
        left, top = random.uniform(0, 1 - w), random.uniform(0, 1 - h)
        rows = slice(round(top * height), round((top + h) * height))
        columns = slice(round(left * width), round((left + w) * width))
        image[:, rows, columns] = image.mean()

    def _either(self, greatest):
        return self._random.uniform(-greatest, greatest)

    def _per_image(self, num_images, greatest):
        values = self._random.uniform(-greatest, greatest, num_images).astype(np.float32)
        return torch.from_numpy(values).reshape(-1, 1, 1, 1)
