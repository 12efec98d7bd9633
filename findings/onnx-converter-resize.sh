#!/usr/bin/env bash
# onnx 1.23.2: version_converter changes what a model computes. Resize of opset 10 and Upsample of opset 9 have one grid of points.
# From opset 11 on the grid is an attribute with another default, which the converter does not set. A row that is enlarged twice
# is then shifted by a quarter of a pixel, and one that is halved by half a pixel. The model is converted without a warning.
# Until it changes: set coordinate_transformation_mode to "asymmetric" in converted nodes.
set -euo pipefail
dir="$(mktemp -d)"
trap 'rm -rf "$dir"' EXIT
cd "$dir"
python3 -m venv v
v/bin/pip install --quiet --disable-pip-version-check onnx==1.23.2 onnxruntime==1.32.0 numpy==2.4.6

cat > run.py <<'PY'
import numpy as np
import onnx
import onnxruntime
from onnx import TensorProto, helper, numpy_helper, version_converter

onnxruntime.set_default_logger_severity(3)
row = np.arange(0, 60, 10, dtype=np.float32).reshape(1, 1, 1, 6)


def enlarge(operator, version, mode, scale):
    scales = numpy_helper.from_array(np.array([1, 1, 1, scale], np.float32), "scales")
    node = helper.make_node(operator, ["x", "scales"], ["y"], mode=mode)
    x, y = (helper.make_tensor_value_info(name, TensorProto.FLOAT, shape) for name, shape in (("x", row.shape), ("y", [1, 1, 1, None])))
    graph = helper.make_graph([node], "graph", [x], [y], [scales])
    return helper.make_model(graph, opset_imports=[helper.make_opsetid("", version)], ir_version=8)


def run(model):
    onnx.checker.check_model(model)
    y = onnxruntime.InferenceSession(model.SerializeToString(), providers=["CPUExecutionProvider"]).run(None, {"x": row})[0]
    return " ".join(f"{value:g}" for value in y.ravel())


for operator, version, mode, scale in (("Upsample", 9, "linear", 2), ("Resize", 10, "linear", 2), ("Resize", 10, "linear", 0.5)):
    model = enlarge(operator, version, mode, scale)
    print(f"{operator}, {mode}, × {scale}, opset {version}: {run(model)}")
    converted = version_converter.convert_version(model, 17)
    print(f"{operator}, {mode}, × {scale}, opset 17: {run(converted)}")
PY

# Correct would be the same row before and after.
cat > seen.txt <<'TXT'
Upsample, linear, × 2, opset 9: 0 5 10 15 20 25 30 35 40 45 50 50
Upsample, linear, × 2, opset 17: 0 2.5 7.5 12.5 17.5 22.5 27.5 32.5 37.5 42.5 47.5 50
Resize, linear, × 2, opset 10: 0 5 10 15 20 25 30 35 40 45 50 50
Resize, linear, × 2, opset 17: 0 2.5 7.5 12.5 17.5 22.5 27.5 32.5 37.5 42.5 47.5 50
Resize, linear, × 0.5, opset 10: 0 20 40
Resize, linear, × 0.5, opset 17: 5 25 45
TXT
v/bin/python run.py > now.txt 2> errors.txt || { cat errors.txt; exit 1; }
diff seen.txt now.txt && echo "onnx 1.23.2 still converts to another grid:" && cat now.txt
