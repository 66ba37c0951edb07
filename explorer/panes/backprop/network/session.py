"""The state of a network that a session and undo restore, as JSON values. No Qt here."""

from __future__ import annotations

from typing import Any

from explorer.panes.backprop.network.draft import NetworkDraft
from explorer.panes.backprop.network.elements import Element, Neuron, Weight

LOOKED_AT = ("chosen", "followed")  # selected element and followed point
MOST_REPLACED = 8  # trained networks that undo can restore

Saved = dict[str, Any]  # a `Training.state`


class ReplacedNetworks(dict[tuple[NetworkDraft, NetworkDraft], Saved | None]):
    """Trained networks that a reset or a preset has replaced, by the setups before and after; undo
    restores them.
    """

    def keep(self, old: NetworkDraft, new: NetworkDraft, saved: Saved | None) -> None:
        """Stores the training of `old` until `new` is undone."""
        if old != new:
            self.pop((old, new), None)
            self[old, new] = saved
            for key in list(self)[:-MOST_REPLACED]:
                del self[key]


def element_to_json(element: Element) -> list[int] | None:
    if isinstance(element, Neuron):
        return [element.column, element.number]
    return [element.layer, element.before, element.after] if isinstance(element, Weight) else None


def element_from_json(saved: Any) -> Element:
    """Reads the JSON of `element_to_json`; returns None for anything else."""
    if not isinstance(saved, list) or not all(type(one) is int and one >= 0 for one in saved):
        return None
    return {2: Neuron, 3: Weight}[len(saved)](*saved) if len(saved) in (2, 3) else None


def followed_from_json(saved: Any) -> tuple[int, float] | None:
    """Reads a point's number and the position on its path; returns None if they are invalid."""
    if not isinstance(saved, list) or len(saved) != 2 or type(saved[0]) is not int:
        return None
    at = saved[1]
    return saved[0], float(at) if type(at) in (int, float) and at > 0 else 0.0
