"""What is written out line by line equals torch's own calls."""

import pytest
import torch
import torch.nn.functional as F

from core.transformer import plain


def random(*shape: int) -> torch.Tensor:
    return torch.randn(*shape, generator=torch.Generator().manual_seed(sum(shape)))


@pytest.mark.parametrize("bias", [None, random(7)], ids=["without", "with"])
def test_linear(bias):
    x, weight = random(3, 5), random(7, 5)
    products, output = plain.linear(x, weight, bias)
    torch.testing.assert_close(products if bias is None else output, F.linear(x, weight, bias))


@pytest.mark.parametrize("bias", [None, random(5)], ids=["without", "with"])
def test_norms(bias):
    x, weight = 3 * random(4, 5) + 1, random(5)
    made = plain.layer_norm(x, weight, bias, 1e-5)
    expected = F.layer_norm(x, (5,), weight, bias, 1e-5)
    torch.testing.assert_close(made.scaled if bias is None else made.shifted, expected)
    root = plain.rms_norm(x, weight, 1e-6)
    torch.testing.assert_close(root.scaled, F.rms_norm(x, (5,), weight, 1e-6))


def test_activations():
    x = 3 * random(4, 5)
    torch.testing.assert_close(plain.gelu_tanh(x).hidden, F.gelu(x, approximate="tanh"))
    torch.testing.assert_close(plain.silu(x), F.silu(x))
