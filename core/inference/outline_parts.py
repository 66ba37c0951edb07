"""An outline of a model's computation: nested parts, each with its line and the shapes of its
values. It needs no model, and loads no torch.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any

from core.marked_line import marked_line
from core.trace import Step, Trace, Value
from core.transformer.config import ModelConfig

# The field of `core.transformer.parameters.ParameterCount` that includes a step's weights.
_COMPONENTS = {
    "embed": "token_embedding", "attention": "attention", "cross": "attention", "mlp": "mlp",
    "norm": "norms", "ln_1": "norms", "ln_2": "norms", "ln_cross": "norms",
    "unembed": "output_head",
}  # fmt: skip
# The columns of a step's result, if they are not the dimensions of the residual stream.
_COLUMNS = {
    "project": "query dimension", "queries": "query dimension", "rotate": "query pair",
    "keys_and_values": "key dimension", "output": "value dimension",
    **dict.fromkeys(("scores", "scale", "mask", "weights"), "key"),
    **dict.fromkeys(("c_fc", "gate", "swiglu", "relu", "gelu", "silu"), "hidden unit"),
    **dict.fromkeys(("gelu.inner", "gelu.hidden"), "hidden unit"),
    **dict.fromkeys(("unembed", "softmax", "next"), "vocabulary"),
    **dict.fromkeys(("norm.mean", "norm.square", "norm.variance"), "number"),
}  # fmt: skip
# The columns of a matrix's products, by the step that it is inside of, if they differ from those.
_PRODUCTS = {
    "project": "row of W", "queries": "row of W", "keys_and_values": "row of W",
    "unembed": "likeliest token",
}  # fmt: skip
_STREAM = "stream dimension"
_EVERYWHERE = (_STREAM, "number", "key", "vocabulary", "likeliest token")
Shapes = Mapping[str, tuple[int, ...]]


@dataclass(frozen=True, slots=True)
class Part:
    """One step.

    name     "forward.scores"
    shapes   of the local names at its line, without the batch axis
    parent   index of the part that contains it
    layer    its block, from 0; None outside of the blocks
    stack    "encoder" or "decoder"
    """

    name: str
    title: str
    formula: str
    code: str
    shapes: Shapes
    parent: int | None = None
    layer: int | None = None
    stack: str = "decoder"

    @property
    def kind(self) -> str:
        """The last part of its name: "scores"."""
        return self.name.partition(".")[2]

    @property
    def label(self) -> str:
        """Its kind, with the number of a block; outermost parts of an encoder include its name:
        "block 3", "encoder block 0", "attention".
        """
        name = f"block {self.layer}" if self.kind == "block" else self.kind
        return f"encoder {name}" if self.stack == "encoder" and self.parent is None else name

    @property
    def made(self) -> str:
        """The name of the value that its line computes; of several, the first."""
        line = marked_line(self.code)
        return line.made or next(name for name in self.shapes if name not in line.reads)

    @property
    def component(self) -> str:
        """The field of a ParameterCount that includes its weights; "" if it has none."""
        return _COMPONENTS.get(self.kind, "")


def path_to(parts: Sequence[Part], index: int | None) -> list[int]:
    """Returns the indices of a part and of all that contain it, outermost first; [] for None."""
    path: list[int] = []
    while index is not None:
        path.insert(0, index)
        index = parts[index].parent
    return path


def find(parts: Sequence[Part], names: Sequence[str]) -> list[int]:
    """Returns the longest path of nested parts with these labels, such as ["block 3", "mlp"]; the
    first word of a label matches its first occurrence.
    """
    path: list[int] = []
    for name in names:
        parent = path[-1] if path else None
        for at, part in enumerate(parts):
            if part.parent == parent and name in (part.label, part.label.split()[0]):
                path.append(at)
                break
        else:
            break
    return path


def axes_of(parts: Sequence[Part], index: int) -> tuple[str, str]:
    """Returns what the rows and the columns of a step's result are, such as ("decoder token",
    "key"). The same index means the same thing in two steps only if these names are equal: hidden
    unit 41 of layer 0 is not that of layer 1.
    """
    part = parts[index]
    kind, outer = part.kind, "" if part.parent is None else parts[part.parent].kind
    if kind in ("product", "bias"):
        columns = _PRODUCTS.get(outer, _COLUMNS.get(outer, _STREAM))
    else:
        columns = _COLUMNS.get(kind, _STREAM)
    rows = f"{part.stack} token"
    if "keys_and_values" in (kind, outer):
        rows = "encoder token"
    elif kind in ("softmax", "next") or outer == "unembed":
        rows = "prediction"
    return rows, columns if columns in _EVERYWHERE else f"{columns} of layer {part.layer}"


class Outline:
    """A list of parts, in order; parts added `inside` another belong to it. `source`: the number of
    source tokens, for a decoder that reads a source.
    """

    def __init__(
        self, config: ModelConfig, tokens: int, stack: str = "decoder", source: int | None = None
    ) -> None:
        self.config, self.tokens = config, tokens
        self.stack, self.source = stack, source
        self.parts: list[Part] = []
        self.layer: int | None = None
        self._inside: list[int] = []

    def add(self, name: str, title: str, formula: str, code: str, shapes: Shapes) -> None:
        parent = self._inside[-1] if self._inside else None
        where = parent, self.layer, self.stack
        self.parts.append(Part(f"forward.{name}", title, formula, code, shapes, *where))

    @contextmanager
    def inside(self) -> Iterator[None]:
        """Adds all parts inside the block as steps of the previous part."""
        self._inside.append(len(self.parts) - 1)
        yield
        self._inside.pop()


def trace_of(
    parts: Sequence[Part],
    about: Mapping[str, Any] | None = None,
    values: Callable[[int], Mapping[str, Value]] = lambda index: {},
) -> Trace:
    """Returns the parts as Steps of a Trace, whose `about` has them as `parts`; `values`: returns
    the values of a part, by its index.
    """
    trace = Trace({"parts": tuple(parts), **(about or {})})
    for index, part in enumerate(parts):
        told = part.name, part.title, part.formula, part.code
        trace.append(Step(*told, values(index), part.parent))
    return trace.finish()
