"""Every operation against torch: its value, and each of its derivatives, with broadcasting."""

import numpy as np
import pytest
import torch

from core.autograd import Tensor, gradient_check
from core.autograd import functional as F

RNG = np.random.default_rng(0)


def normal(*shape: int) -> np.ndarray:
    return RNG.normal(size=shape)


def positive(*shape: int) -> np.ndarray:
    return RNG.uniform(0.5, 2.0, size=shape)


IDS = np.array([[1, 0, 1], [2, 2, 1]])
HIDDEN = ~np.tri(3, dtype=bool)
CASES = {
    "add": (lambda a, b: a + b, None, [normal(2, 3), normal(3)]),
    "add a number": (lambda a: a + 2.5, None, [normal(2, 3)]),
    "subtract": (lambda a, b: a - b, None, [normal(2, 1), normal(2, 3)]),
    "number minus": (lambda a: 2 - a, None, [normal(3)]),
    "multiply": (lambda a, b: a * b, None, [normal(2, 3), normal(1, 3)]),
    "scalars": (lambda a, b: a * b, None, [normal(), normal()]),
    "divide": (lambda a, b: a / b, None, [normal(3), positive(2, 3)]),
    "number over": (lambda a: 3 / a, None, [positive(3)]),
    "negate": (lambda a: -a, None, [normal(3)]),
    "power": (lambda a, b: a**b, None, [positive(2, 3), normal(3)]),
    "square": (lambda a: a**2, None, [normal(2, 3)]),
    "exponential": (lambda a: 2**a, None, [normal(3)]),
    "matmul": (lambda a, b: a @ b, None, [normal(2, 3), normal(3, 4)]),
    "batched matmul": (lambda a, b: a @ b, None, [normal(5, 2, 3), normal(3, 4)]),
    "row @ matrix": (lambda a, b: a @ b, None, [normal(3), normal(3, 4)]),
    "matrix @ column": (lambda a, b: a @ b, None, [normal(2, 3), normal(3)]),
    "dot": (lambda a, b: a @ b, None, [normal(3), normal(3)]),
    "exp": (F.exp, torch.exp, [normal(2, 3)]),
    "log": (F.log, torch.log, [positive(2, 3)]),
    "sqrt": (F.sqrt, torch.sqrt, [positive(2, 3)]),
    "sin": (F.sin, torch.sin, [normal(3)]),
    "cos": (F.cos, torch.cos, [normal(3)]),
    "abs": (F.absolute, torch.abs, [np.array([-1.5, 0.0, 2.0])]),
    "tanh": (F.tanh, torch.tanh, [normal(2, 3)]),
    "sigmoid": (F.sigmoid, torch.sigmoid, [np.array([-800.0, -1.0, 0.0, 3.0, 800.0])]),
    "relu": (F.relu, torch.relu, [np.array([-1.5, 0.0, 2.0])]),
    "gelu, tanh": (
        F.gelu,
        lambda a: torch.nn.functional.gelu(a, approximate="tanh"),
        [normal(2, 3)],
    ),
    "gelu, erf": (lambda a: F.gelu(a, False), torch.nn.functional.gelu, [normal(2, 3)]),
    "mask": (
        lambda a: F.masked(a, HIDDEN, -10.0),
        lambda a: a.masked_fill(torch.from_numpy(HIDDEN), -10.0),
        [normal(2, 3, 3)],
    ),
    "sum": (lambda a: a.sum(), None, [normal(2, 3)]),
    "sum along an axis": (lambda a: a.sum(1), None, [normal(2, 3)]),
    "sum, axis kept": (lambda a: a.sum((0, -1), True), None, [normal(2, 3, 4)]),
    "mean": (lambda a: a.mean(), None, [normal(2, 3)]),
    "mean along an axis": (lambda a: a.mean(-1), None, [normal(2, 3)]),
    "max": (lambda a: a.max(), None, [normal(2, 3)]),
    "max of equals": (lambda a: a.max(), torch.amax, [np.array([2.0, 1.0, 2.0])]),
    "max along an axis": (lambda a: a.max(1), lambda a: a.amax(1), [normal(2, 3)]),
    "reshape": (lambda a: a.reshape(3, -1), None, [normal(2, 3)]),
    "transpose": (lambda a: a.mT, None, [normal(4, 2, 3)]),
    "all axes": (
        lambda a: a.transpose(2, 0, 1),
        lambda a: a.permute(2, 0, 1),
        [normal(2, 3, 4)],
    ),
    "slice": (lambda a: a[1:, ::2], None, [normal(3, 5)]),
    "rows taken twice": (lambda a: a[[0, 2, 0]], None, [normal(3, 2)]),
    "concatenate": (
        lambda a, b, c: F.concatenate((a, b, c), 1),
        lambda a, b, c: torch.cat((a, b, c), 1),
        [normal(2, 1), normal(2, 3), normal(2, 2)],
    ),
    "softmax": (F.softmax, lambda a: torch.softmax(a, -1), [normal(2, 3)]),
    "softmax, axis 0": (lambda a: F.softmax(a, 0), lambda a: torch.softmax(a, 0), [normal(2, 3)]),
    "softmax of large ones": (
        F.softmax,
        lambda a: torch.softmax(a, -1),
        [np.array([[1e4, 1e4, 0.0]])],
    ),
    "layer norm": (
        F.layer_norm,
        lambda x, g, b: torch.nn.functional.layer_norm(x, (4,), g, b),
        [normal(2, 3, 4), normal(4), normal(4)],
    ),
    "batch norm": (
        F.batch_norm,
        lambda x, g, b: torch.nn.functional.batch_norm(x, None, None, g, b, True),
        [normal(5, 4), normal(4), normal(4)],
    ),
    "embedding": (
        lambda a: F.embedding(a, IDS),
        lambda a: torch.nn.functional.embedding(torch.from_numpy(IDS), a),
        [normal(4, 3)],
    ),
    "cross-entropy": (
        lambda a: F.cross_entropy(a, IDS[0]),
        lambda a: torch.nn.functional.cross_entropy(a, torch.from_numpy(IDS[0])),
        [normal(3, 5)],
    ),
    "binary cross-entropy": (
        lambda a: F.binary_cross_entropy(a, [1, 0, 1, 0, 1]),
        lambda a: torch.nn.functional.binary_cross_entropy_with_logits(
            a, torch.tensor([1.0, 0.0, 1.0, 0.0, 1.0], dtype=torch.float64)
        ),
        [np.array([0.0, 0.0, 1.5, -3.0, 30.0])],
    ),
}


@pytest.mark.parametrize("name", CASES)
def test_values_and_gradients_are_torchs(name):
    ours, theirs, arrays = CASES[name]
    mine = [Tensor(array.copy()) for array in arrays]
    other = [torch.from_numpy(array.copy()).requires_grad_() for array in arrays]
    out, reference = ours(*mine), (theirs or ours)(*other)
    np.testing.assert_allclose(out.data, reference.detach().numpy(), rtol=1e-12, atol=1e-12)
    upstream = np.asarray(RNG.normal(size=out.shape))
    out.backward(upstream)
    reference.backward(torch.from_numpy(upstream))
    for a, b in zip(mine, other, strict=True):
        assert a.grad.shape == a.shape
        np.testing.assert_allclose(a.grad, b.grad.numpy(), rtol=1e-10, atol=1e-12)


KINKS = ("abs", "relu", "max of equals")  # points that have no slope


@pytest.mark.parametrize("name", [name for name in CASES if name not in KINKS])
def test_gradients_are_what_nudging_the_inputs_shows(name):
    function, _, arrays = CASES[name]
    leaves = [Tensor(array.copy(), name=f"x{i}") for i, array in enumerate(arrays)]
    weights = RNG.normal(size=function(*leaves).shape)
    checked = gradient_check(lambda: (function(*leaves) * weights).sum(), leaves)
    assert [leaf.name for leaf in leaves] == [one.name for one in checked]
    for one in checked:
        assert one.error < 1e-6, (one.name, one.error)


def test_a_gradient_that_is_wrong_fails_the_check():
    x = Tensor(normal(3), name="x")
    right = x * x
    wrong = gradient_check(lambda: right.sum() * 0 + (x * x.data).sum(), [x])  # forgets a factor 2
    assert wrong[0].error > 0.1


@pytest.mark.parametrize(
    ("make", "said"),
    [
        (lambda: Tensor(normal(2, 3)) + Tensor(normal(4)), r"\(2, 3\) and \(4,\)"),
        (lambda: Tensor(normal(2, 3)) * normal(2), r"\(2, 3\) and \(2,\)"),
        (lambda: Tensor(normal(2, 3)) @ Tensor(normal(2, 3)), r"\(2, 3\) and \(2, 3\).*transpose"),
        (lambda: Tensor(normal(2, 3)) @ Tensor(1.0), "for numbers use"),
        (lambda: Tensor(normal(2, 2)) @ normal(3), r"\(2, 2\) and \(3,\).*only one.*another shape"),
        (lambda: Tensor(normal(3)) @ normal(2, 3), r"\(3,\) and \(2, 3\).*transpose the second"),
        (lambda: Tensor(normal(2, 3)) @ normal(2), r"\(2,\).*transpose the first"),
        (lambda: Tensor(normal(2, 3, 4)) @ normal(3, 4, 5), "before the last two"),
        (lambda: Tensor(normal(2, 3)).reshape(4, 2), "6 elements"),
        (lambda: Tensor(normal(2, 3)).reshape(-1, -1), "6 elements"),
        (lambda: Tensor(normal(2, 3)).sum(2), "axis 2"),
        (lambda: Tensor(normal(2, 3)).transpose(0, 0), "each axis"),
        (lambda: Tensor(normal(2, 3))[5], "out of bounds"),
        (lambda: Tensor(np.zeros((0, 3))).max(), "no elements"),
        (lambda: F.concatenate([]), "nothing to concatenate"),
        (lambda: F.concatenate([normal(2, 3), normal(3, 3)], 1), r"\(2, 3\) and \(3, 3\)"),
        (lambda: F.concatenate([Tensor(1.0), Tensor(2.0)]), "cannot be joined"),
        (lambda: F.embedding(normal(3, 2), [0, 3]), "0 to 2"),
        (lambda: F.embedding(normal(3, 2), [0.5]), "whole numbers"),
        (lambda: F.cross_entropy(normal(3, 2), [0, 1]), r"\(3, 2\) and \(2,\)"),
        (lambda: F.cross_entropy(normal(2, 2), [0, 2]), "0 to 1"),
        (lambda: F.binary_cross_entropy(normal(2), [0, 1, 1]), r"\(2,\) and \(3,\)"),
        (lambda: F.masked(normal(2), np.zeros((3, 2), bool)), "mask of shape"),
        (lambda: F.batch_norm(normal(0, 2), 1.0, 0.0), "too few"),
    ],
)
def test_what_does_not_fit_is_told_with_its_shapes(make, said):
    with pytest.raises(ValueError, match=said):
        make()


def test_dividing_by_zero_and_the_like_are_values():
    x = Tensor([0.0, 1.0, -1.0], name="x")
    assert F.log(x).data.tolist()[:2] == [-np.inf, 0.0] and np.isnan(F.log(x).data[2])
    out = (1 / x).sum()
    out.backward()
    assert out.item() == np.inf and x.grad[0] == -np.inf and x.grad[1] == -1.0
    assert np.isinf(F.exp(Tensor(1000.0)).item())


def test_batch_norm_with_bessels_correction_is_the_closed_form_of_the_lecture():
    from core.autograd import apply
    from core.autograd.layers import Normalize

    x, upstream = Tensor(normal(32, 6)), normal(32, 6)
    out = apply(Normalize(0, 1e-5, bessel=True), x)
    out.backward(upstream)
    n, inv = 32, 1 / np.sqrt(x.data.var(0, ddof=1) + 1e-5)
    dy, xhat = upstream, (x.data - x.data.mean(0)) * inv
    closed = inv / n * (n * dy - dy.sum(0) - n / (n - 1) * xhat * (dy * xhat).sum(0))
    np.testing.assert_allclose(x.grad, closed, atol=1e-12)


def test_cross_entropy_backward_is_softmax_minus_onehot():
    scores = Tensor(normal(4, 5))
    F.cross_entropy(scores, [0, 1, 4, 2]).backward()
    wanted = torch.softmax(torch.from_numpy(scores.data), -1).numpy()
    wanted[np.arange(4), [0, 1, 4, 2]] -= 1
    np.testing.assert_allclose(scores.grad, wanted / 4, atol=1e-15)
