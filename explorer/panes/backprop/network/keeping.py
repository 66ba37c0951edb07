"""What a session keeps of the playground beside its draft, and how it comes back: what was learned,
what was looked at.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from explorer.panes.backprop.network.draft import NetworkDraft
from explorer.panes.backprop.network.past import kept
from explorer.panes.backprop.network.spots import Neuron, Spot, Weight, is_there

if TYPE_CHECKING:
    from explorer.panes.backprop.network.mode import NetworkMode

SEEN = ("chosen", "followed", "step", "inside")
MOST_LEFT = 8  # networks that were left for others


class Keeping:
    """Until the engine has made the network, `learned` and `seen` wait here."""

    def __init__(self, mode: NetworkMode) -> None:
        self._mode = mode
        self.learned: dict[str, Any] | None = None
        self.seen: dict[str, Any] = {}
        self._step: int | None = None  # where the cursor stood, until that moment is there
        self._inside: list[float] = []  # and on each level inside of it
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
        step = seen.get("step")
        self._step = step if type(step) is int else None
        inside = seen.get("inside")
        numbers = isinstance(inside, list) and all(type(one) in (int, float) for one in inside)
        self._inside = inside if numbers else []

    def stand(self) -> None:
        """The cursor where it stood, once the moments before the last are there."""
        mode, step, lab = self._mode, self._step, self._mode.runner.lab
        if step is None or lab is None or lab.past:
            return
        self._step = None
        places = [at for at, one in enumerate(lab.moments) if one.step == step]
        if places and mode.active and mode.player.at_live_edge and not mode.runner.learning:
            mode.player.seek(places[0])
            for at in self._inside:
                if mode.player.enter():
                    mode.player.seek(at)

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
        past = {
            "curves": lab.curves.state(),
            "past": lab.past or kept(lab.moments, self._looked_at()),
        }
        past["rise"], past["since"] = lab.rise.state(), lab.state_since()
        return {**moment.learned.state(), **before, **past}

    def _seen(self) -> dict[str, Any]:
        mode, sample = self._mode, self._mode.following.sample
        at = mode.player.position if mode.active else 0.0
        return {
            "chosen": _kept(mode.view.network.chosen),
            "followed": None if sample is None else [sample.number, at],
            "step": self._looked_at(),
            "inside": self._inside if self._step is not None else self._path(),
        }

    def _path(self) -> list[float]:
        """Where the cursor stands on each level inside of an optimizer step."""
        mode = self._mode
        inside = mode.active and mode.following.sample is None
        return mode.player.path[1:] if inside else []

    def _looked_at(self) -> int | None:
        """The step of the moment that is looked back at; None for the latest, which grows."""
        mode, shown = self._mode, self._mode.shown_moment
        if self._step is not None:
            return self._step
        live = not mode.active or mode.player.at_live_edge
        if live or shown is None or mode.following.sample is not None:
            return None
        return shown.step


def _kept(spot: Spot) -> list[int] | None:
    if isinstance(spot, Neuron):
        return [spot.column, spot.number]
    return [spot.layer, spot.before, spot.after] if isinstance(spot, Weight) else None


def _spot(saved: Any) -> Spot:
    if not isinstance(saved, list) or not all(type(one) is int and one >= 0 for one in saved):
        return None
    return {2: Neuron, 3: Weight}[len(saved)](*saved) if len(saved) in (2, 3) else None
