"""Reads a safetensors file with PyTorch and nothing else, and compares it with a `.pth` file of the same tensors.

    python3 tooling/reference/read_safetensors.py saved.safetensors tensors.pth
"""

import json
import sys

import torch

DTYPES = dict(F64="float64", F32="float32", F16="float16", BF16="bfloat16", I64="int64", I32="int32", I16="int16", I8="int8")
DTYPES |= dict(U8="uint8", BOOL="bool")

data = bytearray(open(sys.argv[1], "rb").read())
length = int.from_bytes(data[:8], "little")
header = json.loads(data[8 : 8 + length])
header.pop("__metadata__", None)
expected = torch.load(sys.argv[2], map_location="cpu")
assert list(header) == list(expected), "the names differ"
for name, entry in header.items():
    begin, end = (8 + length + offset for offset in entry["data_offsets"])
    dtype = getattr(torch, DTYPES[entry["dtype"]])
    found = torch.frombuffer(data[begin:end], dtype=dtype) if end > begin else torch.empty(0, dtype=dtype)
    found = found.reshape(entry["shape"])
    assert found.dtype == expected[name].dtype and torch.equal(found, expected[name].detach()), name
print(f"{len(header)} tensors are equal")
