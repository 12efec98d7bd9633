"""Writes datasets/: small data sets made by the tools whose layouts they have.

    python3 -m venv v && v/bin/pip install datasets==5.2.0 webdataset==1.0.2 pillow==13.0.0
    v/bin/python test/golden/make_datasets.py test/golden/datasets
"""
import io
import json
import os
import sys

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import webdataset
from datasets import ClassLabel, Dataset, Features
from datasets import Image as ImageFeature
from PIL import Image

NAMES = ["happy", "angry", "sad"]


def image(seed):
    """A 4 × 4 image of one grey level, so that it is known again."""
    return Image.fromarray(np.full((4, 4), seed, np.uint8))


def rows(start, count):
    return {"image": [image(start + i) for i in range(count)], "label": [i % 3 for i in range(count)]}


def png(seed):
    data = io.BytesIO()
    image(seed).save(data, "PNG")
    return {"bytes": data.getvalue(), "path": f"{seed}.png"}


def write_kinds(folder):
    """Parquet files with columns, labels and compressions that not every file has."""
    os.makedirs(folder, exist_ok=True)
    images = pa.array([png(i) for i in range(6)], pa.struct([("bytes", pa.binary()), ("path", pa.string())]))
    masks = pa.array([png(200 + i) for i in range(6)], images.type)
    labels = [i % 3 for i in range(6)]

    def write(name, columns, compression="snappy"):
        pq.write_table(pa.table(columns), f"{folder}/{name}.parquet", compression=compression)

    for compression in ["zstd", "lz4", "gzip", "brotli"]:
        write(compression, {"image": images, "label": labels}, compression)
    write("mask-first", {"mask": masks, "image": images, "label": labels})
    write("two-sides", {"left": images, "right": masks, "label": labels})
    write("null-first", {"image": pa.array([None, *images.to_pylist()[1:]], images.type), "label": labels})
    write("list", {"image": images, "label": [[i] if i else [0, 1] for i in labels]})
    write("one-hot", {"image": images, "label": [[int(i == k) for k in range(3)] for i in labels]})
    write("list-of-one", {"image": images, "label": [[i] for i in labels]})
    parts = ["train", "train", "train", "valid", "valid", "extra"]
    write("split-column", {"image": images, "label": labels, "split": parts, "caption": ["a cat"] * 6})
    flags = pa.array([False, False, None, True, True, False])
    numbers = pa.array([0.0, 1.0, float("nan"), 0.0, 1.0, None])
    write("flag-column", {"image": images, "emotion": numbers, "is_valid": flags, "vector": [[0.5, 0.5]] * 6})
    write("wrong-split", {"image": images, "label": labels, "split": [*parts[:5], "trian"]})
    features = {"info": {"features": {"label": {"names": NAMES, "_type": "ClassLabel"}}}}
    codes = pa.table({"image": images, "label": [-1, 0, 1, 2, 0, 1], "code": [-1, 0, 1, -1, 0, 1]})
    named = codes.replace_schema_metadata({"huggingface": json.dumps(features)})
    pq.write_table(named, f"{folder}/minus-one.parquet")
    decimals = pa.array([2**53, 2**53 + 1, 1, 2**53, 2**53 + 1, 1], pa.decimal128(20, 0))
    write("decimals", {"image": images, "label": decimals})
    unnamed = pa.table({"image": images, "label": [0, 1, 2, 3, 4, 4]})
    pq.write_table(unnamed.replace_schema_metadata(named.schema.metadata), f"{folder}/unnamed.parquet")
    pq.write_table(unnamed.slice(0, 0), f"{folder}/empty.parquet")
    write("struct", {"image": images, "label": [{"name": NAMES[i], "id": i} for i in labels]})


def main(output):
    write_kinds(f"{output}/parquet-kinds")
    os.makedirs(f"{output}/parquet", exist_ok=True)
    features = Features({"image": ImageFeature(), "label": ClassLabel(names=NAMES)})
    for part, start, count in [("train", 0, 6), ("validation", 100, 3)]:
        data = Dataset.from_dict(rows(start, count), features=features)
        data.to_parquet(f"{output}/parquet/{part}-00000-of-00001.parquet")
    os.makedirs(f"{output}/webdataset", exist_ok=True)
    for shard, start, count in [("train-000000", 0, 4), ("train-000001", 4, 2), ("val-000000", 100, 3)]:
        with webdataset.TarWriter(f"{output}/webdataset/{shard}.tar") as sink:
            for i in range(count):
                sink.write({"__key__": f"{start + i:06d}", "png": image(start + i), "cls": (start + i) % 3})
    with webdataset.TarWriter(f"{output}/split-in-json.tar") as sink:
        for i in range(4):
            sink.write({"__key__": f"{i:06d}", "png": image(i), "cls": i % 2, "json": {"split": ["train", "test"][i // 2]}})
    with webdataset.TarWriter(f"{output}/labels-in-json.tar") as sink:
        for i in range(4):
            sink.write({"__key__": f"{i:06d}", "png": image(i), "json": {"label": NAMES[i % 2], "width": 4}})


main(sys.argv[1])
