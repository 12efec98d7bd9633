"""Trains the network that lies in models/fer2013: five teachers on folds, then students that learn from them.

    python experiments/train_box_model.py Facial-Expression-Dataset.tar.gz --out box

Writes lite2.safetensors and lite0.safetensors with timm's names, which ferkit makes a model folder of:

    npx ferkit convert box/lite0.safetensors --variant lite0 --image-size 144 \
      --classes angry,disgust,fear,happy,neutral,sad,surprise --to models/fer2013

Needs Python 3.10, torch 2.4, timm 1.0 (which fetches the ImageNet weights), numpy, pillow and safetensors, and a GPU.
The run that experiments/README.md tells of took nine minutes on an H200, its steps captured as CUDA graphs; this is the
same recipe written plainly, so random draws differ, and the accuracy does by chance. --smoke tries every line on a few
images with random weights: a minute on two cores.
"""
import argparse
import copy
import math
import os

import numpy as np
import timm
import torch
import torch.nn.functional as F
from safetensors.torch import save_file

from fer2013 import DEVICE, NUM_FOLDS, augment, enlarge, fold_of_each, load, mix, to_input

STUDENTS = ("lite2", "lite0")
# Options as ferkit calls them (TrainConfig of src/config.ts).
RECIPE = dict(
    weights="imagenet", imageSize=144, batchSize=128, learningRate=2e-3, warmupShare=0.1, weightDecay=0.05,
    labelSmoothing=0.1, mixup=0.2, cutmix=1.0, mixShare=0.5, dropoutRate=0.3, rotation=15, translation=0.06,
    zoom=(0.9, 1.15), brightness=0.15, contrast=0.15, erasing=0.25,
)
TEACHER = dict(RECIPE, epochs=10, dropPathRate=0.1, emaDecay=0.998)
STUDENT = dict(RECIPE, epochs=30, dropPathRate=0.15, emaDecay=0.999, teacherShare=0.75)
SMOKE = dict(weights="random", imageSize=40, batchSize=16, epochs=1)


def build(variant, r):
    name = f"tf_efficientnet_{variant}.in1k"
    options = dict(num_classes=7, drop_rate=r["dropoutRate"], drop_path_rate=r["dropPathRate"])
    network = timm.create_model(name, pretrained=r["weights"] == "imagenet", **options)
    network.classifier.reset_parameters()
    torch.nn.init.zeros_(network.classifier.bias)
    return network.to(DEVICE, memory_format=torch.channels_last)


def train(variants, images, labels, r, seed, teachers=()):
    """Trains a network of each variant on the same batches, and returns their moving averages, ready to predict."""
    torch.manual_seed(seed)
    networks = [build(variant, r) for variant in variants]
    random = np.random.default_rng(seed)
    averages = [copy.deepcopy(network).eval().requires_grad_(False) for network in networks]
    parameters = [p for network in networks for p in network.train().parameters()]
    groups = [dict(params=[p for p in parameters if p.ndim > 1], weight_decay=r["weightDecay"])]
    groups += [dict(params=[p for p in parameters if p.ndim <= 1], weight_decay=0.0)]
    optimizer = torch.optim.AdamW(groups, fused=DEVICE == "cuda")
    num_batches = len(labels) // r["batchSize"]
    num_steps = num_batches * r["epochs"]
    num_warmup = round(r["warmupShare"] * num_steps)
    for step in range(num_steps):
        if step % num_batches == 0:
            order = torch.from_numpy(random.permutation(len(labels))).to(DEVICE)
        rise = (step + 1) / max(1, num_warmup)
        fall = (1 + math.cos(math.pi * (step - num_warmup) / max(1, num_steps - num_warmup))) / 2
        for group in optimizer.param_groups:
            group["lr"] = r["learningRate"] * (rise if step < num_warmup else fall)
        batch = order[step % num_batches * r["batchSize"] :][: r["batchSize"]]
        targets = F.one_hot(labels[batch], 7) * (1 - r["labelSmoothing"]) + r["labelSmoothing"] / 7
        x, targets = mix(augment(enlarge(images[batch], r["imageSize"]), r), targets, r, random)
        x = to_input(x)
        with torch.autocast(DEVICE, torch.bfloat16, enabled=DEVICE == "cuda"):
            if teachers:  # they see the same augmented, mixed images
                with torch.no_grad():
                    probs = sum(teacher(x).float().softmax(1) for teacher in teachers) / len(teachers)
                targets = (1 - r["teacherShare"]) * targets + r["teacherShare"] * probs
            logits = [network(x) for network in networks]
        loss = sum(F.cross_entropy(z.float(), targets) for z in logits)
        loss.backward()
        optimizer.step()
        optimizer.zero_grad()
        follow = 1 - min(r["emaDecay"], step / (step + 9))
        for network, average in zip(networks, averages):
            for value, mean in zip(network.state_dict().values(), average.state_dict().values()):
                if value.is_floating_point():
                    mean.lerp_(value, follow)
        if (step + 1) % num_batches == 0:
            print(f"epoch {(step + 1) // num_batches}/{r['epochs']} loss {loss.item() / len(networks):.3f}", flush=True)
    return averages


@torch.no_grad()
def predict(network, images, size, flip=False):
    """Probabilities [n, 7]; with `flip` the mean with those of the mirror images."""
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
    parser.add_argument("--out", default="box", help="folder for the weights")
    parser.add_argument("--smoke", action="store_true", help="try it out on a few images")
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
