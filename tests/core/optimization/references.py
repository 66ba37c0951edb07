"""What our rules are compared with: torch's optimizers and Lion's pseudo-code, equally set up."""

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from unittest import mock

import numpy as np
import torch

from core.optimization import OPTIMIZERS

COMPARED = [
    name
    for name in OPTIMIZERS
    if name != "lion" and (name != "muon" or hasattr(torch.optim, "Muon"))
]
BETAS = (0.8, 0.95)


def torchs(name: str, parameter: torch.nn.Parameter, decay: float) -> torch.optim.Optimizer:
    params = [parameter]
    match name:
        case "sgd":
            return torch.optim.SGD(params, lr=0.05, weight_decay=decay)
        case "momentum":
            return torch.optim.SGD(params, lr=0.05, momentum=0.8, weight_decay=decay)
        case "nesterov":
            return torch.optim.SGD(params, lr=0.05, momentum=0.8, nesterov=True, weight_decay=decay)
        case "adagrad":
            return torch.optim.Adagrad(params, lr=0.05, weight_decay=decay)
        case "rmsprop":
            return torch.optim.RMSprop(params, lr=0.05, alpha=0.95, weight_decay=decay)
        case "adam":
            return torch.optim.Adam(params, lr=0.05, betas=BETAS, weight_decay=decay)
        case "adamw":
            return torch.optim.AdamW(params, lr=0.05, betas=BETAS, weight_decay=decay)
        case _:
            return torch.optim.Muon(params, lr=0.05, momentum=0.8, weight_decay=decay)


def settings_of(name: str, decay: float):
    rule = OPTIMIZERS[name]
    own = {"betas": BETAS, "momentum": 0.8, "beta": 0.95}
    settings = rule.settings(learning_rate=0.05, weight_decay=decay)
    fields = {key: value for key, value in own.items() if hasattr(settings, key)}
    return replace(settings, **fields)


def run(name: str, settings, param, gradients):
    """The rule alone, after each of the gradients."""
    rule = OPTIMIZERS[name]
    state, path = rule.state(), []
    for step, grad in enumerate(gradients, 1):
        param, state = rule.update(param, grad, state, step, settings)
        path.append(np.asarray(param))
    return np.stack(path)


def problem(shape: tuple[int, ...] = (5, 3), steps: int = 50):
    generator = torch.Generator().manual_seed(0)
    start = torch.randn(shape, generator=generator, dtype=torch.float64)
    gradients = torch.randn((steps, *shape), generator=generator, dtype=torch.float64)
    gradients[1, 0] = 0.0  # a number that has no slope
    return start, gradients


@contextmanager
def unrounded() -> Iterator[None]:
    """Torch's Muon goes down to bfloat16; here it stays in the precision of its parameter."""
    with mock.patch.object(torch.Tensor, "bfloat16", lambda self: self.clone()):
        yield


def run_torchs(name: str, start, gradients, decay: float) -> np.ndarray:
    """Torch's optimizer, after each of the gradients."""
    parameter, path = torch.nn.Parameter(start.clone()), []
    reference = torchs(name, parameter, decay)
    with unrounded():
        for gradient in gradients:
            parameter.grad = gradient.clone()
            reference.step()
            path.append(parameter.detach().numpy().copy())
    return np.stack(path)


def lion_of_the_paper(theta, gradients, eta, beta1, beta2, lam):
    """Chen et al. 2023, algorithm 2, as its pseudo-code goes."""
    m = np.zeros_like(theta)
    for g in gradients:
        c = beta1 * m + (1 - beta1) * g
        theta = theta - eta * (np.sign(c) + lam * theta)
        m = beta2 * m + (1 - beta2) * g
        yield theta
