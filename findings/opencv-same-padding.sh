#!/usr/bin/env bash
# OpenCV 5.0.0: the dnn module pads ONNX nodes with auto_pad "SAME_UPPER" or "SAME_LOWER" alike on both sides. Where the padding is
# odd, as in convolutions and pools of stride 2 on images of an even size, all windows are off by a pixel. Networks from
# TensorFlow and Keras, such as EfficientNet, have these layers: they load, and predict something else. Odd sizes are right.
# Until it changes: write the padding as pads, as in the last lines of the output, or run the model in ONNX Runtime.
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
from onnx import TensorProto, helper, numpy_helper

ones = numpy_helper.from_array(np.ones((1, 1, 3, 3), np.float32), "kernel")


def show(title, size, operator, **attributes):
    inputs, constants = (["x", "kernel"], [ones]) if operator == "Conv" else (["x"], [])
    node = helper.make_node(operator, inputs, ["y"], kernel_shape=[3, 3], strides=[2, 2], **attributes)
    out = (size + 1) // 2
    ends = [helper.make_tensor_value_info(name, TensorProto.FLOAT, [1, 1, n, n]) for name, n in (("x", size), ("y", out))]
    graph = helper.make_graph([node], "graph", ends[:1], ends[1:], constants)
    model = helper.make_model(graph, opset_imports=[helper.make_opsetid("", 17)], ir_version=8).SerializeToString()
    x = np.arange(size * size, dtype=np.float32).reshape(1, 1, size, size)
    correct = onnxruntime.InferenceSession(model, providers=["CPUExecutionProvider"]).run(None, {"x": x})[0]
    network = cv2.dnn.readNetFromONNX(np.frombuffer(model, np.uint8))
    network.setInput(x)
    for name, y in (("ONNX Runtime", correct), ("OpenCV", network.forward())):
        print(f"{title}, {size} × {size}, {name}: {' '.join(f'{value:g}' for value in y[0, 0, 0])}")


for size in (7, 8):
    show("sum of 3 × 3, SAME_UPPER", size, "Conv", auto_pad="SAME_UPPER")
show("largest of 3 × 3, SAME_UPPER", 8, "MaxPool", auto_pad="SAME_UPPER")
show("sum of 3 × 3, pads", 8, "Conv", pads=[0, 0, 1, 1])
PY

# Correct would be the same first row in each two lines.
cat > seen.txt <<'TXT'
sum of 3 × 3, SAME_UPPER, 7 × 7, ONNX Runtime: 16 33 45 36
sum of 3 × 3, SAME_UPPER, 7 × 7, OpenCV: 16 33 45 36
sum of 3 × 3, SAME_UPPER, 8 × 8, ONNX Runtime: 81 99 117 87
sum of 3 × 3, SAME_UPPER, 8 × 8, OpenCV: 18 36 48 60
largest of 3 × 3, SAME_UPPER, 8 × 8, ONNX Runtime: 18 20 22 23
largest of 3 × 3, SAME_UPPER, 8 × 8, OpenCV: 9 11 13 15
sum of 3 × 3, pads, 8 × 8, ONNX Runtime: 81 99 117 87
sum of 3 × 3, pads, 8 × 8, OpenCV: 81 99 117 87
TXT
v/bin/python run.py > now.txt 2> errors.txt || { cat errors.txt; exit 1; }
diff seen.txt now.txt && echo "OpenCV 5.0.0 still pads both sides alike:" && cat now.txt
