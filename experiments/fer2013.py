"""FER-2013's images for train_bundled_model.py and train_ferplus_model.py: loading, folds, and mixing of batches."""
import hashlib
import io
import tarfile

import numpy as np
import torch
import torch.nn.functional as F
from PIL import Image

from reference.augment import inside

NUM_FOLDS = 5


def load(archive):
    """Returns split -> (uint8 [n, 48, 48], labels [n]) from SPLIT/CLASS/NAME.jpg, in the order of the file names."""
    with tarfile.open(archive) as tar:
        files = [(m.name.split("/")[-3:], tar.extractfile(m).read()) for m in tar if m.name.endswith(".jpg")]
    files.sort(key=lambda file: file[0])
    names = sorted({name for (_, name, _), _ in files})
    pixels = np.stack([np.asarray(Image.open(io.BytesIO(data)).convert("L")) for _, data in files])
    labels = np.array([names.index(name) for (_, name, _), _ in files])
    splits = np.array([split for (split, _, _), _ in files])
    return {split: (pixels[splits == split], labels[splits == split]) for split in ("train", "validation")}


def fold_of_each(pixels):
    """Returns the fold of each image, [n]. Duplicates share a fold."""
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
    """Resizes [n, 48, 48] to float32 [n, 1, size, size] of 0-255."""
    return F.interpolate(images[:, None].float(), (size, size), mode="bicubic", align_corners=False).clamp(0, 255)


def mix(x, targets, config, random):
    """Mixes a share of the batches: each image is blended with the one before (mixup), or gets a part of it (CutMix)."""
    if random.random() >= config["mixShare"]:
        return x, targets
    is_cut = random.random() < 0.5
    alpha = config["cutmix"] if is_cut else config["mixup"]
    share = torch.full((1, 1, 1, 1), random.beta(alpha, alpha), device=x.device)
    if is_cut:
        reach, (across, down) = (1 - share[0, 0, 0]).sqrt() / 2, random.random(2)
        share = 1 - inside(x.shape[2:], across - reach, down - reach, across + reach, down + reach).float()
    kept = share.mean()
    return x * share + x.roll(1, 0) * (1 - share), targets * kept + targets.roll(1, 0) * (1 - kept)
