"""Has the engine tell the bars of the chart as steps, and knows which bar a step stands for."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

from PySide6.QtCore import QObject, Signal

from core.tokenization.analysis import Premium, premium_trace_steps
from core.tokenization.analysis.premiums import REFERENCE
from core.trace import Trace
from explorer.engine.engine import Engine
from explorer.engine.latest import Latest
from explorer.panes.tokenizers.languages.model import Line
from explorer.state.tracks import TraceTrack, Track


@dataclass(frozen=True)
class Bar:
    """One bar of the chart: a language's code, and a tokenizer's id."""

    code: str
    tokenizer: str

    @classmethod
    def from_json(cls, values: Any) -> Bar:
        """NO_BAR for anything that is none."""
        known = values if isinstance(values, Mapping) else {}
        code, tokenizer = known.get("code"), known.get("tokenizer")
        both = isinstance(code, str) and isinstance(tokenizer, str)
        return cls(code, tokenizer) if both else NO_BAR


NO_BAR = Bar("", "")


@dataclass(frozen=True)
class Told:
    """A trace with a step for every bar, in the order of the chart; `bars` by their step."""

    trace: Trace
    bars: Mapping[int, Bar]

    def bar_of(self, track: Track | None, step: int) -> Bar:
        """The bar that a step of a track stands for, or that it has led to."""
        if not isinstance(track, TraceTrack) or not 0 <= step < track.length:
            return NO_BAR
        index = track.indices[step] if track.parent is None else track.parent
        return self.bars.get(index, NO_BAR)

    def place_of(self, bar: Bar) -> int | None:
        """Which of the outermost steps a bar is; None where it is not told."""
        return next((place for place, one in enumerate(self.bars.values()) if one == bar), None)


class Telling(QObject):
    """`told` when there is another trace; `now` is the last one, None before the first."""

    told = Signal()

    def __init__(self, engine: Engine, parent: QObject) -> None:
        super().__init__(parent)
        # In front of the measuring: it is short, and what is seen has to have its steps.
        self._latest = Latest(engine, parent, foreground=True)
        self._latest.came.connect(self._on_came)
        self._asked: tuple[Any, ...] = ()
        self._bars: list[Bar] = []
        self.now: Told | None = None

    @property
    def running(self) -> bool:
        return self._latest.running

    def ask(
        self,
        lines: Sequence[Line],
        ids: Sequence[str],
        names: Sequence[str],
        results: Mapping[tuple[str, str], Premium],
    ) -> None:
        """Wants a step for every bar of these lines that is measured; the same ones are kept."""
        bars: list[Bar] = []
        measured: list[Premium] = []
        for line in lines:
            for identity, result in zip(ids, line.results, strict=True):
                if result is not None and (identity, REFERENCE) in results:
                    bars.append(Bar(line.language.code, identity))
                    measured.append(result)
        asked = (bars, list(names), measured)
        if asked == self._asked:
            return
        self._asked, self._bars = asked, bars
        name_of = dict(zip(ids, names, strict=True))
        compared = [
            (replace(one, tokenizer=name_of[bar.tokenizer]), results[bar.tokenizer, REFERENCE])
            for bar, one in zip(bars, measured, strict=True)
        ]
        if bars:
            self._latest.ask(
                lambda: premium_trace_steps(compared), "telling premiums", is_told=False
            )
        else:
            self._latest.stop()
            self._take(None)

    def _on_came(self, trace: Trace) -> None:
        self._take(Told(trace, dict(zip(trace.children(None), self._bars, strict=True))))

    def _take(self, told: Told | None) -> None:
        self.now = told
        self.told.emit()
