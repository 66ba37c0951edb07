"""At the edges: kinds of numbers, powers of 0, tiny divisors, shared memory, empty shapes."""

import numpy as np
import pytest
import torch

from core.autograd import Tensor, graph_like, graph_of
from core.autograd import functional as F
from tests.core.autograd.test_operations import CASES, HIDDEN


@pytest.mark.parametrize("name", CASES)
def test_float32_stays_float32(name):
    function, _, arrays = CASES[name]
    leaves = [Tensor(array.astype(np.float32)) for array in arrays]
    out = function(*leaves)
    out.backward(np.ones(out.shape, np.float32))
    assert {out.data.dtype, *(leaf.grad.dtype for leaf in leaves)} == {np.dtype(np.float32)}


def test_a_number_or_array_beside_float32_takes_its_kind():
    x = Tensor(np.ones((2, 2), np.float32))
    other = np.ones((2, 2))
    for out in (x @ other, other @ x, x * other, other - x, x / 3, 2**x, x @ np.ones(2)):
        assert out.data.dtype == np.float32
    mixed = (x * Tensor(other)).sum()
    mixed.backward()
    assert mixed.data.dtype == np.float64 and x.grad.dtype == np.float32


POWERS = [
    (0.0, 0.0), (0.0, 1.0), (0.0, 2.0), (0.0, 0.5), (0.0, -1.0), (2.0, 0.0), (-2.0, 0.0),
    (-2.0, 3.0), (1e-200, 2.0), (1e200, 2.0), (0.5, 2000.0),
]  # fmt: skip


@pytest.mark.parametrize(("base", "exponent"), POWERS)
def test_powers_of_0_and_to_the_0_have_torchs_gradients(base, exponent):
    a, b = Tensor(base), Tensor(exponent)
    (a**b).backward()
    c, d = (torch.tensor(v, dtype=torch.float64, requires_grad=True) for v in (base, exponent))
    (c**d).backward()
    for mine, theirs in ((a, c), (b, d)):
        np.testing.assert_allclose(mine.grad, theirs.grad.numpy(), rtol=1e-12)


@pytest.mark.parametrize("b", [1e-200, -1e-160, 1e-300, 1e200, 3.0])
@pytest.mark.parametrize("a", [1e-200, 1.0, -1e-100, 0.0])
def test_dividing_by_something_tiny_has_torchs_gradients(a, b):
    x, y = Tensor(a), Tensor(b)
    (x / y).backward()
    z, w = (torch.tensor(v, dtype=torch.float64, requires_grad=True) for v in (a, b))
    (z / w).backward()
    np.testing.assert_allclose(x.grad, z.grad.numpy(), rtol=1e-12)
    np.testing.assert_allclose(y.grad, w.grad.numpy(), rtol=1e-12)


def test_a_tensor_is_gone_through_along_its_first_axis():
    x = Tensor([[1.0, 2.0], [3.0, 4.0]])
    a, b = x
    (a * b).sum().backward()
    assert x.grad.tolist() == [[3.0, 4.0], [1.0, 2.0]]
    assert [one.item() for one in Tensor([5.0, 6.0])] == [5.0, 6.0]
    with pytest.raises(TypeError, match="one number"):
        list(Tensor(1.0))


def test_what_backward_is_given_stays_the_callers():
    given = np.array([1.0, 2.0])
    x = Tensor([3.0, 4.0])
    y = x.reshape(2)
    y.backward(given)
    x.grad *= 5
    assert given.tolist() == [1.0, 2.0]


def test_a_constant_has_nothing_to_go_back_to():
    x = Tensor([1.0], requires_grad=False)
    for constant in (x, (x * 2).sum()):
        with pytest.raises(ValueError, match="requires_grad=True"):
            constant.backward()
        assert constant.grad is None


def test_reshape_takes_sizes_or_a_tuple_and_axes_may_count_from_the_end():
    x = Tensor(np.arange(6.0).reshape(2, 3))
    assert x.reshape((3, 2)).shape == x.reshape(3, 2).shape == (3, 2)
    out = x.transpose(-1, 0)
    out.backward(np.arange(6.0).reshape(3, 2))
    assert out.shape == (3, 2) and x.grad.tolist() == [[0, 2, 4], [1, 3, 5]]


ONE, EMPTY = Tensor(1.0), Tensor(np.zeros((2, 0)))
WRONG = {
    "softmax of nothing": (lambda: F.softmax(EMPTY), "no elements.*give some"),
    "softmax along no axis": (lambda: F.softmax(Tensor([1.0]), 1), "axes are 0 to 0"),
    "mean of nothing": (lambda: EMPTY.mean(), "no elements.*give some"),
    "mean of nothing along an axis": (lambda: EMPTY.mean(1), "no elements"),
    "an axis of one number": (lambda: ONE.sum(0), "one number has no axes"),
    "an axis twice": (lambda: EMPTY.sum((0, -2)), "each once"),
    "a norm of one number": (lambda: F.layer_norm(ONE, 1.0), r"shape \(\) has no axis -1"),
    "one id too large": (lambda: F.embedding(np.ones((5, 2)), [5]), "^an id is 5; a table of 5"),
    "rows of one number": (lambda: F.embedding(ONE, [0]), "a table"),
    "joined along no axis": (lambda: F.concatenate([EMPTY, EMPTY], 2), "joined along axis 2"),
    "joined of other axes": (lambda: F.concatenate([EMPTY, Tensor([1.0])], 0), "all must have it"),
    "a mask of another size": (lambda: F.masked(np.zeros((2, 2)), HIDDEN), "equal or 1"),
    "a mask with more axes": (lambda: F.masked(np.zeros(3), HIDDEN), "does not lie over"),
    "a Tensor of a Tensor": (lambda: Tensor(ONE), "not a Tensor"),
    "text": (lambda: Tensor("3"), "numbers or nested lists.*not a str"),
    "an imaginary number": (lambda: Tensor(1 + 2j), "not a complex"),
    "nothing at all": (lambda: Tensor(None), "not a NoneType"),
    "axes of another shape": (lambda: EMPTY.transpose(0, 2), "use 0 to 1"),
}


@pytest.mark.parametrize("name", WRONG)
def test_what_cannot_be_is_a_value_error_with_its_remedy(name):
    make, said = WRONG[name]
    with pytest.raises(ValueError, match=said):
        make()


def test_a_graph_of_other_operations_is_not_alike():
    square = Tensor(np.ones((3, 3)), name="x")
    mask = np.eye(3, dtype=bool)
    makers = (
        lambda x: x.sum(0),
        lambda x: x.sum(1),
        lambda x: x[0],
        lambda x: x[1],
        lambda x: x[np.array([0, 1, 2]), np.array([0, 1, 2])],
        lambda x: x[np.array([0, 1, 2]), np.array([2, 1, 0])],
        lambda x: F.masked(x, mask)[0],
        lambda x: F.masked(x, ~mask)[0],
        lambda x: F.embedding(x, 1),
        lambda x: F.embedding(x, 2),
    )
    graphs = [graph_of(make(square)) for make in makers]
    for number, make in enumerate(makers):
        alike = [graph_like(make(square), graph) is not None for graph in graphs]
        assert alike == [other == number for other in range(len(makers))]


def test_formulas_say_what_is_computed():
    x = Tensor(np.zeros((2, 2)), name="x")
    hidden = F.masked(x, HIDDEN[:2, :2], -10.0)
    assert hidden.operation.latex("y", "x").endswith("-10")
    assert F.masked(x, HIDDEN[:2, :2]).operation.latex("y", "x").endswith(r"-\infty")
    assert r"\sum_j [{x}_j = y]" in x.max().operation.latex_grad(0, "g", "y", "x")


def test_the_formula_of_gelu_is_of_the_one_that_is_computed():
    approximate, exact = F.gelu(ONE).operation, F.gelu(ONE, approximate=False).operation
    assert exact.latex("v", "x") == r"v = x \, \Phi(x)"
    for part in (r"\Phi(x) \approx", "0.044715", r"\tanh"):
        assert part in approximate.latex("v", "x")
