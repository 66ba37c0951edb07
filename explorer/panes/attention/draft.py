"""The user's settings: heads that are off, which undo restores, and the look, which the session
saves. No Qt.
"""

from __future__ import annotations

from collections.abc import Mapping
from contextlib import suppress
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any, TypeVar

from core.fields import check, field, fields_of, from_json
from explorer.panes.attention.compute import Head
from explorer.panes.attention.scene import PREDICT
from explorer.panes.attention.text import LAYOUTS, OTHERS, SCORES, VIEWS

if TYPE_CHECKING:
    from core.transformer import ModelConfig

LARGEST = 1_000_000_000  # highest index of a layer, head or token
MOST_OFF = 10_000


@dataclass(frozen=True)
class HeadsOff:
    """The heads of one model that are off; all heads of other models stay on.

    model  address of the model
    heads  (layer, head) pairs, sorted
    """

    model: str = ""
    heads: tuple[Head, ...] = field((), least=0, most=LARGEST, longest=MOST_OFF)

    def __post_init__(self) -> None:
        check(self)

    def of(self, model: str, config: ModelConfig | None) -> tuple[Head, ...]:
        """Returns the heads that are off and exist in this model."""
        if model != self.model or config is None:
            return ()
        n_layer, n_head = config.n_layer, config.n_head
        return tuple(one for one in self.heads if one[0] < n_layer and one[1] < n_head)


@dataclass(frozen=True)
class ViewSettings:
    """The settings of the view, one field per control.

    score      score that the small bars show
    sorted     True to sort the heads of each layer from high to low
    least      heads with a lower score are dimmed; 0 dims none
    hide_first True to hide the first token and rescale each row to sum to 1
    mode       map, arcs, steps, or a comparison
    other      second reading of a comparison: another text, or the model before fine-tuning
    second     the other text; "" for a suggested one
    compared   the difference, or both maps side by side
    """

    score: str = field("induction", choices=SCORES)
    sorted: bool = False
    least: float = field(0.0, least=0, most=1)
    hide_first: bool = False
    mode: str = field("map", choices=VIEWS)
    other: str = field("text", choices=OTHERS)
    second: str = ""
    compared: str = field("difference", choices=LAYOUTS)


@dataclass(frozen=True)
class Held:
    """Choices that stay when the text or the model changes.

    pinned  True if the query stays where it was picked; otherwise it follows the end of the text
    locked  head that was locked with a click; the open model may not have it
    """

    pinned: bool = False
    locked: Head | None = field(None, least=0, most=LARGEST)


@dataclass(frozen=True)
class OpenSteps:
    """The layer, head and query of the open steps, and the position in them: 0 is the first step,
    settled; 2.5 is halfway from the third to the fourth.
    """

    layer: int = field(least=0, most=LARGEST)
    head: int = field(least=0, most=LARGEST)
    query: int = field(least=0, most=LARGEST)
    step: float = field(0.0, least=0, most=PREDICT)

    def __post_init__(self) -> None:
        check(self)

    @property
    def place(self) -> tuple[int, int, int]:
        return self.layer, self.head, self.query


Saved = TypeVar("Saved", ViewSettings, Held)


def restored(value: Saved, saved: Mapping[str, Any]) -> Saved:
    """Returns `value` with every valid field of `saved`."""
    for name, about in fields_of(type(value)).items():
        if name in saved:
            with suppress(ValueError):
                value = replace(value, **{name: about.read(saved[name])})
    return value


def steps_from(saved: Any) -> OpenSteps | None:
    """Reads what `to_json` has written; returns None for anything else."""
    with suppress(ValueError):
        return from_json(OpenSteps, saved)
    return None
