"""Runs a forward pass and reads the inside of a step, on the engine's thread. No Qt."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field, replace
from functools import cached_property
from math import prod
from typing import Any

import numpy as np

from core.inference.forward_outline import outline_of
from core.inference.outline_parts import Part, path_to, trace_of
from core.trace import Trace
from core.training.estimates.components import Component, components
from core.transformer.config import EncoderDecoderConfig, ModelConfig
from core.transformer.presets import preset
from explorer.widgets.diagrams.scenes import STRIPE
from explorer.widgets.pooling import Matrix, pool_signed, stripes_of

PATTERN = 32  # cells on a side of a head's pattern
LOGITS = 4_000_000  # the most that are computed to name the largest of them


@dataclass(frozen=True, eq=False)
class Found:
    """A forward pass; for a preset, only its steps.

    length   number of tokens read
    tokens   their texts
    likely   (text, probability) of the likeliest next tokens, likeliest first
    stripes  (STRIPE, 2 L + 1) the chosen token's vector at each place of the stream, each scaled
             to a root mean square of 1; None without weights
    shown    the preset's name
    levels   the known numbers, by the index of the step that contains them
    """

    config: ModelConfig | EncoderDecoderConfig
    length: int
    trace: Trace
    tokens: tuple[str, ...] = ()
    likely: tuple[tuple[str, float], ...] = ()
    stripes: np.ndarray | None = None
    shown: str = ""
    levels: dict[int | None, Level] = field(default_factory=dict)

    @cached_property
    def costs(self) -> tuple[Component, ...]:
        return components(self.config, self.length)

    @property
    def about(self) -> Any:
        return self.trace.about

    @property
    def parts(self) -> tuple[Part, ...]:
        """The parts of the trace's steps."""
        return self.about["parts"]

    @cached_property
    def ids(self) -> tuple[int, ...]:
        """The ids of the tokens; empty without weights."""
        return tuple(self.about["ids"].tolist()) if "ids" in self.about else ()

    @property
    def row(self) -> int:
        """The row of the chosen token."""
        return int(self.about.get("position", 0))

    def inside(self, index: int | None) -> tuple[int | None, ...]:
        """Returns None, for the whole model, and the steps from the outermost to this one."""
        return (None, *path_to(self.parts, index))

    def level_of(self, index: int) -> Level | None:
        """Returns the numbers of a step and its siblings, or None if they are not known yet."""
        level = self.levels.get(self.parts[index].parent)
        return level if level is not None and index in level.matrices else None

    def keep(self, level: Level) -> None:
        """Stores the numbers of a level and drops others, except those of the levels around it."""
        for at in set(self.levels).difference(self.inside(level.parent)):
            del self.levels[at]
        self.levels[level.parent] = level

    @property
    def n_head(self) -> int:
        return self.config_of(self.parts[0]).n_head

    def config_of(self, part: Part) -> ModelConfig:
        """Returns the configuration of the stack to which a part belongs."""
        config = self.config
        return config if isinstance(config, ModelConfig) else getattr(config, part.stack)


def read(model: Any, ids: Sequence[int], words: Callable[[int], str]) -> Found:
    """Runs the forward pass of a text; `words` returns the text of a token."""
    from core.inference.forward_trace import trace_forward

    trace = trace_forward(model, ids)
    chances, likeliest = (trace.about[name] for name in ("probabilities", "likeliest"))
    return Found(
        model.config, len(ids), trace,
        tokens=tuple(map(words, ids)),
        likely=tuple((words(token), float(chances[token])) for token in likeliest.tolist()),
        stripes=stripes_of(trace.about["stream"], STRIPE),
    )  # fmt: skip


def outlined(name: str) -> Found:
    """Returns the steps of a preset, for a full context."""
    config = preset(name)
    length = getattr(config, "decoder", config).block_size
    return Found(config, length, trace_of(outline_of(config)), shown=name)


@dataclass(frozen=True, eq=False)
class Level:
    """The numbers of the steps inside a step, of one head if the steps have several.

    matrices  by index and name
    patterns  (H, P, P) of a block: the attention weights of each head
    hidden    (F,) of a block: the MLP's hidden values for the chosen token
    """

    parent: int | None
    head: int
    matrices: dict[int, dict[str, Matrix]]
    patterns: np.ndarray | None = None
    hidden: np.ndarray | None = None


def looked(found: Found, at: int, head: int) -> Level:
    """Reads the numbers of a step and its siblings; of an outermost step only the stored ones, and
    the logits unless they are too many.
    """
    trace, parent, matrices = found.trace, found.parts[at].parent, {}
    for index in (at,) if parent is None else trace.children(parent):
        step, shapes = trace[index], found.parts[index].shapes
        is_cheap = parent is not None or prod(shapes.get("logits", ())) <= LOGITS
        names = [name for name, one in step.values.items() if is_cheap or not callable(one)]
        matrices[index] = {name: _matrix(step.value(name), head, found.config) for name in names}
    made = Level(parent, head, matrices)
    if parent is None or found.parts[parent].kind != "block":
        return made
    inner = {found.parts[one].kind: one for index in matrices for one in trace.children(index)}
    weights = trace[inner["weights"]].value("weights")[0]
    hidden = trace[inner["c_proj"]].value("hidden")[0, found.row]
    patterns = np.stack([pool_signed(one, PATTERN, PATTERN) for one in weights])
    return replace(made, patterns=patterns, hidden=hidden)


def _matrix(value: np.ndarray, head: int, config: Any) -> Matrix:
    """Removes the axes of batch and heads; several heads may share keys and values."""
    array = value[0] if value.ndim > 3 else value
    if array.ndim == 3:
        array = array[head * len(array) // config.n_head]
    return Matrix.of(array)
