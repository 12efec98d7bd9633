"""Makes resize.json: what Pillow's bicubic interpolation gives, for the tests to agree with.

    python3 -m venv v && v/bin/pip install pillow==12.0.0 numpy
    v/bin/python make_resize_golden.py > resize.json

The images are a formula, `value`, which test/data/pixels/resize.test.ts repeats, so that the tests need no files.
"""
import base64
import json

import numpy as np
from PIL import Image, ImageOps

# Width, height, channels, size of the result: enlarged, equal, reduced; even and odd; flat, tall and tiny.
CASES = [
    (24, 24, 1, 72), (24, 24, 3, 24), (7, 5, 3, 16), (1, 1, 1, 9), (33, 90, 3, 24), (90, 31, 1, 57), (60, 61, 3, 24),
    (250, 187, 1, 24), (200, 200, 3, 11),
]


def value(i):
    """Brightness of number i: noise under a wave, with black and white."""
    noise = (i * 2654435761 % 2**32) // 2**24
    return np.where(i // 97 % 3 == 0, noise, np.where(i // 97 % 3 == 1, 255, i % 256)).astype(np.uint8)


def encoded(image):
    return base64.b64encode(np.asarray(image).tobytes()).decode()


def make(width, height, channels, size):
    pixels = value(np.arange(width * height * channels, dtype=np.uint64))
    image = Image.fromarray(pixels.reshape((height, width, 3) if channels == 3 else (height, width)))
    return {
        "width": width,
        "height": height,
        "numChannels": channels,
        "imageSize": size,
        "crop": encoded(ImageOps.fit(image, (size, size), Image.Resampling.BICUBIC)),
        "squash": encoded(image.resize((size, size), Image.Resampling.BICUBIC)),
    }


print(json.dumps([make(*case) for case in CASES], indent=1))
