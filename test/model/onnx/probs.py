"""Checks an ONNX file and writes the probabilities of its output: probs.py MODEL PIXELS IMAGE_SIZE OUTPUT."""
import sys

import numpy as np
import onnx
import onnxruntime

BATCH_SIZE = 64

model, pixels_file, image_size, output = sys.argv[1], sys.argv[2], int(sys.argv[3]), sys.argv[4]
onnx.checker.check_model(model, full_check=True)
session = onnxruntime.InferenceSession(model, providers=["CPUExecutionProvider"])
pixels = np.memmap(pixels_file, np.uint8, "r").reshape(-1, image_size, image_size, 3)
batches = [pixels[start : start + BATCH_SIZE] for start in range(0, len(pixels), BATCH_SIZE)]
probs = [session.run(None, {session.get_inputs()[0].name: np.ascontiguousarray(batch)})[0] for batch in batches]
np.concatenate(probs).tofile(output)
