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

import torch
import torch.nn.functional as F
from safetensors.torch import save_file

from training import AUGMENT, DEVICE, SMOKE, autocast, build_network, fit, generators, score, to_input  # first: finds bench/python
from fer2013 import NUM_FOLDS, enlarge, fold_of_each, load, mix
from reference.augment import augment

STUDENTS = ("lite2", "lite0")
CONFIG = dict(
    weights="imagenet", imageSize=144, batchSize=128, learningRate=2e-3, schedule="cosine", warmupShare=0.1,
    weightDecay=0.05, labelSmoothing=0.1, mixup=0.2, cutmix=1.0, mixShare=0.5, dropoutRate=0.3, augment=AUGMENT,
)
TEACHER = dict(CONFIG, epochs=10, dropPathRate=0.1, emaDecay=0.998)
STUDENT = dict(CONFIG, epochs=30, dropPathRate=0.15, emaDecay=0.999, teacherShare=0.75)


def train(variants, images, labels, config, seed, teachers=()):
    """Trains a network of each variant on the same batches, and returns their EMAs, ready to predict."""
    random, generator = generators(seed)
    networks = [build_network(variant, config).train() for variant in variants]
    hard = F.one_hot(labels, 7) * (1 - config["labelSmoothing"]) + config["labelSmoothing"] / 7

    def loss_of(batch, _):
        x = augment(enlarge(images[batch], config["imageSize"]), config["augment"], generator)
        x, targets = mix(x, hard[batch], config, random)
        x = to_input(x)
        with autocast():
            if teachers:  # they see the same augmented, mixed images
                with torch.no_grad():
                    probs = sum(teacher(x).float().softmax(1) for teacher in teachers) / len(teachers)
                targets = (1 - config["teacherShare"]) * targets + config["teacherShare"] * probs
            logits = [network(x) for network in networks]
        return sum(F.cross_entropy(z.float(), targets) for z in logits)

    return fit(networks, len(labels), config, random, loss_of)


@torch.no_grad()
def predict(network, images, size, flip=False):
    """Returns probabilities [n, 7]; with `flip`, their mean with those of the mirror images."""
    probs = []
    for chunk in images.split(256):
        x = to_input(enlarge(chunk, size))
        views = [x, x.flip(3)] if flip else [x]
        probs.append(sum(network(view).float().softmax(1) for view in views) / len(views))
    return torch.cat(probs)


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
