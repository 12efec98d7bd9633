#!/usr/bin/env bash
# onnxoptimizer 0.4.2 and onnxslim 0.1.98 change what some models compute.
# - onnxoptimizer merges a padding with zeros into a MaxPool whose own padding counts as minus infinity: at the edges, negative maxima
#   are no longer 0. It needs known shapes (onnx.shape_inference), and activations that can be negative.
# - onnxoptimizer drops the first of two Reshape nodes although a 0 of the second copies a size of the first: other rows are formed.
# - onnxslim multiplies the kernels of a Conv by a vector that belongs to the columns of the image, if there are as many as channels.
# The result is a valid model. ONNX Runtime gives the same output for the original with and without its own optimisations.
# Until it changes: compare the outputs of a model before and after on some images, or leave the optimisation to
# ONNX Runtime. onnxoptimizer takes a list of passes: leave out fuse_pad_into_pool and eliminate_nop_reshape.
set -euo pipefail
dir="$(mktemp -d)"
trap 'rm -rf "$dir"' EXIT
cd "$dir"
python3 -m venv v
v/bin/pip install --quiet --disable-pip-version-check onnxoptimizer==0.4.2 onnxslim==0.1.98 onnx==1.23.2 onnxruntime==1.32.0 numpy==2.4.6

cat > run.py <<'PY'
import numpy as np
import onnx
import onnxoptimizer
import onnxruntime
import onnxslim
from onnx import TensorProto, helper, numpy_helper


def show(title, optimize, x, nodes, **constants):
    nodes = [helper.make_node(*arguments[:3], **(arguments[3] if len(arguments) > 3 else {})) for arguments in nodes]
    inputs = [helper.make_tensor_value_info("x", TensorProto.FLOAT, x.shape)]
    outputs = [helper.make_tensor_value_info("y", TensorProto.FLOAT, None)]
    values = [numpy_helper.from_array(np.array(value), name) for name, value in constants.items()]
    graph = helper.make_graph(nodes, "graph", inputs, outputs, values)
    model = helper.make_model(graph, opset_imports=[helper.make_opsetid("", 17)], ir_version=8)
    model = onnx.shape_inference.infer_shapes(model)
    onnx.checker.check_model(model)
    for step, changed in (("original", model), (optimize.__module__.split(".")[0], optimize(model))):
        session = onnxruntime.InferenceSession(changed.SerializeToString(), providers=["CPUExecutionProvider"])
        y = session.run(None, {"x": x})[0]
        print(f"{title}, {step}: {list(y.shape)} {' '.join(f'{value:.0f}' for value in y.ravel())}")


show(
    "pooling of padded negative activations",
    onnxoptimizer.optimize,
    -np.arange(1, 10, dtype=np.float32).reshape(1, 1, 3, 3),
    [("Pad", ["x", "pads"], ["padded"]), ("MaxPool", ["padded"], ["y"], {"kernel_shape": [2, 2], "strides": [2, 2]})],
    pads=[0, 0, 1, 1, 0, 0, 0, 0],
)
show(
    "rows of pairs",
    onnxoptimizer.optimize,
    np.arange(8, dtype=np.float32).reshape(2, 2, 2),
    [("Reshape", ["x", "rows"], ["flat"]), ("Reshape", ["flat", "pairs"], ["y"])],
    rows=[4, 2],
    pairs=[0, -1],
)
show(
    "columns times 1, 10 and 100",
    onnxslim.slim,
    np.ones((1, 1, 1, 3), np.float32),
    [("Conv", ["x", "kernels", "biases"], ["scores"]), ("Mul", ["scores", "columns"], ["y"])],
    kernels=np.array([1, 2, 3], np.float32).reshape(3, 1, 1, 1),
    biases=np.zeros(3, np.float32),
    columns=np.array([1, 10, 100], np.float32),
)
PY

# Correct would be the same in each two lines.
cat > seen.txt <<'TXT'
pooling of padded negative activations, original: [1, 1, 2, 2] 0 0 0 -5
pooling of padded negative activations, onnxoptimizer: [1, 1, 2, 2] -1 -2 -4 -5
rows of pairs, original: [4, 2] 0 1 2 3 4 5 6 7
rows of pairs, onnxoptimizer: [2, 4] 0 1 2 3 4 5 6 7
columns times 1, 10 and 100, original: [1, 3, 1, 3] 1 10 100 2 20 200 3 30 300
columns times 1, 10 and 100, onnxslim: [1, 3, 1, 3] 1 1 1 20 20 20 300 300 300
TXT
v/bin/python run.py > now.txt 2> errors.txt || { cat errors.txt; exit 1; }
diff seen.txt now.txt && echo "They still change the models:" && cat now.txt
