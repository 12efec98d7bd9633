"""ONNX Runtime or OpenVINO, by the program's argument: inference of networks in ONNX format."""
import os
import sys

import numpy as np

from reference.parity import RecordedLogits
from serve import serve

NUM_THREADS = os.cpu_count()


def open_onnxruntime(model, precision="float32"):
    import onnxruntime

    if precision != "float32":
        raise ValueError(f"Expected float32 for precision but received {precision}: ONNX Runtime lacks it on CPUs")
    options = onnxruntime.SessionOptions()
    options.intra_op_num_threads = NUM_THREADS
    session = onnxruntime.InferenceSession(model, options, providers=["CPUExecutionProvider"])
    name = session.get_inputs()[0].name
    return lambda images: session.run(None, {name: images})[0]


def open_openvino(model, precision):
    import openvino

    options = {
        "INFERENCE_NUM_THREADS": NUM_THREADS,
        "INFERENCE_PRECISION_HINT": {"float32": "f32", "bfloat16": "bf16"}[precision],
        "PERFORMANCE_HINT": "LATENCY",
    }
    request = openvino.Core().compile_model(model, "CPU", options).create_infer_request()
    return lambda images: request.infer([images], share_inputs=True)[0]


open_model = {"onnxruntime": open_onnxruntime, "openvino": open_openvino}[sys.argv[1]]


def prepare(kind, variant, image_size, batch_size, model, **options):
    if kind != "infer":
        raise ValueError(f"Expected infer for kind but received {kind}")
    infer = open_model(model, **options)
    random = np.random.default_rng(0)
    images = random.uniform(-1, 1, (batch_size, 3, image_size, image_size)).astype(np.float32)
    return lambda: infer(images)


def logits_error(model, file, **options):
    """Compares ferkit's logits in file with those of the same network, relative to their norm."""
    recorded = RecordedLogits(file)
    return recorded.error(open_model(model, **options)(recorded.images))


def versions():
    module = __import__(sys.argv[1])
    return {sys.argv[1]: module.__version__.split("-")[0]}


serve(prepare, logitsError=logits_error, versions=versions)
