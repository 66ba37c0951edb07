"""Tensors: numbers, vectors or matrices that record how they were computed, for derivatives.

Every operation adds a node to a graph. `backward` goes through it from the output to the leaves
and, by the chain rule, computes dL/d(node): reverse-mode differentiation (Baydin et al. 2018,
"Automatic Differentiation in Machine Learning: a Survey", section 3.2).
"""

from __future__ import annotations

from collections.abc import Generator, Iterator, Sequence
from typing import Any, NamedTuple

import numpy as np

from core.autograd.arithmetic import (
    Add,
    Divide,
    MatMul,
    Multiply,
    Negate,
    Power,
    Subtract,
    check_product,
)
from core.autograd.operation import Array, Operation, accumulate, sum_to
from core.autograd.reductions import Axis, Max, Mean, Sum
from core.autograd.shapes import Reshape, Slice, Transpose
from core.jobs import Pace, to_the_end

Value = Any  # an operand of arithmetic with a Tensor: a Tensor, a number, an array


class Tensor:
    """A node of the graph.

    data           its numbers, a NumPy array of floats; a scalar is 0-d
    grad           after `backward()`, dL/d(data) in the same shape; None before, and for constants.
                   Tensors may share its memory: replace it, never write into it
    requires_grad  whether its gradient is computed
    operation      the operation that computed it from `inputs`; a leaf has None and ()
    name           its name for display, or ""
    """

    __slots__ = ("data", "grad", "inputs", "name", "operation", "requires_grad")
    __array_ufunc__ = None  # NumPy then leaves `array + tensor` to Tensor.__radd__

    def __init__(self, data: Any, *, name: str = "", requires_grad: bool = True) -> None:
        """`data` is a number, nested lists of them or an array; an array of floats keeps its dtype.

        Raises ValueError for anything else.
        """
        array = np.asarray(data)
        if array.dtype.kind not in "fiub":
            kind = type(data).__name__
            raise ValueError(f"a Tensor holds numbers or nested lists of them, not a {kind}")
        self.data: Array = array if array.dtype.kind == "f" else array.astype(np.float64)
        self.grad: Array | None = None
        self.name = name
        self.requires_grad = requires_grad
        self.operation: Operation | None = None
        self.inputs: tuple[Tensor, ...] = ()

    @property
    def shape(self) -> tuple[int, ...]:
        """The size of each axis; () for a single number."""
        return self.data.shape

    @property
    def ndim(self) -> int:
        """The number of axes."""
        return self.data.ndim

    @property
    def is_leaf(self) -> bool:
        """Whether it was not computed by an operation."""
        return self.operation is None

    @property
    def leaves(self) -> dict[str, Tensor]:
        """The named leaves that this was computed from, in the order of their use."""
        order = topological_order(self)
        return {tensor.name: tensor for tensor in order if tensor.is_leaf and tensor.name}

    def item(self) -> float:
        """Returns the value of a tensor with one element. Raises ValueError if there are more."""
        return float(self.data.item())

    def named(self, name: str) -> Tensor:
        """Sets the name for display and returns the tensor itself."""
        self.name = name
        return self

    def __repr__(self) -> str:
        called = f" {self.name}" if self.name else ""
        value = f"{self.item():.6g}" if self.data.size == 1 else f"shape {self.shape}"
        return f"<Tensor{called} {value}>"

    # Backward ------------------------------------------------------------------------------------

    def backward(self, upstream: Any = None) -> None:
        """Computes `grad` of every tensor that this was computed from, by the chain rule.

        `upstream` is dL/d(this); without it this is L itself, which must be one number. Gradients
        of leaves accumulate over calls, as training with several batches needs; those of
        intermediate tensors start anew, so that a second call adds the same amount again.

        Raises ValueError if there is more than one number without `upstream`, if the shape of
        `upstream` differs, or if no leaf requires a gradient.
        """
        to_the_end(self.backward_steps(upstream))

    def backward_steps(self, upstream: Any = None) -> Generator[int, None, None]:
        """Runs `backward` as a job; yields the number of edges followed since the last yield.

        Every `grad` changes at the end, and none if the job is closed earlier.
        """
        if upstream is None and self.data.size != 1:
            raise ValueError(
                f"backward starts from one number, and this has shape {self.shape}; take its sum "
                "or mean first, or give dL/d(this) as `upstream`"
            )
        if not self.requires_grad:
            raise ValueError(
                "nothing that this was computed from wants a gradient; make one of its leaves with "
                "requires_grad=True"
            )
        seed = np.ones_like(self.data)  # dL/dL  # step: seed
        if upstream is not None:
            seed = np.array(upstream, self.data.dtype)
        if seed.shape != self.shape:
            raise ValueError(f"upstream has shape {seed.shape}, and this has shape {self.shape}")
        order = topological_order(self)
        leaves = [tensor for tensor in order if tensor.is_leaf]
        grads = {leaf: leaf.grad for leaf in leaves if leaf.grad is not None}
        grads[self] = accumulate(grads.get(self), seed)
        flows, pace = flow_back(order, grads), Pace()
        while edges := _walk(flows, pace):
            yield edges
            pace.go_on()
        for tensor in order:
            tensor.grad = grads.get(tensor)

    # Arithmetic ----------------------------------------------------------------------------------

    def __add__(self, other: Value) -> Tensor:
        return apply(Add(), self, other)

    def __radd__(self, other: Value) -> Tensor:
        return apply(Add(), other, self)

    def __sub__(self, other: Value) -> Tensor:
        return apply(Subtract(), self, other)

    def __rsub__(self, other: Value) -> Tensor:
        return apply(Subtract(), other, self)

    def __mul__(self, other: Value) -> Tensor:
        return apply(Multiply(), self, other)

    def __rmul__(self, other: Value) -> Tensor:
        return apply(Multiply(), other, self)

    def __truediv__(self, other: Value) -> Tensor:
        return apply(Divide(), self, other)

    def __rtruediv__(self, other: Value) -> Tensor:
        return apply(Divide(), other, self)

    def __pow__(self, other: Value) -> Tensor:
        return apply(Power(), self, other)

    def __rpow__(self, other: Value) -> Tensor:
        return apply(Power(), other, self)

    def __neg__(self) -> Tensor:
        return apply(Negate(), self)

    def __matmul__(self, other: Value) -> Tensor:
        return matmul(self, other)

    def __rmatmul__(self, other: Value) -> Tensor:
        return matmul(other, self)

    # Reductions and shapes -----------------------------------------------------------------------

    # `axis` is one, several, or all (None). `keepdims` keeps each of them with size 1; else they
    # are removed. Raises ValueError for an axis that does not exist.

    def sum(self, axis: Axis = None, keepdims: bool = False) -> Tensor:
        """Returns the sum: (2, 3) along axis 1 -> (2,)."""
        return apply(Sum(axis, keepdims), self)

    def mean(self, axis: Axis = None, keepdims: bool = False) -> Tensor:
        """Returns the mean: (2, 3) along axis 1 -> (2,). Raises ValueError without elements."""
        return apply(Mean(axis, keepdims), self)

    def max(self, axis: Axis = None, keepdims: bool = False) -> Tensor:
        """Returns the maximum: (2, 3) along axis 1 -> (2,). Raises ValueError without elements."""
        return apply(Max(axis, keepdims), self)

    def reshape(self, *shape: Any) -> Tensor:
        """Returns the same elements in another shape, sizes or a tuple of them; one may be -1."""
        sizes = shape[0] if len(shape) == 1 and isinstance(shape[0], tuple | list) else shape
        return apply(Reshape(tuple(sizes)), self)

    def transpose(self, *axes: int) -> Tensor:
        """Reorders axes: (2, 3, 4) by 0, 2, 1 -> (2, 4, 3); without arguments, reverses them."""
        return apply(Transpose(axes or tuple(reversed(range(self.ndim)))), self)

    @property
    def T(self) -> Tensor:
        """The tensor with its axes in reverse order."""
        return self.transpose()

    @property
    def mT(self) -> Tensor:
        """The tensor with its last two axes exchanged: each matrix transposed."""
        return self.transpose(*range(self.ndim - 2), self.ndim - 1, self.ndim - 2)

    def __getitem__(self, key: Any) -> Tensor:
        return apply(Slice(key), self)

    def __iter__(self) -> Iterator[Tensor]:
        """Yields the parts along the first axis: `q, k, v = qkv`."""
        if not self.ndim:
            raise TypeError("one number has no parts to go through")
        return (self[index] for index in range(len(self.data)))


def apply(operation: Operation, *inputs: Value) -> Tensor:
    """Returns the operation's value on `inputs` as a new node. Numbers and arrays become constants.

    Division by zero and the like give inf or nan, as IEEE 754 specifies, and raise nothing. Raises
    ValueError if the shapes do not fit.
    """
    known = next(value for value in inputs if isinstance(value, Tensor))
    tensors = tuple(constant(value, known.data.dtype) for value in inputs)
    arrays = [tensor.data for tensor in tensors]
    operation.check(*arrays)
    with np.errstate(all="ignore"):
        out = Tensor(operation.forward(*arrays))
    out.operation, out.inputs = operation, tensors
    out.requires_grad = any(tensor.requires_grad for tensor in tensors)
    return out


def constant(value: Value, dtype: Any = np.float64) -> Tensor:
    """Returns a Tensor unchanged, anything else as a Tensor that requires no gradient."""
    if isinstance(value, Tensor):
        return value
    return Tensor(np.asarray(value, dtype), requires_grad=False)


def matmul(a: Value, b: Value) -> Tensor:
    """Returns a @ b of matrices or vectors: (k) is a row on the left, a column on the right.

    Raises ValueError if the shapes do not fit.
    """
    kind = next(value.data.dtype for value in (a, b) if isinstance(value, Tensor))
    a, b = constant(a, kind), constant(b, kind)
    check_product(a.shape, b.shape)
    rows = a.reshape(1, -1) if a.ndim == 1 else a  # (k) -> (1, k)
    columns = b.reshape(-1, 1) if b.ndim == 1 else b  # (k) -> (k, 1)
    product = apply(MatMul(), rows, columns)
    shape = list(product.shape)
    if a.ndim == 1:
        del shape[-2]
    if b.ndim == 1:
        del shape[-1]
    return product if len(shape) == product.ndim else product.reshape(*shape)


def zero_grad(tensors: Sequence[Tensor]) -> None:
    """Clears the gradients of `tensors`, so that the next `backward` does not add to them."""
    for tensor in tensors:
        tensor.grad = None


# The chain rule ----------------------------------------------------------------------------------


def topological_order(output: Tensor) -> list[Tensor]:
    """Returns all tensors that `output` was computed from, each after its inputs, `output` last.

    The order is always the same for the same graph. Uses an explicit stack: recursion would fail
    at about a thousand nodes, and graphs of single numbers are larger.
    """
    order: list[Tensor] = []
    seen: set[int] = set()
    stack: list[tuple[Tensor, bool]] = [(output, False)]
    while stack:
        tensor, inputs_done = stack.pop()
        if inputs_done:
            order.append(tensor)
        elif id(tensor) not in seen:
            seen.add(id(tensor))
            stack.append((tensor, True))
            stack.extend((before, False) for before in reversed(tensor.inputs))
    return order


class Flow(NamedTuple):
    """The gradient that flows from a tensor back to its input number `number`.

    upstream      dL/d(out), complete
    contribution  the operation's result; in out's shape if the input was broadcast
    flow          the same in the input's shape and dtype, its copies added up
    before        the input's gradient from other uses so far, or None
    grad          dL/d(input) so far: `before` plus `flow`
    """

    out: Tensor
    number: int
    upstream: Array
    contribution: Array
    flow: Array
    before: Array | None
    grad: Array


def edges_back(order: Sequence[Tensor]) -> Iterator[tuple[Tensor, int]]:
    """Yields the edges in the order of backward, as (tensor, number of its input): from tensors
    that a gradient reaches to inputs that require one.

    `order` is topological: each tensor after its inputs. A tensor passes its gradient back once it
    has received the contributions of all its uses.
    """
    reached = {order[-1]}
    for out in reversed(order):
        if out not in reached:
            continue
        for index, tensor in enumerate(out.inputs):
            if tensor.requires_grad:
                yield out, index
                reached.add(tensor)


def flow_back(order: Sequence[Tensor], grads: dict[Tensor, Array]) -> Iterator[Flow]:
    """Runs backward edge by edge: fills `grads` with dL/d(tensor), adding to existing entries.

    The last of `order` must have an entry. `Tensor.backward` uses only the sums, `flows_of` the
    flow along every edge, `trace_backprop` everything as steps. inf and nan are valid values: the
    caller of the iterator sets how NumPy handles them.
    """
    for out, index in edges_back(order):
        tensor, upstream, operation = out.inputs[index], grads[out], out.operation
        assert operation is not None
        inputs = [each.data for each in out.inputs]
        contribution = np.asarray(operation.contribution(index, upstream, out.data, *inputs))
        # A gradient has the dtype of its tensor, so that an update keeps float32 weights float32.
        flow = np.asarray(sum_to(contribution, tensor.shape), tensor.data.dtype)
        before = grads.get(tensor)
        grads[tensor] = accumulate(before, flow)
        yield Flow(out, index, upstream, contribution, flow, before, grads[tensor])


def _walk(flows: Iterator[Flow], pace: Pace) -> int:
    """Follows edges until it is time to yield; returns their number, 0 at the end."""
    edges = 0
    with np.errstate(all="ignore"):  # inf and nan are valid values: shown, not raised
        for _ in flows:
            edges += 1
            if pace.is_due():
                break
    return edges
