"""Trains the bundled model, models/fer2013: five teachers on folds, then students that learn from them.

    python experiments/train_bundled_model.py Facial-Expression-Dataset.tar.gz --out bundled

Writes lite2.safetensors and lite0.safetensors with timm's names. ferkit converts them to a model folder:

    npx ferkit convert bundled/lite0.safetensors --variant lite0 --image-size 144 \
      --classes angry,disgust,fear,happy,neutral,sad,surprise --to models/fer2013

Needs the packages of bench/requirements.txt, and a GPU. timm downloads the ImageNet weights. The recorded run in
experiments/README.md took nine minutes on an H200, with steps captured as CUDA graphs. This program is the same method
without them. Random draws differ, so the accuracy differs by chance. --smoke tries every line on a few images with random
weights, in a minute on two cores.
"""
import argparse
import os
import sys
from pathlib import Path

import numpy as np
import torch
import torch.nn.functional as F
from safetensors.torch import save_file

sys.path.insert(0, str(Path(__file__).parents[1] / "bench/python"))
from reference.augment import augment  # noqa: E402
from reference.efficientnet import build, normalize, reset_head  # noqa: E402
from reference.training import Ema, build_optimizer, learning_rate  # noqa: E402

from fer2013 import NUM_FOLDS, enlarge, fold_of_each, load, mix  # noqa: E402

DEVICE = "cuda" if torch.cuda.is_available() else "cpu"
STUDENTS = ("lite2", "lite0")
# Options of ferkit's TrainConfig (src/config.ts).
AUGMENT = dict(
    horizontalFlip=0.5, rotation=15, translation=0.06, zoom=(0.9, 1.15), brightness=0.15, contrast=0.15, erasing=0.25
)
CONFIG = dict(
    weights="imagenet", imageSize=144, batchSize=128, learningRate=2e-3, schedule="cosine", warmupShare=0.1,
    weightDecay=0.05, labelSmoothing=0.1, mixup=0.2, cutmix=1.0, mixShare=0.5, dropoutRate=0.3, augment=AUGMENT,
)
TEACHER = dict(CONFIG, epochs=10, dropPathRate=0.1, emaDecay=0.998)
STUDENT = dict(CONFIG, epochs=30, dropPathRate=0.15, emaDecay=0.999, teacherShare=0.75)
SMOKE = dict(weights="random", imageSize=40, batchSize=16, epochs=1)


def build_network(variant, config):
    options = dict(drop_rate=config["dropoutRate"], drop_path_rate=config["dropPathRate"])
    network = build(f"{variant}.in1k", 7, "channels-last", pretrained=config["weights"] == "imagenet", **options)
    reset_head(network)
    return network.to(DEVICE)


def to_input(x):
    """Converts [n, 1, size, size] of 0-255 to three channels of [-1, 1]."""
    return normalize(x).expand(-1, 3, -1, -1).contiguous(memory_format=torch.channels_last)


def train(variants, images, labels, config, seed, teachers=()):
    """Trains a network of each variant on the same batches, and returns their EMAs, ready to predict."""
    torch.manual_seed(seed)
    networks = [build_network(variant, config).train() for variant in variants]
    random, generator = np.random.default_rng(seed), torch.Generator(DEVICE).manual_seed(seed)
    emas = [Ema(network, config["emaDecay"]) for network in networks]
    optimizer = build_optimizer((p for network in networks for p in network.parameters()), config, DEVICE == "cuda")
    num_batches = len(labels) // config["batchSize"]
    num_steps = num_batches * config["epochs"]
    for step in range(num_steps):
        if step % num_batches == 0:
            order = torch.from_numpy(random.permutation(len(labels))).to(DEVICE)
        for group in optimizer.param_groups:
            group["lr"] = learning_rate(config, step, num_steps)
        batch = order[step % num_batches * config["batchSize"] :][: config["batchSize"]]
        targets = F.one_hot(labels[batch], 7) * (1 - config["labelSmoothing"]) + config["labelSmoothing"] / 7
        x = augment(enlarge(images[batch], config["imageSize"]), config["augment"], generator)
        x, targets = mix(x, targets, config, random)
        x = to_input(x)
        with torch.autocast(DEVICE, torch.bfloat16, enabled=DEVICE == "cuda"):
            if teachers:  # they see the same augmented, mixed images
                with torch.no_grad():
                    probs = sum(teacher(x).float().softmax(1) for teacher in teachers) / len(teachers)
                targets = (1 - config["teacherShare"]) * targets + config["teacherShare"] * probs
            logits = [network(x) for network in networks]
        loss = sum(F.cross_entropy(z.float(), targets) for z in logits)
        loss.backward()
        optimizer.step()
        optimizer.zero_grad()
        for network, ema in zip(networks, emas):
            ema.update(network)
        if (step + 1) % num_batches == 0:
            epoch = (step + 1) // num_batches
            print(f"epoch {epoch}/{config['epochs']} loss {loss.item() / len(networks):.3f}", flush=True)
    return [ema.model for ema in emas]


@torch.no_grad()
def predict(network, images, size, flip=False):
    """Returns probabilities [n, 7]; with `flip`, their mean with those of the mirror images."""
    probs = []
    for chunk in images.split(256):
        x = to_input(enlarge(chunk, size))
        views = [x, x.flip(3)] if flip else [x]
        probs.append(sum(network(view).float().softmax(1) for view in views) / len(views))
    return torch.cat(probs)


def score(probs, labels):
    predicted, actual = F.one_hot(probs.argmax(1), 7).float(), F.one_hot(labels, 7).float()
    hits, count = (predicted * actual).sum(0), (predicted + actual).sum(0)
    return f"accuracy {hits.sum() / len(labels):.4f}, macro-F1 {(2 * hits / count.clamp(min=1)).mean():.4f}"


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("archive", help="FER-2013 as a .tar.gz of train/CLASS/NAME.jpg and validation/CLASS/NAME.jpg")
    parser.add_argument("--out", default="bundled", help="folder for the weights")
    parser.add_argument("--smoke", action="store_true", help="try it on a few images")
    args = parser.parse_args()
    changes, stride = (SMOKE, 200) if args.smoke else ({}, 1)
    teacher, student = {**TEACHER, **changes}, {**STUDENT, **changes}
    splits = {split: [a[::stride] for a in pair] for split, pair in load(args.archive).items()}
    folds = torch.from_numpy(fold_of_each(splits["train"][0])).to(DEVICE)
    (images, labels), validation = ([torch.from_numpy(a).to(DEVICE) for a in pair] for pair in splits.values())
    teachers, out_of_fold, size = [], torch.zeros(len(labels), 7, device=DEVICE), teacher["imageSize"]
    for fold in range(NUM_FOLDS):
        is_own = folds == fold
        teachers += train(["lite2"], images[~is_own], labels[~is_own], teacher, seed=fold)
        out_of_fold[is_own] = predict(teachers[-1], images[is_own], size, flip=True)
    print("teachers, each on the images that it has not seen:", score(out_of_fold, labels))
    students = train(STUDENTS, images, labels, student, seed=0, teachers=teachers)
    os.makedirs(args.out, exist_ok=True)
    for variant, network in zip(STUDENTS, students):
        for flip in (False, True):
            probs = predict(network, validation[0], size, flip)
            print(variant, "with flip:" if flip else "alone:", score(probs, validation[1]))
        weights = {name: value.contiguous() for name, value in network.state_dict().items()}
        weights = {name: value for name, value in weights.items() if value.is_floating_point()}
        save_file(weights, os.path.join(args.out, f"{variant}.safetensors"))


if __name__ == "__main__":
    main()
