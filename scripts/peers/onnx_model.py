#!/usr/bin/python3
"""onnx_model.py - writes the net of a case of `rondo bench` as an ONNX file, for onnxruntime_peer.mjs.

usage: onnx_model.py FILE.onnx shape=charnn cell=lstm H=128 B=50 T=50 layers=2 in=65

Input x: symbols (T, B) as int64, or features (T, B, in); output: logits of every step, or numbers after the last.
At B = T = 1 the state goes in and out too, one tensor for each layer and state. Weights are random.
SPDX-License-Identifier: MIT
"""
import sys

import numpy
import onnx
from onnx import TensorProto, helper, numpy_helper

path = sys.argv[1]
case = dict(word.split("=", 1) for word in sys.argv[2:])
H, B, T, LAYERS, IN = (int(case[name]) for name in ("H", "B", "T", "layers", "in"))
KIND = {"lstm": ("LSTM", 4, "hc"), "gru": ("GRU", 3, "h"), "vanilla": ("RNN", 1, "h")}
operator, gates, states = KIND[case["cell"]]
features, one_step = case["shape"] == "series", B == 1 and T == 1
SYMBOLS = 65
random = numpy.random.default_rng(1)
nodes, values, inputs, outputs = [], [], [], []


def weights(name, *shape):
    values.append(numpy_helper.from_array(random.normal(0, 0.05, shape).astype(numpy.float32), name))
    return name


def constant(name, array):
    values.append(numpy_helper.from_array(array, name))
    return name


def node(kind, given, made, **attributes):
    nodes.append(helper.make_node(kind, given, made, **attributes))
    return made[0]


def tensor(name, kind, *shape):
    return helper.make_tensor_value_info(name, kind, shape)


if features:
    inputs.append(tensor("x", TensorProto.FLOAT, T, B, IN))
    at, width = "x", IN
else:
    inputs.append(tensor("x", TensorProto.INT64, T, B))
    if case["shape"] == "tftext":
        width = 256
        rows = weights("rows", SYMBOLS, width)
    else:
        width = SYMBOLS
        rows = constant("rows", numpy.eye(SYMBOLS, dtype=numpy.float32))
    at = node("Gather", [rows, "x"], ["looked_up"], axis=0)
axis = constant("axis", numpy.array([1], numpy.int64))
for i in range(LAYERS):
    given = [at, weights(f"w{i}", 1, gates * H, width), weights(f"r{i}", 1, gates * H, H),
             weights(f"b{i}", 1, 2 * gates * H)]
    made = [f"y{i}"]
    if one_step:
        given += [""] + [f"{s}{i}" for s in states]
        made += [f"{s}{i}_next" for s in states]
        inputs += [tensor(f"{s}{i}", TensorProto.FLOAT, 1, B, H) for s in states]
        outputs += [tensor(f"{s}{i}_next", TensorProto.FLOAT, 1, B, H) for s in states]
    more = {"linear_before_reset": 1} if case["cell"] == "gru" else {}
    node(operator, given, made, hidden_size=H, **more)
    at, width = node("Squeeze", [f"y{i}", axis], [f"layer{i}"]), H
if features:
    at = node("Gather", [at, constant("last", numpy.array(T - 1, numpy.int64))], ["end"], axis=0)
out = 1 if features else SYMBOLS
at = node("MatMul", [at, weights("out", H, out)], ["product"])
node("Add", [at, weights("bias", out)], ["logits"])
outputs.insert(0, tensor("logits", TensorProto.FLOAT, *((B, out) if features else (T, B, out))))
graph = helper.make_graph(nodes, "peer", inputs, outputs, values)
model = helper.make_model(graph, opset_imports=[helper.make_opsetid("", 14)])
model.ir_version = 8
onnx.save(model, path)
