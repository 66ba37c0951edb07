"""What a person has set up: the heads that are off, which undo restores; and how heads are shown,
which the session keeps. No Qt.
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

LARGEST = 1_000_000_000  # layer, head or token
MOST_OFF = 10_000


@dataclass(frozen=True)
class HeadsOff:
    """The heads of one model that are off: another model has all of its heads on.

    model  its address
    heads  layer and head of each, in order
    """

    model: str = ""
    heads: tuple[Head, ...] = field((), least=0, most=LARGEST, longest=MOST_OFF)

    def __post_init__(self) -> None:
        check(self)

    def of(self, model: str, config: ModelConfig | None) -> tuple[Head, ...]:
        """Those of a model that it has."""
        if model != self.model or config is None:
            return ()
        n_layer, n_head = config.n_layer, config.n_head
        return tuple(one for one in self.heads if one[0] < n_layer and one[1] < n_head)


@dataclass(frozen=True)
class ViewSettings:
    """One field a control.

    score      which score the small bars show
    sorted     heads of each layer from high to low
    least      heads that score less are dimmed; 0 dims none
    hide_first the first token is hidden and each row rescaled to sum to 1
    mode       map, arcs, steps, or a comparison
    other      what the heads are compared with: another text, or the model before fine-tuning
    second     the other text; "": one is suggested
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
    """What stays chosen whatever comes.

    pinned  the query stays where it was picked; else it follows the end of what is typed
    locked  the head that a click has locked; the open model may not have it
    """

    pinned: bool = False
    locked: Head | None = field(None, least=0, most=LARGEST)


@dataclass(frozen=True)
class OpenSteps:
    """The steps of which query in which head are open, and where the cursor is in them: 0 is the
    first step settled, 2.5 halfway from the third to the fourth.
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
    """With every saved field that fits."""
    for name, about in fields_of(type(value)).items():
        if name in saved:
            with suppress(ValueError):
                value = replace(value, **{name: about.read(saved[name])})
    return value


def steps_from(saved: Any) -> OpenSteps | None:
    """What `to_json` gave; None for anything else."""
    with suppress(ValueError):
        return from_json(OpenSteps, saved)
    return None
