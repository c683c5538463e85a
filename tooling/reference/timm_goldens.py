"""Writes the fixtures of the nets whose reference is timm: ResNet-D, squeeze-and-excitation, CBAM.

    python3 tooling/reference/timm_goldens.py

Needs PyTorch, numpy, timm (1.0.29 wrote the fixtures that are kept) and node.
"""

import json
import subprocess
import tempfile
from pathlib import Path

import timm
import torch
from timm.models.resnet import BasicBlock, ResNet

from model_golden import golden

ROOT = Path(__file__).resolve().parents[2]
FIXTURES = ROOT / "packages/resnet/src/__fixtures__"
MODELS = {
    "resnet50d": lambda: timm.create_model("resnet50d"),
    "seresnet50": lambda: timm.create_model("seresnet50"),
    "resnet18_cbam": lambda: ResNet(BasicBlock, [2, 2, 2, 2], block_args={"attn_layer": "cbam"}),
}

for name, create in MODELS.items():
    torch.manual_seed(0)
    reference = f"timm {timm.__version__}, torch {torch.__version__}"
    result = golden(name, reference, create(), [1, 3, 160, 160], [[2, 3, 65, 98]], [4, 3, 64, 96])
    with tempfile.NamedTemporaryFile("w", suffix=".json") as file:
        json.dump(result, file)
        file.flush()
        subprocess.run(["node", ROOT / "tooling/model-tests/compact.mjs", file.name, FIXTURES / f"{name}.json"], check=True)
