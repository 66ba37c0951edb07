"""One forward and one backward pass through an adapted matrix, step by step.

A text is read as in training: every token but the last is read, and each predicts the token after
it. The input of the matrix and the gradient of its output come from the model's own passes; between
them run the lines of `core.finetuning.lora` and `lora_gradients`.

Letters in shapes: T tokens read, in and out: input and output width of the matrix, r: rank.
"""

from __future__ import annotations

import difflib
from collections.abc import Iterator, Mapping, Sequence
from typing import Any, NamedTuple

import numpy as np
import torch
import torch.nn.functional as F
from torch import Tensor

from core.files import quoted
from core.finetuning.adapter import adapters_of
from core.finetuning.lora import (
    DoRA,
    LoRALinear,
    LowRank,
    add_change,
    dora_delta,
    low_rank_matrix,
    low_rank_output,
)
from core.finetuning.lora_gradients import dora_gradients, low_rank_gradients, output_gradient
from core.finetuning.matrix_pass import Pass, pass_through, value_of
from core.trace import Step, Trace
from core.transformer import plain
from core.transformer.architectures import gpt_of
from core.transformer.gpt import GPT
from core.transformer.precision import full_precision

_LORA = "core.finetuning.lora"
_PLAIN = "core.transformer.plain:linear"
_BACK = "core.finetuning.lora_gradients"


def trace_adapter(
    model: GPT, ids: Sequence[int] | np.ndarray, target: str, position: int = -1
) -> Trace:
    """Traces a text's forward and backward pass through the update of an adapted matrix.

    ids       (T + 1,): the model reads the first T and predicts the last T
    target    an adapted matrix, or its part: "h.0.attn.c_attn", "h.0.attn.c_attn.q". If several
              adapters change it, the newest is followed
    position  of the token that the pictures follow, among those read; negative: from the end

    Forward: "adapter.frozen" (W x), "bias" if there is one, "reduce" (A x), "expand", "scale", for
    DoRA "gain" and "dora", and "add". As a matrix: "product" (B A), "delta", for DoRA "dora_delta".
    Backward: "grad_output", for DoRA "grad_added" and "grad_m", "grad_expanded", "grad_B",
    "grad_reduced", "grad_A": the gradients of the mean loss that the optimizer gets. Matrices as
    large as W are computed on first access.

    `about` has "target", "position", "ids" (T,), "next_ids" (T,), "loss", "rank", "scaling",
    "scale", "dora", "parameters": count of trainable numbers, and "frozen": count of numbers in W.

    Raises ValueError, with a remedy, for invalid ids or an invalid position, for a matrix that is
    not adapted, for an embedding, and for an adapter that is merged.
    """
    model = gpt_of(model)
    update, module = _followed(model, target)
    passed = pass_through(model, module, ids)
    trace = Trace(
        {
            "target": target,
            **passed.about(position),
            "rank": update.r,
            "scaling": update.scaling,
            "scale": update.scale,
            "dora": isinstance(update, DoRA),
            "parameters": sum(one.numel() for one in update.parameters()),
            "frozen": update.B.size(0) * module.in_features,
        }
    )
    with torch.no_grad():
        for step in _steps(module, update, passed):
            trace.append(step)
    return trace.finish()


def _followed(model: GPT, target: str) -> tuple[LowRank, LoRALinear]:
    """Returns the newest update of the matrix or part, and the module that holds it."""
    adapters = adapters_of(model)
    changing = [one for one in adapters if target in one.updates]
    if not changing:
        adapted = list(dict.fromkeys(name for one in adapters for name in one.updates))
        near = difflib.get_close_matches(target, adapted, n=3, cutoff=0) or adapted[:3]
        raise ValueError(
            f"no adapter changes {quoted(target)}; "
            + (f"choose {' or '.join(map(quoted, near))}" if near else "add one to the model first")
        )
    update, module = changing[-1].updates[target], changing[-1].modules()[target]
    if not isinstance(module, LoRALinear):
        raise ValueError(
            f"{quoted(target)} is a table of embeddings, whose rows are looked up without a "
            "product; choose an adapted matrix, such as attn.c_attn of a layer"
        )
    if update.merged:
        raise ValueError(
            f"the adapter of {quoted(target)} is merged into the matrix, so that nothing runs "
            "beside it; unmerge it first"
        )
    return update, module


def _steps(module: LoRALinear, update: LowRank, passed: Pass) -> Iterator[Step]:
    """Yields all steps, from x to the gradients of A and B."""
    x, scale = passed.x, update.scale
    first, last = update.rows.start, update.rows.stop
    A, B = update.A.clone(), update.B.clone()  # the Trace must not follow training
    bias = None if module.bias is None else full_precision(module.bias)[first:last]
    is_dora = isinstance(update, DoRA)
    s = update.scaling if is_dora else scale * update.scaling  # DoRA's line applies scale

    def weight() -> Tensor:
        return full_precision(module.rows_of(update, module.unmerged_weight))

    matrix = weight()
    frozen = plain.linear(x, matrix, bias)
    low_rank = low_rank_output(x, A, B, s)
    products, added = frozen.products, low_rank.change
    output = products if frozen.output is None else frozen.output
    known: dict[str, Any] = {"x": x, "A": A, "B": B, "s": s, "scale": scale, "weight": weight}
    known |= {"products": products, **low_rank._asdict()}
    yield _step("frozen", known)
    if bias is not None:
        yield _step("bias", known | {"output": output, "bias": bias})
    yield from (_step(name, known) for name in ("reduce", "expand", "scale"))
    change = added
    if isinstance(update, DoRA):
        m, length, gain = update.magnitude.clone(), update.length(matrix), update.gain(matrix)
        change = update.total_change(x, products, matrix)
        known |= {"m": m, "length": length, "gain": gain, "product": products, "added": added}
        yield _step("gain", known)
        yield _step("dora", known | {"change": change})
    for other in module.active:
        if other is not update:  # an update of another adapter
            output = output + _widened(module, other, x)[:, first:last]
    adapted = add_change(output, change)
    yield _step("add", {"adapted": adapted, "output": output, "change": change})

    def product() -> Tensor:
        return low_rank_matrix(A, B, s).product

    def delta() -> Tensor:
        return low_rank_matrix(A, B, s).delta

    matrices: dict[str, Any] = {"A": A, "B": B, "s": s, "product": product, "delta": delta}
    yield _step("product", matrices)
    yield _step("delta", matrices)
    if isinstance(update, DoRA):
        gain = known["gain"][:, None]
        made = {"gain": gain, "weight": weight, "added": delta}
        yield _step("dora_delta", made | {"delta": lambda: dora_delta(gain, weight(), delta())})

    grad_output = output_gradient(passed.gradient, first, last)
    known |= {"gradient": passed.gradient, "grad_output": grad_output, "grad_change": grad_output}
    yield _step("grad_output", known | {"first": first, "last": last})
    if isinstance(update, DoRA):
        combined = products + added
        dora = dora_gradients(grad_output, combined, known["gain"], known["length"], scale)
        known |= {"combined": combined, "grad_change": dora.grad_added, **dora._asdict()}
        yield from (_step(name, known) for name in ("grad_added", "grad_m"))
    back = low_rank_gradients(known["grad_change"], x, low_rank.reduced, B, s)
    known |= back._asdict()
    yield from (_step(name, known) for name in back._fields)


def _widened(module: LoRALinear, update: LowRank, x: Tensor) -> Tensor:
    """Returns an update's contribution to all outputs of the matrix: x (T, in) -> (T, all)."""
    change = module.change(update, x, module.base(x.to(module.own_weight.dtype)))
    return F.pad(change, (update.first, module.out_features - update.first - change.size(-1)))


class _Line(NamedTuple):
    """The code marker of a step, the names of its output and inputs, its title and formula."""

    code: str
    names: tuple[str, ...]
    title: str
    formula: str


_LINES = {
    "frozen": _Line(
        f"{_PLAIN}#product",
        ("products", "x", "weight"),
        "The frozen matrix computes what it did before",
        r"h = W x",
    ),
    "bias": _Line(
        f"{_PLAIN}#bias",
        ("output", "products", "bias"),
        "Add its bias, which is frozen too",
        r"h + b",
    ),
    "reduce": _Line(
        f"{_LORA}:low_rank_output#reduce",
        ("reduced", "x", "A"),
        "A reduces each token to r numbers",
        r"a = A x",
    ),
    "expand": _Line(
        f"{_LORA}:low_rank_output#expand",
        ("expanded", "reduced", "B"),
        "B expands these r numbers to the width of the output",
        r"B a = B A x",
    ),
    "scale": _Line(
        f"{_LORA}:low_rank_output#scale",
        ("change", "s", "expanded"),
        "Scale B A x by s to get what the adapter adds",
        r"\Delta h = s \, B A x",
    ),
    "gain": _Line(
        f"{_LORA}:DoRA.gain#gain",
        ("gain", "m", "length"),
        "DoRA: divide each row's learned length by its present length",
        r"g = \frac{m}{\lVert W + s B A \rVert}",
    ),
    "dora": _Line(
        f"{_LORA}:DoRA.total_change#dora",
        ("change", "scale", "gain", "product", "added"),
        "DoRA: give the rows of W + s B A their learned lengths",
        r"\Delta h = (g - 1) W x + g \, s B A x",
    ),
    "add": _Line(
        f"{_LORA}:add_change#add",
        ("adapted", "output", "change"),
        "Add the change to the output of the frozen matrix",
        r"h' = h + \Delta h",
    ),
    "product": _Line(
        f"{_LORA}:low_rank_matrix#product",
        ("product", "B", "A"),
        "As a matrix, B A is as large as W, but its rank is at most r",
        r"B A",
    ),
    "delta": _Line(
        f"{_LORA}:low_rank_matrix#delta",
        ("delta", "s", "product"),
        "Scale B A by s to get what merging would add to W",
        r"\Delta W = s \, B A",
    ),
    "dora_delta": _Line(
        f"{_LORA}:dora_delta#delta",
        ("delta", "gain", "weight", "added"),
        "DoRA: find what merging would add to W, with the learned lengths",
        r"\Delta W = (g - 1) W + g \, s B A",
    ),
    "grad_output": _Line(
        f"{_BACK}:output_gradient#output",
        ("grad_output", "gradient", "first", "last"),
        "Backward pass: how the loss changes with each output",
        r"\frac{\partial L}{\partial h'}",
    ),
    "grad_added": _Line(
        f"{_BACK}:dora_gradients#added",
        ("grad_added", "scale", "gain", "grad_output"),
        "DoRA: go back through the lengths of the rows",
        r"\frac{\partial L}{\partial (s B A x)} = g \, \frac{\partial L}{\partial h'}",
    ),
    "grad_m": _Line(
        f"{_BACK}:dora_gradients#m",
        ("grad_m", "scale", "grad_output", "combined", "length"),
        "DoRA: gradient of the lengths, a sum over all tokens",
        r"\frac{\partial L}{\partial m} = \sum_t \frac{\partial L}{\partial h'_t} "
        r"\frac{(W + s B A) x_t}{\lVert W + s B A \rVert}",
    ),
    "grad_expanded": _Line(
        f"{_BACK}:low_rank_gradients#expanded",
        ("grad_expanded", "s", "grad_change"),
        "Go back through the scaling",
        r"\frac{\partial L}{\partial (B a)} = s \, \frac{\partial L}{\partial \Delta h}",
    ),
    "grad_B": _Line(
        f"{_BACK}:low_rank_gradients#B",
        ("grad_B", "grad_expanded", "reduced"),
        "Gradient of B: each token's output gradient times its r numbers",
        r"\frac{\partial L}{\partial B} = "
        r"\sum_t \frac{\partial L}{\partial (B a_t)} \, a_t^\top",
    ),
    "grad_reduced": _Line(
        f"{_BACK}:low_rank_gradients#reduced",
        ("grad_reduced", "grad_expanded", "B"),
        "Go back through B: how the loss changes with the r numbers",
        r"\frac{\partial L}{\partial a} = B^\top \frac{\partial L}{\partial (B a)}",
    ),
    "grad_A": _Line(
        f"{_BACK}:low_rank_gradients#A",
        ("grad_A", "grad_reduced", "x"),
        "Gradient of A: the gradient of each token's r numbers times its input x",
        r"\frac{\partial L}{\partial A} = "
        r"\sum_t \frac{\partial L}{\partial a_t} \, x_t^\top",
    ),
}


def _step(name: str, known: Mapping[str, Any]) -> Step:
    """Returns the step of a line of `_LINES` with its output and inputs; functions run later."""
    line = _LINES[name]
    values = {key: value_of(known[key]) for key in line.names}
    return Step(f"adapter.{name}", line.title, line.formula, line.code, values)
