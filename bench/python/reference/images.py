"""Loads the images of a split once, into memory."""
import os

import cv2
import numpy as np


def load(root, split, image_size):
    """Returns uint8 [n, image_size, image_size, 3], RGB, and int64 labels, for a split of paths (below root) and labels."""
    pixels = np.stack([_decode(os.path.join(root, path), image_size) for path in split["paths"]])
    return pixels, np.array(split["labels"], np.int64)


def _decode(file, image_size):
    image = cv2.imread(file, cv2.IMREAD_COLOR)
    if image is None:
        raise ValueError(f"Expected a readable image but found none in {file}")
    if image.shape[:2] != (image_size, image_size):
        interpolation = cv2.INTER_AREA if image.shape[0] > image_size else cv2.INTER_CUBIC
        image = cv2.resize(image, (image_size, image_size), interpolation=interpolation)
    return cv2.cvtColor(image, cv2.COLOR_BGR2RGB)
