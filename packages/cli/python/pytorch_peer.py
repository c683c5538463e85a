"""The PyTorch side of `convkit bench`: builds nets, writes their weights and exports them, and times them.

Requests are JSON lines on standard input, answers JSON lines on standard output:

    {"do": "write", WORK, "weights": FILE, "onnx": FILE}        state dict as safetensors; the net of inference mode → {}
    {"do": "prepare", WORK, "format": "contiguous" | "channels_last"}    → {"engine": …}
    {"do": "run", "times": n}                                   → {"ms": […], "cpuMs": […], "values": […], "peakBytes": …}

WORK is "model", "side", "classes", "batch", "mode" ("inference" or "training"), "threads", and "input": a file of float32
[N, H, W, 3]. `onnx` is optional. Needs PyTorch 1.13 and torchvision 0.14, or newer.
"""

import json
import resource
import struct
import sys
import time

import numpy as np
import torch
import torch.nn.functional as F
import torchvision
from torch import nn

from yolov8 import yolov8


class CifarBlock(nn.Module):
    """3×3 → 3×3 plus shortcut; where channels double: every second pixel, new channels zero (option A)."""

    def __init__(self, cin, cout, stride):
        super().__init__()
        self.conv1 = nn.Conv2d(cin, cout, 3, stride, 1, bias=False)
        self.bn1 = nn.BatchNorm2d(cout)
        self.conv2 = nn.Conv2d(cout, cout, 3, 1, 1, bias=False)
        self.bn2 = nn.BatchNorm2d(cout)
        self.missing = cout - cin

    def forward(self, x):
        y = self.bn2(self.conv2(F.relu(self.bn1(self.conv1(x)))))
        if self.missing:
            half = self.missing // 2
            x = F.pad(x[:, :, ::2, ::2], (0, 0, 0, 0, half, self.missing - half))
        return F.relu(y + x)


class CifarResNet(nn.Module):
    """The ResNets of 6n + 2 layers for CIFAR, He et al. 2015, section 4.2."""

    def __init__(self, depth, classes):
        super().__init__()
        n = (depth - 2) // 6

        def stage(cin, cout, stride):
            return nn.Sequential(*(CifarBlock(cout if i else cin, cout, 1 if i else stride) for i in range(n)))

        self.conv1 = nn.Conv2d(3, 16, 3, 1, 1, bias=False)
        self.bn1 = nn.BatchNorm2d(16)
        self.layer1 = stage(16, 16, 1)
        self.layer2 = stage(16, 32, 2)
        self.layer3 = stage(32, 64, 2)
        self.linear = nn.Linear(64, classes)

    def forward(self, x):
        x = F.relu(self.bn1(self.conv1(x)))
        x = self.layer3(self.layer2(self.layer1(x)))
        return self.linear(x.mean((2, 3)))


def small_resnet(name, classes):
    net = torchvision.models.get_model(name, num_classes=classes)
    net.conv1 = nn.Conv2d(3, 64, 3, 1, 1, bias=False)
    net.maxpool = nn.Identity()
    return net


def small_densenet(layers, growth_rate, classes):
    net = torchvision.models.DenseNet(growth_rate, (layers,) * 3, 2 * growth_rate, num_classes=classes)
    features = net.features
    features.conv0 = nn.Conv2d(3, 2 * growth_rate, 3, 1, 1, bias=False)
    for name in ("norm0", "relu0", "pool0"):
        delattr(features, name)
    return net


def build(model, side, classes):
    """A net with random weights and batch-norm statistics of random images, so that no value is denormal."""
    torch.manual_seed(0)
    if model.startswith("yolov8"):
        net = yolov8(model[len("yolov8") :], classes)
    elif model in ("resnet20", "resnet32", "resnet44", "resnet56", "resnet110"):
        net = CifarResNet(int(model[6:]), classes)
    elif model == "densenet100_k12_bc":
        net = small_densenet(16, 12, classes)
    elif model not in torchvision.models.list_models(module=torchvision.models):
        raise ValueError(f"no PyTorch form of {model} is known here")
    elif side < 64:
        if not model.startswith("resnet"):
            raise ValueError(f"no PyTorch form of {model} for {side}×{side} is known here")
        net = small_resnet(model, classes)
    else:
        options = {"init_weights": True, "aux_logits": False} if model in ("inception_v3", "googlenet") else {}
        net = torchvision.models.get_model(model, num_classes=classes, **options)
    norms = [m for m in net.modules() if isinstance(m, nn.BatchNorm2d)]
    momenta = [m.momentum for m in norms]
    for m in net.modules():
        if isinstance(m, nn.Dropout):
            m.p = 0.0  # the same step, and the same loss, in every engine
    for m in norms:
        m.momentum = None  # the mean of what is seen
    with torch.no_grad():
        net.train()(torch.randn(4, 3, side, side))
    for m, momentum in zip(norms, momenta):
        m.momentum = momentum
    return net


def save_safetensors(path, tensors):
    header, at = {}, 0
    tensors = {name: t.detach().float().contiguous().numpy() for name, t in tensors.items() if t.is_floating_point()}
    for name, values in tensors.items():
        header[name] = {"dtype": "F32", "shape": list(values.shape), "data_offsets": [at, at + values.nbytes]}
        at += values.nbytes
    text = json.dumps(header).encode()
    text += b" " * (-len(text) % 8)
    with open(path, "wb") as file:
        file.write(struct.pack("<Q", len(text)) + text)
        for values in tensors.values():
            file.write(values.tobytes())


def write(ask):
    net = build(ask["model"], ask["side"], ask["classes"])
    save_safetensors(ask["weights"], net.state_dict())
    if "onnx" in ask:
        options = {"opset_version": 14, "input_names": ["x"], "output_names": ["y"]}
        x = torch.zeros(1, 3, ask["side"], ask["side"])
        torch.onnx.export(net.eval(), x, ask["onnx"], dynamic_axes={"x": {0: "n"}, "y": {0: "n"}}, **options)


class Work:
    def __init__(self, ask):
        torch.set_num_threads(ask["threads"])
        side, batch = ask["side"], ask["batch"]
        net = build(ask["model"], side, ask["classes"])
        values = np.fromfile(ask["input"], dtype=np.float32).reshape(batch, side, side, 3)
        x = torch.from_numpy(values).permute(0, 3, 1, 2).contiguous()
        if ask["format"] == "channels_last":
            net, x = net.to(memory_format=torch.channels_last), x.to(memory_format=torch.channels_last)
        self.training = ask["mode"] == "training"
        self.net, self.x = net.train(self.training), x
        self.labels = torch.arange(batch) % ask["classes"]
        self.optimizer = torch.optim.SGD(net.parameters(), lr=0.01, momentum=0.9) if self.training else None

    def infer(self):
        with torch.inference_mode():
            sizes = self.net(self.x).abs()
            return [sizes.mean().item(), sizes.max().item()]

    def step(self):
        self.optimizer.zero_grad(set_to_none=True)
        loss = F.cross_entropy(self.net(self.x), self.labels)
        loss.backward()
        self.optimizer.step()
        return [loss.item()]

    def run(self, times):
        ms, cpu_ms = [], []
        for _ in range(times):
            start, cpu = time.perf_counter(), time.process_time()
            values = self.step() if self.training else self.infer()
            ms.append(1000 * (time.perf_counter() - start))
            cpu_ms.append(1000 * (time.process_time() - cpu))
        peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * (1 if sys.platform == "darwin" else 1024)
        return {"ms": ms, "cpuMs": cpu_ms, "values": values, "peakBytes": peak}


def main():
    work = None
    for line in sys.stdin:
        answer = {}
        try:
            ask = json.loads(line)
            if ask["do"] == "write":
                write(ask)
            elif ask["do"] == "prepare":
                work = Work(ask)
                answer = {"engine": f"PyTorch {torch.__version__}, torchvision {torchvision.__version__}"}
            else:
                answer = work.run(ask["times"])
        except Exception as error:
            answer = {"error": " ".join(f"{type(error).__name__}: {error}".split())}
        print(json.dumps(answer), flush=True)


main()
