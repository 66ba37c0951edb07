"""The chain rule, walked from the end of a graph to its beginning: every edge once, in one order.

Whoever wants gradients walks here: `Tensor.backward` for the sums alone, `flows_of` for what every
edge carries, `trace_backprop` for all of it as steps.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import TYPE_CHECKING, NamedTuple

import numpy as np

from core.autograd.operation import Array, accumulate, sum_to

if TYPE_CHECKING:
    from core.autograd.tensor import Tensor


class Flow(NamedTuple):
    """What flows from a tensor back to its input number `number`.

    upstream      dL/d(out), all of it
    contribution  what the operation hands back; of out's shape where an input was broadcast
    flow          the same in the input's shape and kind of numbers, its copies added up
    before        what the input had got from other uses already, or None
    grad          dL/d(input) so far: `before` and `flow` together
    """

    out: Tensor
    number: int
    upstream: Array
    contribution: Array
    flow: Array
    before: Array | None
    grad: Array


def edges_back(order: Sequence[Tensor]) -> Iterator[tuple[Tensor, int]]:
    """The edges in the order of backward, as (tensor, number of its input): of those that a
    gradient reaches, to those that want one.

    `order` is topological: each tensor after its inputs. A tensor hands its gradient on when all
    that used it have handed theirs to it.
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
    """Backward, edge by edge: fills `grads` with dL/d(tensor), from those that are there already.

    The last of `order` must have one. inf and nan are values here: whoever asks for the next edge
    says what NumPy does about them.
    """
    for out, index in edges_back(order):
        tensor, upstream, operation = out.inputs[index], grads[out], out.operation
        assert operation is not None
        inputs = [each.data for each in out.inputs]
        contribution = np.asarray(operation.contribution(index, upstream, out.data, *inputs))
        # A gradient is of its tensor's kind of numbers: a step along it keeps float32 float32.
        flow = np.asarray(sum_to(contribution, tensor.shape), tensor.data.dtype)
        before = grads.get(tensor)
        grads[tensor] = accumulate(before, flow)
        yield Flow(out, index, upstream, contribution, flow, before, grads[tensor])
