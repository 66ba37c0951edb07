"""What a session keeps of the playground beside its draft, and how it comes back: what was learned,
what was looked at.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from explorer.panes.backprop.network.draft import NetworkDraft
from explorer.panes.backprop.network.spots import Neuron, Spot, Weight, is_there

if TYPE_CHECKING:
    from explorer.panes.backprop.network.mode import NetworkMode

SEEN = ("chosen", "followed")
MOST_LEFT = 8  # networks that were left for others


class Keeping:
    """Until the engine has made the network, `learned` and `seen` wait here."""

    def __init__(self, mode: NetworkMode) -> None:
        self._mode = mode
        self.learned: dict[str, Any] | None = None
        self.seen: dict[str, Any] = {}
        self._left: dict[tuple[NetworkDraft, NetworkDraft], dict[str, Any] | None] = {}

    def leave_for(self, other: NetworkDraft) -> None:
        """Another network begins: what was learned comes back where that is undone."""
        self._leave(self._mode.draft.value, other)

    def comes_back(
        self, one: NetworkDraft, other: NetworkDraft
    ) -> tuple[bool, dict[str, Any] | None]:
        """Whether `one` was left for `other`, and what was learned of it; then it is the other way
        round, for a redo.
        """
        if (one, other) not in self._left:
            return False, None
        learned = self._left.pop((one, other))
        self._leave(other, one)
        return True, learned

    def _leave(self, now: NetworkDraft, other: NetworkDraft) -> None:
        if now == other:
            return
        self._left.pop((now, other), None)
        self._left[now, other] = self._learned(now)
        for key in list(self._left)[:-MOST_LEFT]:
            del self._left[key]

    def state(self) -> dict[str, Any]:
        mode = self._mode
        return {
            "version": 1,
            "learned": self._learned(mode.draft.value),
            "panel": mode.view.panel.side,
            "more": mode.view.controls.more.isChecked(),
            **(self.seen or self._seen()),
        }

    def restore(self, state: dict[str, Any]) -> None:
        """A setup without what was learned begins at step 0; so does what does not fit."""
        mode = self._mode
        if "learned" in state:
            mode.following.leave()
            learned = state["learned"]
            self.learned = learned if isinstance(learned, dict) else None
            self.seen = {name: state.get(name) for name in SEEN}
            if mode.runner.asked is not None:
                self.begin()
        if state.get("panel") in ("layers", "updates"):
            mode.view.panel.set_side(state["panel"])
        if isinstance(state.get("more"), bool):
            mode.view.controls.more.setChecked(state["more"])

    def begin(self) -> None:
        """A network with what was learned, or a new one."""
        self._mode.runner.begin(self._mode.draft.value, self.learned)

    def show(self) -> None:
        """What was looked at, once the network is there."""
        self.learned = None
        mode, seen, self.seen = self._mode, self.seen, {}
        moment = mode.shown_moment
        spot = _spot(seen.get("chosen"))
        if moment is not None and is_there(spot, moment.sizes):
            mode.view.network.set_choice(spot)
        followed = seen.get("followed")
        if isinstance(followed, list) and len(followed) == 2 and type(followed[0]) is int:
            at = followed[1]
            mode.following.follow(followed[0], at if type(at) in (int, float) and at > 0 else 0.0)

    def _learned(self, one: NetworkDraft) -> dict[str, Any] | None:
        lab = self._mode.runner.lab
        beginning = self._mode.runner.beginning
        if beginning is not None and beginning[0] == one:
            return beginning[1]
        if self.learned is not None or lab is None:
            return self.learned
        moment = lab.moments[-1]
        if moment.draft != one:
            return None
        before = {} if moment.update is None else {"before": moment.update.start.state()}
        course = {
            "curves": lab.curves.state(),
            "rise": lab.rise.state(),
            "since": lab.state_since(),
        }
        return {**moment.learned.state(), **before, **course}

    def _seen(self) -> dict[str, Any]:
        mode, sample = self._mode, self._mode.following.sample
        at = mode.player.position if mode.active else 0.0
        return {
            "chosen": _kept(mode.view.network.chosen),
            "followed": None if sample is None else [sample.number, at],
        }


def _kept(spot: Spot) -> list[int] | None:
    if isinstance(spot, Neuron):
        return [spot.column, spot.number]
    return [spot.layer, spot.before, spot.after] if isinstance(spot, Weight) else None


def _spot(saved: Any) -> Spot:
    if not isinstance(saved, list) or not all(type(one) is int and one >= 0 for one in saved):
        return None
    return {2: Neuron, 3: Weight}[len(saved)](*saved) if len(saved) in (2, 3) else None
