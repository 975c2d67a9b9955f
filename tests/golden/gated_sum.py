"""Writes gated_sum.h5: the readout gated-sum in PyTorch, in double precision, with autograd's gradients.

    python tests/golden/gated_sum.py
"""
import json
from pathlib import Path

import h5py
import torch

torch.set_default_dtype(torch.float64)
ACTIVATIONS = {"tanh": torch.tanh, "relu": torch.relu, "sigmoid": torch.sigmoid}
SIZES = [4, 1, 0, 7, 3]


def case(file, name, seed, width, options):
    generator = torch.Generator().manual_seed(seed)

    def normal(*shape):
        return torch.randn(*shape, generator=generator)

    out = options.get("out_channels", width)
    act = ACTIVATIONS[options.get("act", "tanh")]
    x = normal(sum(SIZES), width).requires_grad_()
    parameters = {}
    for layer in ("gate", "value"):
        parameters[f"{layer}.weight"] = (0.5 * normal(out, width)).requires_grad_()
        if options.get("bias", True):
            parameters[f"{layer}.bias"] = (0.5 * normal(out)).requires_grad_()

    def linear(layer, rows):
        return torch.nn.functional.linear(rows, parameters[f"{layer}.weight"], parameters.get(f"{layer}.bias"))

    sums = [
        (torch.sigmoid(linear("gate", rows)) * act(linear("value", rows))).sum(0)
        for rows in torch.split(x, SIZES)
    ]
    result = act(torch.stack(sums))
    cotangent = normal(*result.shape)
    result.backward(cotangent)

    group = file.create_group(name)
    group.attrs["operator"] = "gated-sum"
    group.attrs["options"] = json.dumps(options)
    group.attrs["source"] = "Li et al. 2016, arXiv 1511.05493, equation 7, in PyTorch, float64, autograd"
    group.attrs["rtol"] = group.attrs["atol"] = 1e-5
    group["inputs/x"] = x.detach().numpy()
    group["inputs/offsets"] = torch.tensor([0] + SIZES).cumsum(0).numpy()
    group["outputs/out"] = result.detach().numpy()
    group["cotangents/out"] = cotangent.numpy()
    group["gradients/inputs/x"] = x.grad.numpy()
    for key, value in parameters.items():
        group[f"parameters/{key}"] = value.detach().numpy()
        group[f"gradients/parameters/{key}"] = value.grad.numpy()


with h5py.File(Path(__file__).with_name("gated_sum.h5"), "w") as golden:
    case(golden, "gated_sum", 1, 5, {})
    case(golden, "gated_sum_relu", 2, 5, {"act": "relu", "out_channels": 3})
    case(golden, "gated_sum_no_bias", 3, 4, {"act": "sigmoid", "bias": False, "out_channels": 6})
