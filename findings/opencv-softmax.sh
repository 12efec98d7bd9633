#!/usr/bin/env bash
# OpenCV 5.0.0: the dnn module computes Softmax of ONNX opsets below 13 as that of opset 13. Without an axis, opset 12 means all
# axes from the second on, and OpenCV takes the last one: a network whose logits have the shape N × classes × 1 × 1 gives each class the
# probability 1. With axis 1 and a map of logits, the numbers add up to 1 for each pixel instead of for the image. Nothing is reported.
# Until it changes: convert the model to opset 13, or flatten the logits before Softmax.
set -euo pipefail
dir="$(mktemp -d)"
trap 'rm -rf "$dir"' EXIT
cd "$dir"
python3 -m venv v
v/bin/pip install --quiet --disable-pip-version-check opencv-python-headless==5.0.0.93 onnx==1.23.2 onnxruntime==1.32.0 numpy==2.4.6

cat > run.py <<'PY'
import cv2
import numpy as np
import onnxruntime
from onnx import TensorProto, helper

onnxruntime.set_default_logger_severity(3)


def show(title, shape, opset, **attributes):
    logits = np.arange(np.prod(shape), dtype=np.float32).reshape(shape) / 4
    ends = [[helper.make_tensor_value_info(name, TensorProto.FLOAT, shape)] for name in ("logits", "probs")]
    graph = helper.make_graph([helper.make_node("Softmax", ["logits"], ["probs"], **attributes)], "softmax", *ends)
    model = helper.make_model(graph, opset_imports=[helper.make_opsetid("", opset)], ir_version=8).SerializeToString()
    right = onnxruntime.InferenceSession(model, providers=["CPUExecutionProvider"]).run(None, {"logits": logits})[0]
    network = cv2.dnn.readNetFromONNX(np.frombuffer(model, np.uint8))
    network.setInput(logits)
    for name, probs in (("ONNX Runtime", right), ("OpenCV", network.forward())):
        print(f"{title}, opset {opset}, {name}: sum {probs.sum():.2f}, smallest {probs.min():.2f}")


show("three classes", [1, 3, 1, 1], 12)
show("three classes", [1, 3, 1, 1], 13, axis=1)
show("map of 2 × 2 pixels", [1, 3, 2, 2], 12, axis=1)
PY

# Correct would be the same numbers from both.
cat > seen.txt <<'TXT'
three classes, opset 12, ONNX Runtime: sum 1.00, smallest 0.25
three classes, opset 12, OpenCV: sum 3.00, smallest 1.00
three classes, opset 13, ONNX Runtime: sum 1.00, smallest 0.25
three classes, opset 13, OpenCV: sum 1.00, smallest 0.25
map of 2 × 2 pixels, opset 12, ONNX Runtime: sum 1.00, smallest 0.01
map of 2 × 2 pixels, opset 12, OpenCV: sum 4.00, smallest 0.09
TXT
v/bin/python run.py > now.txt 2> errors.txt || { cat errors.txt; exit 1; }
diff seen.txt now.txt && echo "OpenCV 5.0.0 still takes another axis:" && cat now.txt
