"""AdamW's rule against torch.optim.AdamW, and the facts that people check it with."""

import numpy as np
import pytest
import torch

from core.optimization.adamw import AdamWSettings, AdamWState, update


def _torch_steps(start, gradients, fused, **settings):
    parameter = torch.nn.Parameter(start.clone())
    optimizer = torch.optim.AdamW([parameter], fused=fused, **settings)
    for gradient in gradients:
        parameter.grad = gradient.clone()
        optimizer.step()
    return parameter.detach()


@pytest.mark.parametrize("fused", [False, True])
@pytest.mark.parametrize("kind", ["numpy", "torch"])
def test_rule_equals_torch_over_many_steps(kind: str, fused: bool) -> None:
    generator = torch.Generator().manual_seed(0)
    start = torch.randn(5, 3, generator=generator, dtype=torch.float64)
    gradients = torch.randn(200, 5, 3, generator=generator, dtype=torch.float64)
    theirs = _torch_steps(start, gradients, fused, lr=0.01, betas=(0.9, 0.99), weight_decay=0.1)
    settings = AdamWSettings(0.01, (0.9, 0.99), 1e-8, 0.1)
    param = start.numpy().copy() if kind == "numpy" else start.clone()
    state = AdamWState()
    for step, gradient in enumerate(gradients, 1):
        grad = gradient.numpy() if kind == "numpy" else gradient
        param, state = update(param, grad, state, step, settings)
    np.testing.assert_allclose(np.asarray(param), theirs.numpy(), rtol=1e-12, atol=1e-12)


@pytest.mark.parametrize(
    ("decay", "expected"),
    [(0.0, (0.9, 0.800412229, 0.701586273)), (0.01, (0.899, 0.798519027, 0.698911183))],
)
def test_three_steps_on_a_parabola(decay: float, expected: tuple[float, ...]) -> None:
    """f = x^2 from 1, learning rate 0.1, as torch in float64 gives them."""
    x, state = np.float64(1.0), AdamWState()
    for step, value in enumerate(expected, 1):
        x, state = update(x, 2 * x, state, step, AdamWSettings(0.1, weight_decay=decay))
        assert x == pytest.approx(value, abs=1e-9)


def test_nothing_is_changed_in_place() -> None:
    param, grad = np.ones(3), np.full(3, 0.5)
    _, state = update(param, grad, AdamWState(), 1, AdamWSettings())
    before = state.average.copy()
    update(param, grad, state, 2, AdamWSettings())
    assert (param == 1).all() and (grad == 0.5).all() and (state.average == before).all()
    with pytest.raises(ValueError, match="first step is 1"):
        update(param, grad, state, 0, AdamWSettings())
