"""Trains the bundled model, models/ferplus: five teachers on folds, then a student, each with a last layer for FER-2013's
labels and one for the votes of FER+.

    python experiments/train_ferplus_model.py Facial-Expression-Dataset.tar.gz fer2013new.csv --out ferplus.safetensors

Writes the student's body with the last layer of the votes, by timm's names, divided by a temperature. ferkit converts it:

    npx ferkit convert ferplus.safetensors --variant lite0 --image-size 144 --grey --precision uint8 \
      --classes angry,disgust,fear,happy,neutral,sad,surprise --to models/ferplus

Needs the packages of bench/requirements.txt, and a GPU. timm downloads the ImageNet weights. The recorded run in
experiments/README.md took five minutes on an H200, with steps captured as CUDA graphs and a process for each network. This
program is the same method without them. Random draws differ, so the accuracy differs by chance. --smoke tries every line on a
few images with random weights.
"""
import argparse
import csv
import tarfile
from pathlib import Path

import numpy as np
import torch
import torch.nn as nn
import torch.nn.functional as F
from safetensors.torch import save_file

from training import AUGMENT, DEVICE, SMOKE, autocast, build_network, fit, generators, score, to_input  # first: finds bench/python
from fer2013 import NUM_FOLDS, enlarge, fold_of_each, load, mix
from reference.augment import augment

# Columns of FER+'s table: the seven classes in our order, then what else people could say.
COLUMNS = ("anger", "disgust", "fear", "happiness", "neutral", "sadness", "surprise", "contempt", "unknown", "NF")
CONFIG = dict(
    weights="imagenet", imageSize=144, batchSize=128, learningRate=2e-3, schedule="cosine", warmupShare=0.07,
    weightDecay=0.05, labelSmoothing=0.05, dropoutRate=0.3, dropPathRate=0.1, augment=AUGMENT, mixShare=0,
)
TEACHER = dict(CONFIG, epochs=7, emaDecay=0.998)
STUDENT = dict(CONFIG, epochs=25, emaDecay=0.999, teacherShare=0.75, mixup=0.2, cutmix=1.0, mixShare=0.5, mixUntil=0.7)
NUM_VIEWS = 8


def load_votes(archive, table):
    """Returns split -> votes [n, 10] in the order of `load`'s images, without those of a single person."""
    with tarfile.open(archive) as tar:
        names = sorted(m.name.split("/")[-3:] for m in tar if m.name.endswith(".jpg"))
    with open(table, newline="") as file:
        votes = np.array([[float(row[name]) for name in COLUMNS] for row in csv.DictReader(file)], np.float32)
    votes[votes <= 1] = 0
    rows = {split: [int(Path(name).stem) for (own, _, name) in names if own == split] for split in ("train", "validation")}
    return {split: votes[row] for split, row in rows.items()}


def majority(votes):
    """Returns the class that has more than half of the votes; -1 if none of the seven has."""
    most = votes.max(1)
    return torch.where((most.values > votes.sum(1) / 2) & (most.indices < 7), most.indices, -1)


class TwoHeads(nn.Module):
    """A body with a last layer for the labels and one for the votes."""

    def __init__(self, variant, config):
        super().__init__()
        self.labels = build_network(variant, config)
        self.votes = nn.Linear(self.labels.classifier.in_features, 7, device=DEVICE)
        nn.init.zeros_(self.votes.bias)

    def forward(self, x):
        features = self.labels.forward_head(self.labels.forward_features(x), pre_logits=True)
        return self.labels.classifier(features), self.votes(features)


def degrade(x, generator):
    """Adds noise to 15% of the images, and blurs 15%."""
    draw = torch.rand(len(x), 1, 1, 1, device=x.device, generator=generator)
    small = torch.randn(len(x), 1, 48, 48, device=x.device, generator=generator)
    level = torch.rand(len(x), 1, 1, 1, device=x.device, generator=generator) * 40
    resize = lambda image, size, mode: F.interpolate(image, (size, size), mode=mode)
    size = x.shape[2]
    noisy = x + resize(small, size, "bicubic") * level
    weak, strong = (resize(resize(x, side, "area"), size, "bicubic") for side in (32, 24))
    changed = torch.where(draw < 0.15, noisy, torch.where(draw < 0.2, strong, torch.where(draw < 0.3, weak, x)))
    return changed.clamp(0, 255)


def train(variant, images, labels, votes, config, seed, bank=None):
    """Trains a network and returns its EMA. `bank` holds augmented views and the teachers' probabilities for each."""
    random, generator = generators(seed)
    network = TwoHeads(variant, config).train()
    smoothing, share = config["labelSmoothing"], config.get("teacherShare", 0)
    hard = F.one_hot(labels, 7) * (1 - smoothing) + smoothing / 7
    count = votes[:, :7].sum(1, keepdim=True)
    has_votes = (count > 0).float()
    soft = votes[:, :7] / count.clamp(min=1) * (1 - smoothing) + has_votes * smoothing / 7

    def augmented(batch):
        """Returns the images of a batch, with the targets of both last layers."""
        x = augment(enlarge(images[batch], config["imageSize"]), config["augment"], generator)
        return x, torch.cat([hard[batch], soft[batch]], 1)

    def taught_view(batch):
        """Returns a view of each image from the bank, degraded, with the teachers' share in the targets."""
        view = torch.randint(NUM_VIEWS, (len(batch),), device=DEVICE, generator=generator)
        x, taught = bank[0][view, batch].float(), bank[1][view, batch]
        is_mirrored = torch.rand(len(x), 1, 1, 1, device=DEVICE, generator=generator) < 0.5
        x = degrade(torch.where(is_mirrored, x.flip(3), x), generator)
        of_votes = torch.where(has_votes[batch] > 0, soft[batch], taught[:, 7:])
        return x, (1 - share) * torch.cat([hard[batch], of_votes], 1) + share * taught

    def loss_of(batch, progress):
        x, targets = (taught_view if bank else augmented)(batch)
        if progress < config.get("mixUntil", 0):
            x, targets = mix(x, targets, config, random)
        with autocast():
            logits = network(to_input(x))
        log_probs = torch.cat([one.float().log_softmax(1) for one in logits], 1)
        return -(targets * log_probs).sum(1).mean()

    return fit([network], len(labels), config, random, loss_of)[0]


@torch.no_grad()
def predict(network, pixels):
    """Returns the probabilities of both last layers side by side, [n, 14], for [n, 1, size, size] of 0-255."""
    parts = [network(to_input(chunk.float())) for chunk in pixels.split(256)]
    return torch.cat([torch.cat([one.float().softmax(1) for one in part], 1) for part in parts])


def with_flip(network, images, size):
    x = enlarge(images, size)
    return (predict(network, x) + predict(network, x.flip(3))) / 2


def fit_temperature(probs, labels):
    """Returns the temperature of lowest cross-entropy."""
    logits = probs.clamp(min=1e-6).log()
    return min(np.arange(0.3, 1.6, 0.01), key=lambda temperature: F.cross_entropy(logits / temperature, labels).item())


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("archive", help="FER-2013 as a .tar.gz of train/CLASS/NAME.jpg and validation/CLASS/NAME.jpg")
    parser.add_argument("votes", help="fer2013new.csv of FER+")
    parser.add_argument("--out", default="ferplus.safetensors", help="file for the weights")
    parser.add_argument("--smoke", action="store_true", help="try it on a few images")
    args = parser.parse_args()
    changes, stride = (SMOKE, 800) if args.smoke else ({}, 1)
    teacher, student = {**TEACHER, **changes}, {**STUDENT, **changes}
    votes = load_votes(args.archive, args.votes)
    splits = {split: [a[::stride] for a in (*pair, votes[split])] for split, pair in load(args.archive).items()}
    folds = torch.from_numpy(fold_of_each(splits["train"][0])).to(DEVICE)
    (images, labels, votes), validation = ([torch.from_numpy(a).to(DEVICE) for a in parts] for parts in splits.values())
    size, generator = student["imageSize"], torch.Generator(DEVICE).manual_seed(0)
    views = torch.stack([
        torch.cat([augment(enlarge(chunk, size), AUGMENT, generator).byte() for chunk in images.split(2048)])
        for _ in range(NUM_VIEWS)
    ])
    taught, out_of_fold = torch.zeros(NUM_VIEWS, len(labels), 14, device=DEVICE), torch.zeros(len(labels), 14, device=DEVICE)
    for fold in range(NUM_FOLDS):
        is_own = folds == fold
        network = train("lite2", images[~is_own], labels[~is_own], votes[~is_own], teacher, seed=fold)
        out_of_fold[is_own] = with_flip(network, images[is_own], size)
        for view in range(NUM_VIEWS):
            taught[view] += predict(network, views[view]) / NUM_FOLDS
    most = majority(votes)
    print("teachers on unseen images, FER-2013:", score(out_of_fold[:, :7], labels))
    print("teachers on unseen images, FER+:", score(out_of_fold[most >= 0, 7:], most[most >= 0]))
    temperature = fit_temperature(out_of_fold[most >= 0, 7:], most[most >= 0])
    network = train("lite0", images, labels, votes, student, seed=0, bank=(views, taught))
    probs, most = with_flip(network, validation[0], size), majority(validation[2])
    print("student with flip, FER-2013:", score(probs[:, :7], validation[1]))
    print("student with flip, FER+:", score(probs[most >= 0, 7:], most[most >= 0]), f"temperature {temperature:.2f}")
    weights = {name: value for name, value in network.labels.state_dict().items() if value.is_floating_point()}
    weights["classifier.weight"] = network.votes.weight / temperature
    weights["classifier.bias"] = network.votes.bias / temperature
    save_file({name: value.detach().contiguous() for name, value in weights.items()}, args.out)


if __name__ == "__main__":
    main()
