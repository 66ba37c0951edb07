"""One forward and one backward pass through a matrix whose own numbers were tuned, step by step.

Full fine-tuning moves every number of W: W' = W + dW, with dW of any rank. BitFit keeps W and moves
its bias. A text is read as in training, as in `trace_adapter`.

Letters in shapes: T tokens read, in and out: input and output width of the matrix.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import Any, NamedTuple

import numpy as np
import torch
from torch import Tensor, nn

from core.finetuning.lora import add_change
from core.finetuning.lora_gradients import output_gradient
from core.finetuning.matrix_pass import pass_through, value_of
from core.trace import Step, Trace
from core.transformer import plain
from core.transformer.gpt import GPT
from core.transformer.precision import full_precision

_HERE = "core.finetuning.tuned_trace"
_PLAIN = "core.transformer.plain:linear"


class TunedMatrix(NamedTuple):
    """The change by tuning of each output, (T, out), and of the matrix, (out, in)."""

    change: Tensor
    delta: Tensor


def tuned_matrix(x: Tensor, learned: Tensor, base: Tensor) -> TunedMatrix:
    """Computes how tuning, from base to learned (out, in), changes the output for x (T, in)."""
    delta = learned - base  # (out, in)  # step: delta
    change = x @ delta.mT  # (T, out)  # step: change
    return TunedMatrix(change, delta)


def tuned_bias(learned: Tensor, base: Tensor) -> Tensor:
    """Computes how far a bias (out,) moved; it is added at every token."""
    change = learned - base  # (out,)  # step: change
    return change


def matrix_gradient(grad_output: Tensor, x: Tensor) -> Tensor:
    """Computes the gradient of a matrix (out, in) from grad_output (T, out) and x (T, in)."""
    grad_W = grad_output.mT @ x  # (out, in)  # step: W
    return grad_W


def bias_gradient(grad_output: Tensor) -> Tensor:
    """Computes the gradient of a bias (out,) from grad_output (T, out)."""
    grad_b = grad_output.sum(0)  # (out,)  # step: b
    return grad_b


def trace_tuned(
    model: GPT,
    ids: Sequence[int] | np.ndarray,
    target: str,
    base: Mapping[str, Tensor],
    position: int = -1,
) -> Trace:
    """Traces a text's forward and backward pass through a matrix that was tuned, or whose bias was.

    ids       (T + 1,): the model reads the first T and predicts the last T
    target    the matrix's module: "h.0.attn.c_attn"
    base      numbers of the trained parameters before tuning, by name: "h.0.attn.c_attn.weight"
    position  of the token that the pictures follow, among those read; negative: from the end

    Forward: "tuned.frozen" (W x, as before), "bias" if there is one, "change", "add". As a matrix:
    "delta", but not for a bias. Backward: "grad_output", and "grad_W" or "grad_b".

    `about` has "target", "position", "ids" (T,), "next_ids" (T,), "loss", "rank" 0, "parameters":
    count of trained numbers, and "frozen": count of numbers in W.

    Raises ValueError, with a remedy, for invalid ids or an invalid position.
    """
    module = model.get_submodule(target)
    passed = pass_through(model, module, ids)
    learned = [base[name] for name in (f"{target}.weight", f"{target}.bias") if name in base]
    weight = module.weight
    assert isinstance(weight, Tensor)
    trace = Trace(
        {
            "target": target,
            **passed.about(position),
            "rank": 0,
            "parameters": sum(one.numel() for one in learned),
            "frozen": weight.numel(),
        }
    )
    with torch.no_grad():
        for step in _steps(module, target, base, passed.x, passed.gradient):
            trace.append(step)
    return trace.finish()


def _steps(
    module: nn.Module, target: str, base: Mapping[str, Tensor], x: Tensor, gradient: Tensor
) -> Iterator[Step]:
    """Yields all steps, from x to the gradient of the matrix or bias."""
    now = {
        name: full_precision(one.detach()).clone()
        for name in ("weight", "bias")
        if isinstance(one := getattr(module, name, None), Tensor)
    }
    was = {name: full_precision(base.get(f"{target}.{name}", one)) for name, one in now.items()}
    frozen = plain.linear(x, was["weight"], was.get("bias"))
    known: dict[str, Any] = {"x": x, "weight": was["weight"], "products": frozen.products}
    yield _step("frozen", known)
    output = frozen.products
    if frozen.output is not None:
        output = frozen.output
        yield _step("bias", known | {"output": output, "bias": was["bias"]})
    if is_matrix := f"{target}.weight" in base:
        known |= {"learned": now["weight"], "base": was["weight"]}
        made = tuned_matrix(x, now["weight"], was["weight"])
        change = made.change
        known |= {"change": change, "delta": made.delta}
        yield _step("change", known)
    else:
        change = tuned_bias(now["bias"], was["bias"])
        known |= {"learned": now["bias"], "base": was["bias"], "change": change}
        yield _step("bias_change", known)
    known |= {"output": output, "adapted": add_change(output, change)}
    yield _step("add", known)
    if is_matrix:
        yield _step("delta", known)
    first, last = 0, gradient.size(1)
    known["grad_output"] = grad_output = output_gradient(gradient, first, last)
    yield _step("grad_output", known | {"first": first, "last": last, "gradient": gradient})
    if is_matrix:
        yield _step("grad_W", known | {"grad_W": matrix_gradient(grad_output, x)})
    else:
        yield _step("grad_b", known | {"grad_b": bias_gradient(grad_output)})


# Of each step: its line, the names of its output and inputs, its title and its formula.
_LINES: dict[str, tuple[str, tuple[str, ...], str, str]] = {
    "frozen": (
        f"{_PLAIN}#product",
        ("products", "x", "weight"),
        "Multiply the input x by W as it was before tuning",
        r"h = W x",
    ),
    "bias": (
        f"{_PLAIN}#bias",
        ("output", "products", "bias"),
        "Add its bias, as it was before tuning",
        r"h + b",
    ),
    "change": (
        f"{_HERE}:tuned_matrix#change",
        ("change", "x", "delta"),
        "Multiply the input x by the change in W",
        r"\Delta h = (W' - W) \, x",
    ),
    "bias_change": (
        f"{_HERE}:tuned_bias#change",
        ("change", "learned", "base"),
        "Find the change in the bias, which is the same at every token",
        r"\Delta b = b' - b",
    ),
    "add": (
        "core.finetuning.lora:add_change#add",
        ("adapted", "output", "change"),
        "Add the change to the output of W before tuning",
        r"h' = h + \Delta h",
    ),
    "delta": (
        f"{_HERE}:tuned_matrix#delta",
        ("delta", "learned", "base"),
        "Find how far each number of W has moved",
        r"\Delta W = W' - W",
    ),
    "grad_output": (
        "core.finetuning.lora_gradients:output_gradient#output",
        ("grad_output", "gradient", "first", "last"),
        "Backward pass: how the loss changes with each output",
        r"\frac{\partial L}{\partial h'}",
    ),
    "grad_W": (
        f"{_HERE}:matrix_gradient#W",
        ("grad_W", "grad_output", "x"),
        "Gradient of W: each token's output gradient times its input x",
        r"\frac{\partial L}{\partial W} = "
        r"\sum_t \frac{\partial L}{\partial h'_t} \, x_t^\top",
    ),
    "grad_b": (
        f"{_HERE}:bias_gradient#b",
        ("grad_b", "grad_output"),
        "Gradient of the bias: a sum over all tokens",
        r"\frac{\partial L}{\partial b} = \sum_t \frac{\partial L}{\partial h'_t}",
    ),
}


def _step(name: str, known: Mapping[str, Any]) -> Step:
    """Returns the step of a line of `_LINES`, with its output and inputs."""
    code, names, title, formula = _LINES[name]
    values = {key: value_of(known[key]) for key in names}
    return Step(f"tuned.{name}", title, formula, code, values)
