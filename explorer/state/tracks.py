"""What a player moves over: the steps of a Trace, or the recorded moments of a run."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

TRANSITION = 0.600  # seconds at 1x
REST = 0.900


class Track:
    """A sequence of steps. A live track also has a live edge, where the transport steers a run."""

    transition: float = TRANSITION
    rest: float = REST
    is_live: bool = False
    is_job: bool = False  # at its edge the job advances at its own pace
    ended: str = ""  # the state, in words, of a run that is not training: no LIVE badge
    caption: str = ""  # the description of content that is no step of this track

    @property
    def length(self) -> int:
        return 0

    @property
    def complete(self) -> bool:
        """False while a request may add steps (`Player.moreRequested`)."""
        return True

    def title(self, index: int) -> str:
        return f"step {index}"

    @property
    def marks(self) -> dict[int, str]:
        """Steps marked on the scrubber: index to a short text."""
        return {}

    def inside(self, index: int) -> Track | None:
        """Returns the steps of a step, or None if it has none."""
        return None

    def outside(self, inner: Track, index: int) -> int:
        """Returns the current index of the step that contains `inner`, entered at `index`."""
        return index

    def item(self, index: int) -> Any:
        """Returns the content of a step (a `core.trace.Step`, a moment)."""
        return None

    # at the live edge only

    @property
    def live_playing(self) -> bool:
        return False

    def live_play(self) -> None:
        """Resumes training."""

    def live_pause(self) -> None:
        """Pauses training."""

    def live_step(self) -> None:
        """Makes one optimizer step."""


class TraceTrack(Track):
    """One level of a Trace: its outermost steps, or the children of one step."""

    def __init__(self, trace: Any, parent: int | None = None) -> None:
        self.trace = trace
        self.parent = parent
        self._seen = -1
        self._indices: list[int] = []

    @property
    def indices(self) -> list[int]:
        """The steps of this level, as indices into the trace."""
        if len(self.trace) != self._seen:
            self._seen = len(self.trace)
            self._indices = list(self.trace.children(self.parent))
        return self._indices

    @property
    def length(self) -> int:
        return len(self.indices)

    @property
    def complete(self) -> bool:
        return bool(self.trace.complete)

    def title(self, index: int) -> str:
        return self.item(index).title

    def item(self, index: int) -> Any:
        return self.trace[self.indices[index]]

    def inside(self, index: int) -> Track | None:
        inner = TraceTrack(self.trace, self.indices[index])
        return inner if inner.length else None


class ListTrack(Track):
    """A fixed list of steps: recorded moments, pictures of a lesson."""

    def __init__(self, titles: Sequence[str], items: Sequence[Any] = ()) -> None:
        self._titles = list(titles)
        self._items = list(items)

    @property
    def length(self) -> int:
        return len(self._titles)

    def title(self, index: int) -> str:
        return self._titles[index]

    def item(self, index: int) -> Any:
        return self._items[index] if index < len(self._items) else None


class LiveTrack(ListTrack):
    """The recorded moments of a run; its live edge steers the run.

    `playing`, `play`, `pause` and `step` control the run.
    """

    is_live = True
    transition = 0.0
    rest = 0.25

    def __init__(
        self,
        titles: Sequence[str],
        items: Sequence[Any],
        *,
        playing: Callable[[], bool],
        play: Callable[[], None],
        pause: Callable[[], None],
        step: Callable[[], None],
    ) -> None:
        super().__init__(titles, items)
        self._playing, self._play, self._pause, self._one_step = playing, play, pause, step

    @property
    def live_playing(self) -> bool:
        return self._playing()

    def live_play(self) -> None:
        self._play()

    def live_pause(self) -> None:
        self._pause()

    def live_step(self) -> None:
        self._one_step()
