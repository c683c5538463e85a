"""Passes ONNX files through ONNX' own checker, shape inference included: python3 check_onnx.py net.onnx …

Needs Debian's python3-onnx, or `pip install onnx`.
"""
import sys

import onnx

for path in sys.argv[1:]:
    model = onnx.load(path)
    onnx.checker.check_model(model, full_check=True)
    shape = lambda value: [d.dim_param or d.dim_value for d in value.type.tensor_type.shape.dim]
    inputs = {value.name: shape(value) for value in model.graph.input}
    outputs = {value.name: shape(value) for value in model.graph.output}
    opset = model.opset_import[0].version
    print(f"{path}: opset {opset}, {len(model.graph.node)} nodes, {inputs} -> {outputs}, metadata {[p.key for p in model.metadata_props]}")
