"""How the pane shows what is chosen, and which steps are open: kept in the session."""

from __future__ import annotations

from contextlib import suppress
from dataclasses import dataclass, replace
from typing import Any

from core.fields import check, field, fields_of, from_json, lenient, to_json
from explorer.panes.attention.model import SCORES
from explorer.panes.attention.story import PREDICT
from explorer.state.workspace import LARGEST_CHOICE, Selection

MODES = ("map", "arcs", "steps", "compare")
COMPARED = ("difference", "sides")


@dataclass(frozen=True)
class Choices:
    """One field a control.

    score      which of SCORES the small bars show
    sorted     heads of each layer from high to low
    least      heads that score less are dimmed; 0 dims none
    hide_first the first token is hidden and each row scaled to 1
    mode       map, arcs, steps, or two texts compared
    second     the text that is compared; "": one is suggested
    compared   their difference, or both maps side by side
    pinned     the query stays where it was picked; else it follows the end of what is typed
    """

    score: str = field("induction", choices=SCORES)
    sorted: bool = False
    least: float = field(0.0, least=0, most=1)
    hide_first: bool = False
    mode: str = field("map", choices=MODES)
    second: str = ""
    compared: str = field("difference", choices=COMPARED)
    pinned: bool = False

    def state(self) -> dict[str, Any]:
        return to_json(self)

    def restored(self, saved: dict[str, Any]) -> Choices:
        """With every saved field that fits; the steps are opened apart (`OpenSteps`)."""
        restored = self
        for name, about in fields_of(Choices).items():
            with suppress(ValueError):
                restored = replace(restored, **{name: about.read(saved.get(name))})
        return replace(restored, mode="map") if restored.mode == "steps" else restored


@dataclass(frozen=True)
class OpenSteps:
    """The steps of which query in which head are open, and where the cursor is in them: 0 is the
    first step settled, 2.5 halfway from the third to the fourth.
    """

    layer: int = field(least=0, most=LARGEST_CHOICE)
    head: int = field(least=0, most=LARGEST_CHOICE)
    query: int = field(least=0, most=LARGEST_CHOICE)
    step: float = field(0.0, least=0, most=PREDICT)

    def __post_init__(self) -> None:
        check(self)

    @property
    def place(self) -> tuple[int, int, int]:
        return self.layer, self.head, self.query


def head_from(saved: Any) -> tuple[int, int] | None:
    """[layer, head] as a session has it; None for anything else."""
    if not isinstance(saved, list) or len(saved) != 2:
        return None
    head = lenient(Selection, {"layer": saved[0], "head": saved[1]})
    return None if head.layer is None or head.head is None else (head.layer, head.head)


def steps_from(saved: Any) -> OpenSteps | None:
    """What `to_json` gave; None for anything else."""
    with suppress(ValueError):
        return from_json(OpenSteps, saved)
    return None
