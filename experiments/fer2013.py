"""The images of FER-2013 as train_box_model.py takes them: loading, folds, augmentation and mixing on the device."""
import hashlib
import io
import math
import tarfile

import numpy as np
import torch
import torch.nn.functional as F
from PIL import Image

DEVICE = "cuda" if torch.cuda.is_available() else "cpu"
NUM_FOLDS = 5


def load(archive):
    """Split -> (uint8 [n, 48, 48], classes [n]), in the order of the files' names, from SPLIT/CLASS/NAME.jpg."""
    with tarfile.open(archive) as tar:
        files = [(m.name.split("/")[-3:], tar.extractfile(m).read()) for m in tar if m.name.endswith(".jpg")]
    files.sort(key=lambda file: file[0])
    names = sorted({name for (_, name, _), _ in files})
    pixels = np.stack([np.asarray(Image.open(io.BytesIO(data)).convert("L")) for _, data in files])
    labels = np.array([names.index(name) for (_, name, _), _ in files])
    splits = np.array([split for (split, _, _), _ in files])
    return {split: (pixels[splits == split], labels[splits == split]) for split in ("train", "validation")}


def fold_of_each(pixels):
    """A fold for each image, [n]; identical images share one."""
    groups = {}
    for i, image in enumerate(pixels):
        groups.setdefault(hashlib.md5(image.tobytes()).digest(), []).append(i)
    keys = list(groups)
    np.random.default_rng(0).shuffle(keys)
    folds = np.empty(len(pixels), int)
    for n, key in enumerate(keys):
        folds[groups[key]] = n % NUM_FOLDS
    return folds


def enlarge(images, size):
    """[n, 48, 48] -> [n, 1, size, size] of 0-255."""
    return F.interpolate(images[:, None].float(), (size, size), mode="bicubic", align_corners=False).clamp(0, 255)


def to_input(x):
    """Of 0-255 with one channel -> of [-1, 1] with three, as timm's Lite networks have it."""
    return ((x - 127.5) / 127.5).expand(-1, 3, -1, -1).contiguous(memory_format=torch.channels_last)


def inside(size, left, top, right, bottom):
    """Which pixels lie in a rectangle for each image, bool [n, 1, size, size]; sides are shares of the image's, [n]."""
    at = (torch.arange(size, device=DEVICE) + 0.5) / size
    columns = (at > left[:, None]) & (at < right[:, None])
    rows = (at > top[:, None]) & (at < bottom[:, None])
    return (rows[:, :, None] & columns[:, None, :])[:, None]


def augment(x, r):
    """[n, 1, size, size] of 0-255, each image turned, moved, zoomed, mirrored, lit and partly erased at random."""
    n = len(x)
    share = lambda low=0.0, high=1.0: low + torch.rand(n, device=DEVICE) * (high - low)
    spread = lambda reach: share(-reach, reach)
    angle, scale = spread(math.radians(r["rotation"])), share(*r["zoom"])
    cos, sin, mirror = torch.cos(angle) / scale, torch.sin(angle) / scale, (share() < 0.5).float() * 2 - 1
    row_x = torch.stack([cos * mirror, -sin * mirror, spread(2 * r["translation"])], 1)
    row_y = torch.stack([sin, cos, spread(2 * r["translation"])], 1)
    grid = F.affine_grid(torch.stack([row_x, row_y], 1), x.shape, align_corners=False)
    x = F.grid_sample(x, grid, align_corners=False)
    mean, contrast = x.mean((2, 3), keepdim=True), 1 + spread(r["contrast"])[:, None, None, None]
    x = ((x - mean) * contrast + mean + spread(255 * r["brightness"])[:, None, None, None]).clamp(0, 255)
    area, aspect = share(0.02, 0.2), torch.exp(spread(math.log(1 / 0.3)))
    width, height = (area * aspect).sqrt(), (area / aspect).sqrt()
    left, top = share() * (1 - width), share() * (1 - height)
    is_erased = inside(x.shape[-1], left, top, left + width, top + height)
    is_erased &= (share() < r["erasing"])[:, None, None, None]
    return torch.where(is_erased, x.mean((2, 3), keepdim=True), x)


def mix(x, targets, r, random):
    """A share of the batches mixed, each image with the one before: blended (mixup), or with a part of it (CutMix)."""
    if random.random() >= r["mixShare"]:
        return x, targets
    is_cut = random.random() < 0.5
    alpha = r["cutmix"] if is_cut else r["mixup"]
    share = torch.full((1, 1, 1, 1), random.beta(alpha, alpha), device=DEVICE)
    if is_cut:
        reach, (across, down) = (1 - share[0, 0, 0]).sqrt() / 2, random.random(2)
        share = 1 - inside(x.shape[-1], across - reach, down - reach, across + reach, down + reach).float()
    kept = share.mean()
    return x * share + x.roll(1, 0) * (1 - share), targets * kept + targets.roll(1, 0) * (1 - kept)
