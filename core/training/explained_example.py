"""One training example through a GPT and back, operation by operation, checked against torch."""

from __future__ import annotations

import copy
from collections.abc import Generator, Sequence
from dataclasses import dataclass

import numpy as np
import torch
from torch.nn.functional import cross_entropy

from core.autograd.backprop_trace import trace_backprop
from core.autograd.gradient_check import disagreement
from core.autograd.graph import Graph
from core.autograd.tensor import Tensor
from core.inference.activations import check_ids, looking_at
from core.jobs import retold, to_the_end
from core.trace import Trace
from core.transformer.gpt import GPT
from core.transformer.gpt_numpy import NumpyGPT
from core.transformer.weights import check_finite, own_parameters


@dataclass(frozen=True, slots=True)
class ExplainedExample:
    """The result of `explain_example`. T tokens are read and T are predicted.

    ids, targets  (T) the input tokens, and the correct next token after each
    loss          the mean over the targets, in nats; every node of its graph has its `grad`
    trace         forward and backward, from `trace_backprop`
    disagreement  largest difference to torch's gradients in float64, relative to the largest of
                  that parameter; nan or inf if they cannot be compared
    """

    ids: np.ndarray
    targets: np.ndarray
    model: NumpyGPT
    loss: Tensor
    trace: Trace
    disagreement: float

    @property
    def graph(self) -> Graph:
        """The graph of the whole forward pass, from the trace."""
        graph = self.trace.about["graph"]
        assert isinstance(graph, Graph)
        return graph

    def named(self, label: str) -> Tensor:
        """Returns the tensor of a node, such as "residual.0"; ValueError if there is none."""
        for node in self.graph.nodes:
            if node.label == label:
                return node.tensor
        raise ValueError(f"the graph has no node {label!r}")

    def residual_gradients(self) -> np.ndarray:
        """Returns the length of dL/d(residual stream) at the input of each block and the output of
        the last, for each token: (L + 1, T). The residual stream is the gradients' highway.
        """
        places = range(self.model.config.n_layer + 1)
        grads = [self.named(f"residual.{place}").grad for place in places]
        return np.stack([np.linalg.norm(grad[0], axis=-1) for grad in grads if grad is not None])


def explain_example(model: GPT, ids: Sequence[int] | np.ndarray) -> ExplainedExample:
    """Reads all `ids` (T + 1) but the last, predicts all but the first, and propagates back.

    Works on a copy: the model keeps its weights, gradients and mode. Raises ValueError for fewer
    than two ids, more than block_size + 1, an id that is not in the vocabulary, a model with
    dropout, a weight that is NaN or infinite, and as `own_parameters` does.
    """
    return to_the_end(explain_example_steps(model, ids))


def explain_example_steps(
    model: GPT, ids: Sequence[int] | np.ndarray
) -> Generator[str, None, ExplainedExample]:
    """Runs `explain_example` as a job; yields its phase: "copy", "forward", "backward", "check".

    Copies the model before the first yield; it may be trained further after that.
    """
    array = np.asarray(ids, dtype=np.int64).reshape(-1)
    if array.size < 2:
        raise ValueError("a training example needs two tokens: one to read, one to predict")
    check_ids(model, array[:-1])
    check_ids(model, array[1:])
    check_finite(model)
    own_parameters(model)
    read, wanted = array[:-1], array[1:]
    other = _in_64_bits(model)
    yield "copy"
    mine = NumpyGPT.of(other)
    yield "copy"
    loss = yield from retold(mine.loss_steps(read[None], wanted[None]), lambda _: "forward")
    yield from retold(loss.backward_steps(), lambda _: "backward")
    trace = trace_backprop(loss)
    checking = _disagreement_steps(other, mine, read, wanted)
    difference = yield from retold(checking, lambda _: "check")
    return ExplainedExample(read, wanted, mine, loss, trace, difference)


def _in_64_bits(model: GPT) -> GPT:
    with looking_at(model):
        other = copy.deepcopy(model).cpu().double()
    for parameter in other.parameters():
        parameter.requires_grad_(True)
        parameter.grad = None
    return other


def _disagreement_steps(
    other: GPT, mine: NumpyGPT, read: np.ndarray, wanted: np.ndarray
) -> Generator[None, None, float]:
    """Returns the largest difference of gradients of `mine` to torch's, relative to the largest."""
    with torch.enable_grad():
        logits = other(torch.from_numpy(read)[None])[0]  # (T, V)
        loss = cross_entropy(logits, torch.from_numpy(wanted))
    yield
    loss.backward()
    yield
    ours = {name: tensor.grad for name, tensor in mine.parameters.items()}
    theirs = {
        name: None if parameter.grad is None else parameter.grad.numpy()
        for name, parameter in other.named_parameters()
    }
    return disagreement(ours, theirs)
