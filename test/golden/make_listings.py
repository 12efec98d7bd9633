"""Writes listings.json: what torchvision, Keras and Hugging Face's `datasets` find in one tree of class folders.

    python make_listings.py torchvision keras     # with bench/requirements.txt and torchvision
    python make_listings.py datasets              # with datasets 5.2.0, which is kept apart from the others

Each call adds to the file the peers that it names.
"""
import json
import os
import pathlib
import sys
import tempfile

from PIL import Image

FILE = pathlib.Path(__file__).parent / "listings.json"
FILES = [
    f"{part}/{name}/{file}"
    for part in ["train", "test"]
    for name, files in {
        "10": ["b.png", "a.jpg"],
        "2": ["a.JPG", "c.png"],
        "1": ["10.png", "2.png", "1.jpeg"],
        "Zebra": ["x.png"],
        "apple": ["y.png"],
        "\u00e9clair": ["z.png"],
    }.items()
    for file in files
]


def by_torchvision(root):
    from torchvision.datasets import ImageFolder

    listings = {}
    for part in ["train", "test"]:
        data = ImageFolder(f"{root}/{part}")
        images = [[os.path.relpath(path, root), data.classes[label]] for path, label in data.samples]
        listings[part] = {"classes": data.classes, "images": sorted(images)}
    return listings


def by_keras(root):
    from keras.utils import image_dataset_from_directory

    listings = {}
    for part in ["train", "test"]:
        data = image_dataset_from_directory(f"{root}/{part}", shuffle=False, label_mode="int", verbose=False)
        labels = [int(label) for _, batch in data for label in batch]
        images = [[os.path.relpath(path, root), data.class_names[label]] for path, label in zip(data.file_paths, labels)]
        listings[part] = {"classes": data.class_names, "images": sorted(images)}
    return listings


def by_datasets(root):
    from datasets import Image as ImageFeature
    from datasets import load_dataset

    listings = {}
    for part, data in load_dataset("imagefolder", data_dir=str(root), cache_dir=f"{root}-cache").items():
        classes = data.features["label"].names
        rows = data.cast_column("image", ImageFeature(decode=False))
        images = [[os.path.relpath(row["image"]["path"], root), classes[row["label"]]] for row in rows]
        listings[part] = {"classes": classes, "images": sorted(images)}
    return listings


def main(peers):
    content = json.loads(FILE.read_text()) if FILE.exists() else {}
    content["files"] = FILES
    with tempfile.TemporaryDirectory() as folder:
        root = pathlib.Path(folder) / "data"
        for file in FILES:
            (root / file).parent.mkdir(parents=True, exist_ok=True)
            Image.new("RGB", (4, 4)).save(root / file)
        for peer in peers:
            content[peer] = globals()[f"by_{peer}"](root)
    FILE.write_text(json.dumps(content, indent=1, ensure_ascii=False) + "\n")


main(sys.argv[1:])
