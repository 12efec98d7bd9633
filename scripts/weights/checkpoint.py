"""Reads torch checkpoints without running what is in them.

A pickle is a program. This reader gives it nothing to run: known names become plain data and tensors, unknown ones of other
packages become inert objects, and a pickle that asks for anything of Python's own is refused. It reads both formats, zip and
the one before torch 1.6.
"""
import _compat_pickle
import collections
import io
import json
import math
import pickle
import sys
import zipfile
from dataclasses import dataclass
from typing import Any

import numpy as np

from weights.limits import Budget
from weights.problem import Problem

DTYPES = {
    "double": "f8", "float64": "f8", "float": "f4", "float32": "f4", "half": "f2", "float16": "f2",
    "bfloat16": "bf16", "long": "i8", "int64": "i8", "int": "i4", "int32": "i4", "short": "i2", "int16": "i2",
    "char": "i1", "int8": "i1", "byte": "u1", "uint8": "u1", "bool": "u1", "untyped": "u1",
}
MAGIC_NUMBER = 0x1950A86A20F9469CFC6C
MAX_DEPTH = 100


@dataclass(frozen=True)
class Dtype:
    name: str

    @property
    def storage(self):
        """How numpy reads it; bfloat16 as its bits."""
        return np.dtype("<u2" if self.name == "bf16" else "<" + self.name)


@dataclass(frozen=True)
class Storage:
    """Numbers that tensors are views of."""

    key: str
    dtype: Dtype
    length: int
    """Where a view begins, in old checkpoints."""
    start: int = 0


@dataclass(frozen=True)
class View:
    storage: Storage
    offset: int
    shape: tuple
    strides: tuple
    dtype: Dtype


class Inert:
    """Stands for an object of a class that is never imported; keeps its state, runs nothing."""

    def __new__(cls, *_args, **_options):
        self = object.__new__(cls)
        self.state = {}
        return self

    def __init__(self, *_args, **_options):
        pass

    def __setstate__(self, state):
        self.state = state

    def __setitem__(self, key, value):
        if isinstance(self.state, dict):
            self.state[key] = value

    def __call__(self, *_args, **_options):
        return Inert()

    def ignore(self, *_args):
        pass

    append = extend = add = ignore


def are_sizes(values):
    return isinstance(values, tuple) and all(type(value) is int and value >= 0 for value in values)


def rebuild_tensor(storage, offset, shape, strides, *rest):
    """Takes the arguments of torch's `_rebuild_tensor_v2` and `_v3`; the latter gives a dtype for its untyped storage."""
    sizes_fit = are_sizes((offset,)) and are_sizes(shape) and are_sizes(strides) and len(shape) == len(strides)
    if not isinstance(storage, Storage) or not sizes_fit:
        raise Problem("a tensor without storage, shape or strides")
    dtype = next((value for value in rest if isinstance(value, Dtype)), storage.dtype)
    return View(storage, offset, shape, strides, dtype)


def first(value, *_rest):
    return value


def empty_dict(*_args):
    return {}


FUNCTIONS = {
    "collections.OrderedDict": collections.OrderedDict,
    "collections.defaultdict": empty_dict,
    "torch._utils._rebuild_tensor": rebuild_tensor,
    "torch._utils._rebuild_tensor_v2": rebuild_tensor,
    "torch._utils._rebuild_tensor_v3": rebuild_tensor,
    "torch._utils._rebuild_parameter": first,
    "torch._utils._rebuild_parameter_with_state": first,
    "torch.nn.parameter.Parameter": first,
    "torch.nn.parameter.Buffer": first,
    "torch._tensor._rebuild_from_type_v2": lambda rebuild, _type, args, _state: rebuild(*args),
    **{f"torch.{name}": Dtype(code) for name, code in DTYPES.items()},
    **{f"torch.{name.title()}Storage": Dtype(code) for name, code in DTYPES.items()},
    "torch.BFloat16Storage": Dtype("bf16"),
    "torch.storage.UntypedStorage": Dtype("u1"),
    "torch.storage._UntypedStorage": Dtype("u1"),
}
BUILTINS = {name: getattr(__import__("builtins"), name) for name in ("dict", "list", "tuple", "set", "frozenset")}
# Modules of Python's own that harmless checkpoints name, besides containers. What they name is never looked into.
HARMLESS_MODULES = {
    "_codecs", "argparse", "collections", "copyreg", "dataclasses", "datetime", "decimal", "enum", "fractions", "functools",
    "logging", "numbers", "operator", "pathlib", "random", "re", "typing", "uuid", "zoneinfo",
}  # fmt: skip
HARMLESS = {
    "types.MappingProxyType", "types.SimpleNamespace",
    *(f"builtins.{name}" for name in (
        "bool", "bytearray", "bytes", "complex", "float", "getattr", "int", "object", "range", "slice", "str", "type",
    )),
}  # fmt: skip


class Unpickler(pickle.Unpickler):
    """Builds data from a pickle; imports and runs nothing that the pickle names."""

    def __init__(self, file):
        super().__init__(file, encoding="latin1")
        self.storages = {}

    def find_class(self, module, name):
        # torch writes the names of Python 2.
        renamed = _compat_pickle.IMPORT_MAPPING.get(module, module), name
        module, name = _compat_pickle.NAME_MAPPING.get((module, name), renamed)
        path = f"{module}.{name}"
        if path in FUNCTIONS:
            return FUNCTIONS[path]
        if module == "builtins" and name in BUILTINS:
            return BUILTINS[name]
        package = module.split(".")[0]
        is_own = package in sys.stdlib_module_names or package == "builtins"
        if is_own and package not in HARMLESS_MODULES and path not in HARMLESS:
            raise Problem(
                f"a call of {path}",
                expected="nothing but data in a checkpoint",
                fix="Remove the file and take the weights from their publisher: it asks to run code, of which none was run.",
            )
        return type(name, (Inert,), {})

    def persistent_load(self, reference):
        kind, dtype, key, _, length, *view = (*reference, None)
        if kind != "storage" or not isinstance(dtype, Dtype) or type(length) is not int or length < 0:
            raise Problem(f"a reference to {kind}")
        start = view[0][1] if isinstance(view[0], tuple) else 0
        storage = Storage(str(key), dtype, length, start)
        self.storages.setdefault(storage.key, storage)
        return storage


def read_zip(file, budget):
    """Returns the data, and a function that reads a storage's bytes."""
    archive = zipfile.ZipFile(file)
    names = archive.namelist()
    pickles = [name for name in names if name.split("/")[-1] == "data.pkl"]
    if any(name.split("/")[-1] == "constants.pkl" for name in names):
        raise Problem(
            "a TorchScript program", fix="Save the state dictionary instead: torch.save(model.state_dict(), FILE)."
        )
    if len(pickles) != 1:
        raise Problem(f"a zip archive with {len(pickles)} files named data.pkl")
    root = pickles[0][: -len("data.pkl")]
    if f"{root}byteorder" in names and budget.read(archive, f"{root}byteorder") == b"big":
        raise Problem("numbers in big-endian order", fix="Save the checkpoint on a little-endian machine.")
    content = Unpickler(io.BytesIO(budget.read(archive, pickles[0]))).load()
    return content, lambda storage: budget.read(archive, f"{root}data/{storage.key}")


def read_legacy(file):
    """Returns the data, and a function that returns a storage's bytes."""
    if Unpickler(file).load() != MAGIC_NUMBER:
        raise Problem("a pickle that torch.save did not write", fix="Save the weights with torch.save, or choose another file.")
    for _ in ("protocol version", "sizes of the writer's types"):
        Unpickler(file).load()
    unpickler = Unpickler(file)
    content = unpickler.load()
    numbers = {}
    for key in Unpickler(file).load():
        storage = unpickler.storages.get(key)
        if storage is None:
            raise Problem(f"a storage {key} that no tensor uses")
        length = int.from_bytes(file.read(8), "little", signed=True)
        if length != storage.length:
            raise Problem(f"a storage of {length} numbers instead of {storage.length}")
        numbers[key] = file.read(length * storage.dtype.storage.itemsize)
    return content, lambda storage: numbers[storage.key]


def find_tensors(value, budget, name="", depth=0):
    """Yields the tensors of nested dictionaries, lists and modules by path, in order."""
    budget.visit(name)
    if depth > MAX_DEPTH:
        raise Problem("data that is nested too deeply")
    if isinstance(value, View):
        yield name, value
    elif isinstance(value, Inert):
        yield from find_tensors(value.state, budget, name, depth + 1)
    elif isinstance(value, (dict, list, tuple)):
        for key, child in value.items() if isinstance(value, dict) else enumerate(value):
            # What a module that was saved whole keeps its parts in is no part of their names.
            is_part = key in ("_parameters", "_buffers", "_modules")
            path = name if is_part else f"{name}.{key}" if name else str(key)
            yield from find_tensors(child, budget, path, depth + 1)


def numbers_of(view, read_storage, storages, budget):
    storage = view.storage
    if storage.key not in storages:
        data = read_storage(storage)
        if len(data) < storage.length * storage.dtype.storage.itemsize:
            raise EOFError
        storages[storage.key] = data
    numbers = np.frombuffer(storages[storage.key], view.dtype.storage)[storage.start :]
    length = math.prod(view.shape)
    last = view.offset + sum((size - 1) * stride for size, stride in zip(view.shape, view.strides))
    if length and (last >= len(numbers) or length > len(numbers)):
        raise Problem("a tensor outside its storage")
    budget.spend(length * numbers.itemsize, "views of its numbers")
    if length == 0:
        numbers = numbers[:0].reshape(view.shape)
    else:
        strides = [stride * numbers.itemsize for stride in view.strides]
        numbers = np.lib.stride_tricks.as_strided(numbers[view.offset :], view.shape, strides)
    if view.dtype.name == "bf16":  # the upper half of a float32
        numbers = (numbers.astype("<u4") << 16).view("<f4")
    kind = "<f4" if numbers.dtype.kind == "f" else "<i8"
    return np.ascontiguousarray(numbers, kind).reshape(view.shape)


# What programs call the names of a network's classes, in a checkpoint or in its settings.
CLASS_NAMES = ("class_names", "classes", "CLASSES", "label_names", "labels", "class_to_idx", "idx_to_class", "id2label", "label2id")


def dict_of(value):
    """Returns the entries of a dictionary or of an object such as argparse's; empty for anything else."""
    value = value.state if isinstance(value, Inert) else value
    return value if isinstance(value, dict) else {}


def are_names(value):
    """True for a list of texts, or a dictionary of texts by number or of numbers by text."""
    if not value:
        return False
    if isinstance(value, dict):
        return all(isinstance(key, (int, str)) and isinstance(one, (int, str)) for key, one in value.items())
    return isinstance(value, (list, tuple)) and all(isinstance(one, str) for one in value)


def origin_of(content):
    """Returns what training programs such as timm's save about a network: its name, mean and std, and more by timm's names."""
    content = dict_of(content)
    args = dict_of(content.get("args"))
    meta = dict_of(content.get("meta"))
    settings = [content, args, dict_of(content.get("hyper_parameters")), meta, dict_of(meta.get("dataset_meta"))]
    names = [name for name in (args.get("model"), content.get("arch")) if isinstance(name, str)]
    scales = [args.get("mean"), args.get("std")]
    are_given = all(
        isinstance(scale, (list, tuple)) and len(scale) in (1, 3) and all(isinstance(value, (int, float)) for value in scale)
        for scale in scales
    )
    own = {"bn_eps": "bn_eps", "gp": "global_pool", "crop_pct": "crop_pct", "crop_mode": "crop_mode", "img_size": "image_size"}
    training: dict[str, Any] = {name: args[option] for option, name in own.items() if isinstance(args.get(option), (int, float, str))}
    class_names = [entries[name] for entries in settings for name in CLASS_NAMES if are_names(entries.get(name))]
    if class_names:
        training["class_names"] = class_names[0]
    return {
        **({"ferkit.architecture": names[0]} if names else {}),
        **({"ferkit.scale": json.dumps(scales)} if are_given else {}),
        **({"ferkit.training": json.dumps(training)} if training else {}),
    }


def convert_torch(file, size):
    """Returns the tensors of a checkpoint of `size` bytes by name, and metadata."""
    is_zip = file.read(2) == b"PK"
    file.seek(0)
    budget = Budget(size)
    content, read_storage = read_zip(file, budget) if is_zip else read_legacy(file)
    storages: dict[str, Any] = {}
    views = find_tensors(content, budget)
    tensors = {name: numbers_of(view, read_storage, storages, budget) for name, view in views}
    return tensors, origin_of(content)
