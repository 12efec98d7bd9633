#!/usr/bin/env bash
# onnx 1.23.2: the reference evaluator, against which exports are checked, differs from the specification. Softmax, LogSoftmax and
# Hardmax before opset 13 act on all axes from the given one on, but it takes that axis alone: scores of a map of 2 x 2 are 4 times too
# large. AveragePool with ceil_mode moves all its windows by a pixel if the last one is cut: the mean of 0, 1, 2 becomes 0.5. A correct
# export then looks wrong, and a wrong one correct. ONNX Runtime 1.30.0 follows the specification in both. Nothing is reported.
# Until it changes: compare with ONNX Runtime, as in the last column of the output.
set -euo pipefail
dir="$(mktemp -d)"
trap 'rm -rf "$dir"' EXIT
cd "$dir"
python3 -m venv v
v/bin/pip install --quiet --disable-pip-version-check onnx==1.23.2 onnxruntime==1.30.0 numpy==2.4.6

cat > run.py <<'PY'
import numpy as np
import onnxruntime
from onnx import helper
from onnx.reference import ReferenceEvaluator


def compare(title, operator, values, opset, **attributes):
    node = helper.make_node(operator, ["x"], ["y"], **attributes)
    inputs, outputs = helper.make_tensor_value_info("x", 1, values.shape), helper.make_empty_tensor_value_info("y")
    graph = helper.make_graph([node], "g", [inputs], [outputs])
    model = helper.make_model(graph, opset_imports=[helper.make_opsetid("", opset)], ir_version=8)
    reference = ReferenceEvaluator(model).run(None, {"x": values})[0]
    runtime = onnxruntime.InferenceSession(model.SerializeToString()).run(None, {"x": values})[0]
    shown = [" ".join(f"{value:.2f}" for value in result.ravel()[:4]) for result in (reference, runtime)]
    print(f"{title}, opset {opset}: {shown[0]}, ONNX Runtime {shown[1]}")


scores = np.zeros((1, 2, 2, 2), "float32")
for opset in (11, 13):
    compare("Softmax of 2 classes at 2 x 2 points", "Softmax", scores, opset, axis=1)
row = np.arange(7, dtype="float32").reshape(1, 1, 1, 7)
for width in (6, 7):
    compare(f"means of 3 in a row of {width}", "AveragePool", row[..., :width], 19, kernel_shape=[1, 3], strides=[1, 3], ceil_mode=1)
PY

# Correct would be the same numbers in both columns.
cat > seen.txt <<'TXT'
Softmax of 2 classes at 2 x 2 points, opset 11: 0.50 0.50 0.50 0.50, ONNX Runtime 0.12 0.12 0.12 0.12
Softmax of 2 classes at 2 x 2 points, opset 13: 0.50 0.50 0.50 0.50, ONNX Runtime 0.50 0.50 0.50 0.50
means of 3 in a row of 6, opset 19: 1.00 4.00, ONNX Runtime 1.00 4.00
means of 3 in a row of 7, opset 19: 0.50 3.00 5.00, ONNX Runtime 1.00 4.00 6.00
TXT
v/bin/python run.py > now.txt 2> errors.txt || { cat errors.txt; exit 1; }
diff seen.txt now.txt && echo "onnx 1.23.2 still computes them otherwise:" && cat now.txt
