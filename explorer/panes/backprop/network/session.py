"""What a session and undo bring back of a network, as JSON values. No Qt here."""

from __future__ import annotations

from typing import Any

from explorer.panes.backprop.network.draft import NetworkDraft
from explorer.panes.backprop.network.elements import Element, Neuron, Weight

LOOKED_AT = ("chosen", "followed")  # what a person was looking at
MOST_REPLACED = 8  # networks that undo can bring back as they were trained

Saved = dict[str, Any]  # a `Training.state`


class ReplacedNetworks:
    """Trained networks that a reset or a preset has replaced: undo brings them back."""

    def __init__(self) -> None:
        self._saved: dict[tuple[NetworkDraft, NetworkDraft], Saved | None] = {}

    def replace(self, old: NetworkDraft, new: NetworkDraft, saved: Saved | None) -> None:
        """Remembers the training of `old` until `new` is undone."""
        if old == new:
            return
        self._saved.pop((old, new), None)
        self._saved[old, new] = saved
        for key in list(self._saved)[:-MOST_REPLACED]:
            del self._saved[key]

    def has(self, one: NetworkDraft, replacement: NetworkDraft) -> bool:
        """Whether `one` was replaced by that: then this is an undo."""
        return (one, replacement) in self._saved

    def take(self, one: NetworkDraft, replacement: NetworkDraft) -> Saved | None:
        """The training of `one`, which is no longer replaced."""
        return self._saved.pop((one, replacement), None)


def element_to_json(element: Element) -> list[int] | None:
    if isinstance(element, Neuron):
        return [element.column, element.number]
    return [element.layer, element.before, element.after] if isinstance(element, Weight) else None


def element_from_json(saved: Any) -> Element:
    """None for anything else than `element_to_json` gives."""
    if not isinstance(saved, list) or not all(type(one) is int and one >= 0 for one in saved):
        return None
    return {2: Neuron, 3: Weight}[len(saved)](*saved) if len(saved) in (2, 3) else None


def followed_from_json(saved: Any) -> tuple[int, float] | None:
    """A point's number and the position on its path; None where it does not fit."""
    if not isinstance(saved, list) or len(saved) != 2 or type(saved[0]) is not int:
        return None
    at = saved[1]
    return saved[0], float(at) if type(at) in (int, float) and at > 0 else 0.0
