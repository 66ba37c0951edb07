"""What Map asks of core on the engine's thread: a forward pass, and the inside of a step. No Qt."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING, Any

import numpy as np

from explorer.widgets.pooling import Matrix, pool_signed, stripes_of

if TYPE_CHECKING:
    from core.inference.forward_outline import Part
    from core.substitution import Arithmetic
    from core.trace import Step, Trace
    from core.training.estimates.components import Component
    from core.transformer.config import ModelConfig

STRIPE, PATTERN = 28, 32  # cells: of a vector drawn as a stripe; of a head's pattern


@dataclass(frozen=True, eq=False)
class Found:
    """A forward pass; of a preset, which has no weights, its steps alone.

    children  the steps of a step, by its index; None: the outermost
    stripes   (STRIPE, 2 L + 1) the chosen token's vector at each place of the stream, each scaled
              to its own size; None without weights
    """

    config: ModelConfig
    tokens: int
    parts: tuple[Part, ...]
    trace: Trace
    costs: tuple[Component, ...]
    children: dict[int | None, tuple[int, ...]]
    stripes: np.ndarray | None = None

    @property
    def about(self) -> Any:
        return self.trace.about


def read(model: Any, ids: Sequence[int], position: int) -> Found:
    """The forward pass of a text."""
    from core.inference.forward_trace import trace_forward

    trace = trace_forward(model, ids, position)
    stripes = stripes_of(trace.about["stream"], STRIPE)
    return _found(model.config, len(ids), trace.about["parts"], trace, stripes)


def outlined(config: ModelConfig) -> Found:
    """The steps of a model without weights, for as many tokens as it reads."""
    from core.inference.forward_outline import outline
    from core.trace import Step, Trace

    trace, parts = Trace(), outline(config, config.block_size)
    for part in parts:
        trace.append(Step(part.name, part.title, part.formula, part.code, {}, part.parent))
    return _found(config, config.block_size, parts, trace.finish())


def _found(
    config: ModelConfig, tokens: int, parts: tuple[Part, ...], trace: Trace,
    stripes: np.ndarray | None = None,
) -> Found:  # fmt: skip
    from core.training.estimates.components import components

    children: dict[int | None, list[int]] = {}
    for index, part in enumerate(parts):
        children.setdefault(part.parent, []).append(index)
    known = {parent: tuple(some) for parent, some in children.items()}
    return Found(config, tokens, parts, trace, components(config, tokens), known, stripes)


@dataclass(frozen=True, eq=False)
class Level:
    """The numbers of the steps inside a step, of one head where they have several.

    steps     by index, each with its values worked out
    matrices  by index and name
    patterns  (H, P, P) of a block: the attention weights of each head
    hidden    (F,) of a block: what is inside the MLP, for the chosen token
    """

    parent: int | None
    head: int
    steps: dict[int, Step] = field(default_factory=dict)
    matrices: dict[int, dict[str, Matrix]] = field(default_factory=dict)
    patterns: np.ndarray | None = None
    hidden: np.ndarray | None = None


def level(found: Found, parent: int | None, head: int) -> Level:
    """Works out what is inside a step."""
    steps, matrices = {}, {}
    for index in found.children[parent] if parent is not None else ():
        step = found.trace[index]
        values = {name: step.value(name) for name in step.values}
        steps[index] = replace(step, values=values)
        matrices[index] = {name: _matrix(values[name], head, found.config) for name in values}
    made = Level(parent, head, steps, matrices)
    if parent is None or found.parts[parent].name != "forward.block":
        return made
    inner = {found.parts[at].name: at for one in steps for at in found.children.get(one, ())}
    weights = found.trace[inner["forward.weights"]].value("weights")[0]
    hidden = found.trace[inner["forward.c_proj"]].value("hidden")[0, found.about["position"]]
    patterns = np.stack([pool_signed(one, PATTERN, PATTERN) for one in weights])
    return replace(made, patterns=patterns, hidden=hidden)


def told(
    step: Step, head: int, row: int, column: int | None, config: ModelConfig
) -> Arithmetic | None:
    """The step's line with the numbers of a cell of what it makes (column None: the largest of
    the row); None where it has none.
    """
    from core.marked_line import marked_line
    from core.substitution import arithmetic

    made = marked_line(step.code).made
    if made not in step.values:
        return None
    value = step.value(made)
    place = [0] * value.ndim
    if value.ndim >= 2:
        place[-2] = min(row, value.shape[-2] - 1)
    if value.ndim >= 3 and value.shape[-3] > 1:
        place[-3] = _head_of(head, value.shape[-3], config)
    if value.ndim:
        numbers = np.nan_to_num(value[tuple(place[:-1])], posinf=0.0, neginf=0.0)
        largest = int(np.abs(numbers).argmax())
        place[-1] = largest if column is None else min(column, value.shape[-1] - 1)
    try:
        return arithmetic(step, tuple(place))
    except ValueError:
        return None


def _head_of(head: int, heads: int, config: ModelConfig) -> int:
    """Several heads may share a key and a value."""
    return head * heads // config.n_head


def _matrix(value: np.ndarray, head: int, config: ModelConfig) -> Matrix:
    """Without the axis of the batch, and of one head."""
    array = value[0] if value.ndim > 3 else value
    if array.ndim == 3:
        array = array[_head_of(head, len(array), config) if len(array) > 1 else 0]
    return Matrix.of(array)
