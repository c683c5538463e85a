"""Writes the small PyTorch checkpoints that the reader of `.pth` files is tested with, and the same tensors as JSON.

    python3 tooling/reference/pytorch_fixtures.py packages/core/src/weights/__fixtures__

The files hold every dtype, strides that are not contiguous, storages that tensors share, a parameter and an optimizer, in the zip format
of PyTorch since 1.6 (with pickle protocols 2 and 4) and in the older one; and modules that were saved whole, one of them of a class
that no other program knows. Needs PyTorch and numpy.
"""

import argparse
import collections
import json
import pathlib

import numpy
import torch

DTYPES = ["float64", "float32", "float16", "bfloat16", "int64", "int32", "int16", "int8", "uint8", "bool"]


def tensors():
    torch.manual_seed(0)
    state = collections.OrderedDict()
    for name in DTYPES:
        state[f"dtype.{name}"] = (torch.randn(2, 3) * 50).abs().to(getattr(torch, name))
    base = torch.randn(4, 6)
    state["shared.whole"] = base
    state["shared.transposed"] = base.t()
    state["shared.column"] = base[:, 2]
    state["shared.steps"] = base[::2, 1::2]
    state["expanded"] = torch.randn(3, 1).expand(3, 4)
    state["channels_last"] = torch.randn(2, 3, 2, 2).to(memory_format=torch.channels_last)
    state["parameter"] = torch.nn.Parameter(torch.randn(3))
    state["scalar"] = torch.tensor(7)
    state["empty"] = torch.empty(0, 3)
    state["half.transposed"] = torch.randn(2, 3).half().t()
    return state


class OwnBlock(torch.nn.Module):
    def __init__(self):
        super().__init__()
        self.cv1 = torch.nn.Conv2d(2, 2, 1, bias=False)
        self.act = torch.nn.SiLU()
        self.register_buffer("kept", torch.arange(2.0))
        self.register_buffer("anchors", torch.arange(3.0), persistent=False)
        self.scale = torch.nn.Parameter(torch.randn(1))


class OwnNet(torch.nn.Module):
    """Modules in modules, one of them twice, and attributes of many kinds."""

    def __init__(self):
        super().__init__()
        block = OwnBlock()
        self.model = torch.nn.Sequential(block, torch.nn.BatchNorm2d(2), torch.nn.ModuleList([block, OwnBlock()]))
        self.head = torch.nn.Linear(2, 3)
        self.names = {0: "cat", 1: "dog", 2: "neither"}
        self.stride = torch.tensor([8.0, 16.0])
        self.settings = argparse.Namespace(path=pathlib.PosixPath("x"), dtype=torch.float16, device=torch.device("cpu"))


def own_checkpoint():
    torch.manual_seed(1)
    net = OwnNet().half()
    return net, {"epoch": -1, "fitness": numpy.float64(0.5), "date": "today", "optimizer": None, "model": net}


def as_json(tensor):
    values = tensor.detach().contiguous().reshape(-1)
    numbers = values.tolist() if not values.is_floating_point() else values.double().tolist()
    return {"dtype": str(tensor.dtype).removeprefix("torch."), "shape": list(tensor.shape), "values": [float(v) for v in numbers]}


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("folder", type=pathlib.Path)
    folder = parser.parse_args().folder
    state = tensors()
    weights = torch.nn.Sequential(torch.nn.Conv2d(1, 2, 3), torch.nn.BatchNorm2d(2))
    checkpoint = {
        "epoch": 3,
        "state_dict": weights.state_dict(),
        "optimizer": torch.optim.SGD(weights.parameters(), lr=0.1, momentum=0.9).state_dict(),
        "best_prec1": 91.5,
    }
    torch.save(state, folder / "tensors.pth")
    torch.save(state, folder / "tensors-protocol4.pth", pickle_protocol=4)
    torch.save(state, folder / "tensors-legacy.pth", _use_new_zipfile_serialization=False)
    torch.save(checkpoint, folder / "checkpoint.pth")
    torch.save(weights, folder / "module.pth")
    net, own = own_checkpoint()
    torch.save(own, folder / "own-module.pth")
    record = {"torch": torch.__version__, "tensors.pth": {k: as_json(v) for k, v in state.items()}}
    record["checkpoint.pth"] = {k: as_json(v) for k, v in weights.state_dict().items()}
    record["own-module.pth"] = {k: as_json(v) for k, v in net.state_dict().items()}
    (folder / "pytorch.json").write_text(json.dumps(record) + "\n")


if __name__ == "__main__":
    main()
