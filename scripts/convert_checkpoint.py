"""Converts a torch checkpoint or a Keras file to safetensors, without running what is in it.

    convert_checkpoint.py SOURCE TARGET

Tensors are named by their path, such as `state_dict.conv_stem.weight`, in the file's order; floats become float32, other numbers
int64. Metadata entries keep the order (`ferkit.names`), the model's name, mean and std if a checkpoint has them
(`ferkit.architecture`, `ferkit.scale`), and how a Keras network scales pixels and pads (`ferkit.keras`).

If the source cannot be read, or the disk fails or is full, it prints {"expected", "found", "fix", "where"} as JSON, where by default the
source is meant, and exits with status 2.
"""
import errno
import json
import os
import pickle
import shutil
import sys
import zipfile

from safetensors.numpy import save_file

sys.path.insert(0, os.path.dirname(__file__))  # left out by `python -I`
from weights.checkpoint import convert_torch  # noqa: E402
from weights.keras_file import convert_keras  # noqa: E402
from weights.limits import limit_process  # noqa: E402
from weights.problem import Problem  # noqa: E402

# What a disk answers that fails, which says nothing about the data.
DISK_FAILURES = {errno.EIO, errno.ENXIO, errno.ENODEV, errno.ESTALE, errno.ENOTCONN, errno.ETIMEDOUT}


def convert(file, size):
    """Returns the tensors of a file by name, and metadata."""
    is_h5 = file.read(8) == b"\x89HDF\r\n\x1a\n"
    file.seek(0)
    is_keras = is_h5 or (zipfile.is_zipfile(file) and "model.weights.h5" in zipfile.ZipFile(file).namelist())
    file.seek(0)
    tensors, metadata = (convert_keras if is_keras else convert_torch)(file, size)
    if not tensors:
        raise Problem("no tensors")
    return tensors, metadata


def read(file, size):
    """Returns the tensors of a file by name, and metadata; raises a Problem if it cannot be read."""
    try:
        return convert(file, size)
    except (EOFError, zipfile.BadZipFile, pickle.UnpicklingError) as error:
        is_cut = isinstance(error, EOFError) or "truncated" in str(error) or "not a zip" in str(error)
        raise Problem(f"the end of the file after {size} bytes; it is cut short" if is_cut else f"damaged data ({error})")
    except Problem:
        raise
    except MemoryError:
        raise Problem(f"data that needs much more memory than the {size} bytes of the file")
    except OSError as error:
        if error.errno not in DISK_FAILURES:
            raise Problem(f"damaged data ({type(error).__name__}: {error})")
        raise Problem("a disk that fails", fix="Run again when the disk can be read.")
    except Exception as error:  # anything that damaged data makes the reader do
        raise Problem(f"damaged data ({type(error).__name__}: {error})")


def write(tensors, target, metadata):
    """Writes the tensors; raises a Problem if the disk has no room for them."""
    try:
        save_file(tensors, target, metadata)
    except Exception:
        folder = os.path.dirname(target)
        if shutil.disk_usage(folder).free > sum(tensor.nbytes for tensor in tensors.values()):
            raise
        fix = "Make room there, or choose another folder for temporary files with TMPDIR."
        problem = Problem("a full disk", expected="to write", fix=fix)
        problem.parts["where"] = folder
        raise problem


def main(source, target):
    size = os.path.getsize(source)
    limit_process(size)
    try:
        with open(source, "rb") as file:
            tensors, metadata = read(file, size)
        write(tensors, target, {**metadata, "ferkit.names": json.dumps(list(tensors))})
    except Problem as problem:
        print(json.dumps(problem.parts))
        return 2
    return 0


if __name__ == "__main__":
    sys.exit(main(*sys.argv[1:]))
