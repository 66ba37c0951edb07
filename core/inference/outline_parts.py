"""An outline of what a model does: parts inside parts, each with its line and the shapes of its
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

# Which of `core.transformer.parameters.ParameterCount` a step's weights are counted in.
_COMPONENTS = {
    "embed": "token_embedding", "attention": "attention", "cross": "attention", "mlp": "mlp",
    "norm": "norms", "ln_1": "norms", "ln_2": "norms", "ln_cross": "norms",
    "unembed": "output_head",
}  # fmt: skip
Shapes = Mapping[str, tuple[int, ...]]


@dataclass(frozen=True, slots=True)
class Part:
    """One step.

    name     "forward.scores"
    shapes   of the local names at its line, without the axis of the batch
    parent   index of the part that it belongs to
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
        """What its name says of it: "scores"."""
        return self.name.partition(".")[2]

    @property
    def label(self) -> str:
        """Its kind, of a block with its number; outermost ones of an encoder say so: "block 3",
        "encoder block 0", "attention".
        """
        name = f"block {self.layer}" if self.kind == "block" else self.kind
        return f"encoder {name}" if self.stack == "encoder" and self.parent is None else name

    @property
    def made(self) -> str:
        """The value that its line makes; of several the first."""
        line = marked_line(self.code)
        return line.made or next(name for name in self.shapes if name not in line.reads)

    @property
    def component(self) -> str:
        """What its weights are counted in, as in a ParameterCount; "" where it has none."""
        return _COMPONENTS.get(self.kind, "")


def path_to(parts: Sequence[Part], index: int | None) -> list[int]:
    """The parts that a part is inside of, the outermost first, and itself; none of None."""
    path: list[int] = []
    while index is not None:
        path.insert(0, index)
        index = parts[index].parent
    return path


def find(parts: Sequence[Part], names: Sequence[str]) -> list[int]:
    """Parts inside one another by their labels, ["block 3", "mlp"], as far as they are there; a
    name that is the first word of several is the first of these.
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


class Outline:
    """Parts, in order; what is added `inside` a part belongs to it. `source`: of a decoder that
    reads one, its tokens.
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
        """What is added meanwhile are the steps of the part that came last."""
        self._inside.append(len(self.parts) - 1)
        yield
        self._inside.pop()


def trace_of(
    parts: Sequence[Part],
    about: Mapping[str, Any] | None = None,
    values: Callable[[int], Mapping[str, Value]] = lambda index: {},
) -> Trace:
    """The parts as the Steps of a Trace, whose `about` has them as `parts`; `values`: of a part, by
    its index, its numbers.
    """
    trace = Trace({"parts": tuple(parts), **(about or {})})
    for index, part in enumerate(parts):
        told = part.name, part.title, part.formula, part.code
        trace.append(Step(*told, values(index), part.parent))
    return trace.finish()
