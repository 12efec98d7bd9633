"""Random changes to batches of training images, the same as ferkit's: first geometry, then light, then erasing."""
import math

import torch
import torch.nn.functional as F

# Rectangles that erasing fills: share of the area, and width over height.
ERASED_AREA = (0.02, 0.2)
ERASED_ASPECT = (0.3, 1 / 0.3)


def augment(images, options, generator):
    """Returns changed images, float32 [n, channels, height, width] of 0-255.

    options has the names of ferkit's AugmentOptions, see src/data/augment.ts. Images are mirrored, then turned and scaled
    about the centre, then shifted, with one bilinear interpolation.
    """
    draw = _Draws(len(images), images.device, generator)
    images = _move(images, options, draw)
    if options["brightness"] or options["contrast"]:
        means = images.mean((1, 2, 3), keepdim=True)
        contrast = 1 + draw.spread(options["contrast"]).reshape(-1, 1, 1, 1)
        brightness = draw.spread(255 * options["brightness"]).reshape(-1, 1, 1, 1)
        images = ((images - means) * contrast + means + brightness).clamp_(0, 255)
    return _erase(images, options["erasing"], draw) if options["erasing"] else images


def inside(size, left, top, right, bottom):
    """Returns which pixels are in a rectangle for each image, bool [n, 1, height, width].

    size is (height, width). Sides of the rectangles are shares of the image's, [n].
    """
    rows, columns = ((torch.arange(side, device=left.device) + 0.5) / side for side in size)
    in_columns = (columns > left[:, None]) & (columns < right[:, None])
    in_rows = (rows > top[:, None]) & (rows < bottom[:, None])
    return (in_rows[:, :, None] & in_columns[:, None, :])[:, None]


def _move(images, options, draw):
    height, width = images.shape[2:]
    mirror = 1 - 2 * (draw.share() < options["horizontalFlip"]).float()
    angle = draw.spread(math.radians(options["rotation"]))
    scale = draw.share(*options["zoom"])
    across, down = draw.spread(options["translation"]), draw.spread(options["translation"])
    cos, sin = torch.cos(angle) / scale, torch.sin(angle) / scale
    # From a pixel of the result to the pixel of the image that it shows, in coordinates from -1 to 1.
    stretch = height / width
    rows = torch.stack([mirror * cos, -mirror * sin * stretch, torch.zeros_like(cos)], 1)
    columns = torch.stack([sin / stretch, cos, torch.zeros_like(cos)], 1)
    matrix = torch.stack([rows, columns], 1)
    matrix[:, :, 2] = -(matrix[:, :, :2] @ torch.stack([2 * across, 2 * down], 1)[:, :, None])[:, :, 0]
    grid = F.affine_grid(matrix, images.shape, align_corners=False)
    return F.grid_sample(images, grid, align_corners=False)


def _erase(images, probability, draw):
    is_erased = draw.share() < probability
    area = draw.share(*ERASED_AREA)
    aspect = torch.exp(draw.share(*(math.log(ratio) for ratio in ERASED_ASPECT)))
    width, height = (area * aspect).sqrt(), (area / aspect).sqrt()
    left, top = draw.share() * (1 - width), draw.share() * (1 - height)
    mask = inside(images.shape[2:], left, top, left + width, top + height) & is_erased.reshape(-1, 1, 1, 1)
    return torch.where(mask, images.mean((1, 2, 3), keepdim=True), images)


class _Draws:
    """Random numbers, one for each image."""

    def __init__(self, num_images, device, generator):
        self._options = {"size": (num_images,), "device": device, "generator": generator}

    def share(self, low=0.0, high=1.0):
        return low + torch.rand(**self._options) * (high - low)

    def spread(self, largest):
        return self.share(-largest, largest)
