"""Writes the golden of a PyTorch model: outputs in float64 for weights that are computed from their names.

    python3 tooling/reference/model_golden.py --path pytorch-cifar/models \
        --call "vgg.VGG('VGG11')" --input 2 3 32 32 --train 4 3 32 32 vgg11_bn_cifar_linear.json

`--path` is the folder of the reference implementation, `--call` builds the model in it, with dropout 0 where it has any.
`compact.mjs` makes a fixture of the file. Needs PyTorch and numpy.
"""

import argparse
import copy
import importlib
import json
import re
import sys

import numpy as np
import torch

SCALES = {"running_mean": (0.1, 0), "running_var": (0.5, 1), "weight": (0.2, 1)}


def fnv1a(text):
    value = 0x811C9DC5
    for byte in text.encode():
        value = ((value ^ byte) * 0x01000193) & 0xFFFFFFFF
    return value


def noise(name, count):
    """Uniform in [-1, 1), in float64: murmur3's finaliser over a counter that starts at the name's hash."""
    h = (np.arange(1, count + 1, dtype=np.uint64) * 0x9E3779B9 + fnv1a(name)) & 0xFFFFFFFF
    h ^= h >> np.uint64(16)
    h = (h * 0x85EBCA6B) & 0xFFFFFFFF
    h ^= h >> np.uint64(13)
    h = (h * 0xC2B2AE35) & 0xFFFFFFFF
    h ^= h >> np.uint64(16)
    return h.astype(np.float64) / 2**31 - 1


def fill(name, shape):
    u = noise(name, int(np.prod(shape)))
    if len(shape) >= 2:
        values = u * np.sqrt(6 / np.prod(shape[1:]))
    else:
        scale, offset = SCALES.get(name.rsplit(".", 1)[-1], (0.1, 0))
        values = offset + scale * u
    return torch.from_numpy(values.astype(np.float32).reshape(shape))


def rounded(value):
    return float(f"{value:.12g}")


def record(tensor):
    values = tensor.detach().double().reshape(-1)
    return {
        "shape": list(tensor.shape),
        "count": values.numel(),
        "sum": rounded(values.sum()),
        "l2": rounded(values.norm()),
        "data": [rounded(v) for v in values.tolist()],
    }


def distance(a, b):
    return float((a.detach().double() - b.detach().double()).norm() / b.detach().double().norm())


def image(shape, dtype):
    return torch.from_numpy(noise("input", int(np.prod(shape))).astype(np.float32).reshape(shape)).to(dtype)


@torch.no_grad()
def evaluate(models, shape):
    single, double = (model.eval()(image(shape, dtype)) for model, dtype in zip(models, (torch.float32, torch.float64)))
    return {"input_shape": shape, "output": record(double), "f32_vs_f64": {"rel_l2": distance(single, double)}}


def train_pass(model, shape, dtype):
    model = copy.deepcopy(model).train()
    logits = model(image(shape, dtype))
    labels = torch.arange(shape[0]) % logits.shape[1]
    loss = torch.nn.functional.cross_entropy(logits, labels)
    loss.backward()
    return model, logits, float(loss.detach()), {name: float(p.grad.double().norm()) for name, p in model.named_parameters()}


def train(models, shape):
    _, _, single_loss, single = train_pass(models[0], shape, torch.float32)
    model, logits, loss, gradients = train_pass(models[1], shape, torch.float64)
    norms = [name for name, module in model.named_modules() if isinstance(module, torch.nn.modules.batchnorm._BatchNorm)]
    after = {}
    for name in {norms[0]: 0, norms[-1]: 0} if norms else {}:
        norm = model.get_submodule(name)
        after[name] = {
            "running_mean": [rounded(v) for v in norm.running_mean.tolist()],
            "running_var": [rounded(v) for v in norm.running_var.tolist()],
            "num_batches_tracked": int(norm.num_batches_tracked),
        }
    total = np.sqrt(sum(g**2 for g in gradients.values()))
    errors = sorted(abs(single[name] - g) / max(g, 1e-6 * total) for name, g in gradients.items())
    return {
        "input_shape": shape,
        "labels": [i % logits.shape[1] for i in range(shape[0])],
        "loss": rounded(loss),
        "logits": record(logits),
        "grad_l2": {name: rounded(g) for name, g in gradients.items()},
        "bn_after": after,
        "f32_vs_f64": {
            "loss_rel": abs(single_loss / loss - 1),
            "grad_l2_worst_rel": errors[-1],
            "grad_l2_median_rel": errors[len(errors) // 2],
        },
    }


@torch.no_grad()
def multiply_adds(model, shape):
    total = 0

    def count(module, inputs, output):
        nonlocal total
        positions = output.numel() // output.shape[0] // module.weight.shape[0]
        total += positions * module.weight.numel()

    layers = [m for m in model.modules() if isinstance(m, (torch.nn.Conv2d, torch.nn.Linear))]
    hooks = [layer.register_forward_hook(count) for layer in layers]
    model.eval()(image([1, *shape[1:]], torch.float64))
    for hook in hooks:
        hook.remove()
    return total


def golden(name, reference, model, input_shape, cases, train_shape):
    """Everything that a fixture holds of a model, which gets the weights that belong to its names."""
    state = {name: tensor if tensor.dim() == 0 else fill(name, tuple(tensor.shape)) for name, tensor in model.state_dict().items()}
    model.load_state_dict(state)
    models = (model, copy.deepcopy(model).double())
    weights = torch.cat([tensor.double().reshape(-1) for tensor in state.values() if tensor.dim() > 0])
    return {
        "model": name,
        "reference": reference,
        "num_params": sum(p.numel() for p in model.parameters()),
        "param_shapes": {name: list(tensor.shape) for name, tensor in state.items()},
        "fill_rules": [],
        "fill_check": {"sum_all": rounded(weights.sum()), "sumsq_all": rounded((weights**2).sum())},
        "madds": multiply_adds(models[1], input_shape),
        **evaluate(models, input_shape),
        "cases": [evaluate(models, shape) for shape in cases],
        **({"train": train(models, train_shape)} if train_shape else {}),
    }


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("--path", required=True)
    parser.add_argument("--call", required=True)
    parser.add_argument("--input", type=int, nargs=4, required=True)
    parser.add_argument("--case", type=int, nargs=4, action="append", default=[])
    parser.add_argument("--train", type=int, nargs=4)
    parser.add_argument("out")
    arguments = parser.parse_args()

    sys.path.insert(0, arguments.path)
    module_name = re.match(r"[\w.]+(?=\.\w+\()", arguments.call).group()
    module = importlib.import_module(module_name)
    model = eval(arguments.call, {module_name.split(".")[0]: sys.modules[module_name.split(".")[0]], module_name: module})
    name = arguments.out.rsplit("/", 1)[-1].removesuffix(".json")
    reference = f"{arguments.path.rstrip('/')}: {arguments.call}, torch {torch.__version__}"
    result = golden(name, reference, model, arguments.input, arguments.case, arguments.train)
    with open(arguments.out, "w") as file:
        json.dump(result, file)


if __name__ == "__main__":
    main()
