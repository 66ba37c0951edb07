"""Measures languages and traces the bars of the chart on the engine.

Results are cached until their tokenizer changes.
"""

from __future__ import annotations

from collections.abc import Generator, Mapping, Sequence
from dataclasses import replace
from typing import Any

from PySide6.QtCore import QObject, Signal

from core.tokenization.analysis import LanguageText, Premium, premium_trace_steps
from core.tokenization.analysis.premiums import REFERENCE
from core.trace import Trace
from explorer.engine.engine import Engine
from explorer.engine.latest import Latest
from explorer.panes.tokenizers.catalogue import Opened
from explorer.panes.tokenizers.languages.compute import Failure, measure_steps
from explorer.panes.tokenizers.languages.scene import Line
from explorer.panes.tokenizers.languages.track import Bar, BarTrace


class PremiumRunner(QObject):
    """Emits `came` for new results, `ended` when measuring ends, `failed(message)`."""

    came = Signal()
    ended = Signal()
    failed = Signal(str)

    def __init__(self, engine: Engine, parent: QObject) -> None:
        super().__init__(parent)
        self._latest = Latest(engine, parent)
        self._latest.progressed.connect(self._on_progress)
        self._latest.failed.connect(self.failed)
        self._latest.ended.connect(self.ended)
        self._measured: dict[str, Opened] = {}
        self.results: dict[tuple[str, str], Premium] = {}  # by tokenizer's id and language code
        self.errors: dict[str, str] = {}  # of tokenizers that could not be measured, by id
        self.total = self.done = 0  # results of the running job

    @property
    def running(self) -> bool:
        return self._latest.running

    def measure(
        self, tokenizers: Sequence[tuple[str, Opened]], texts: Sequence[LanguageText]
    ) -> None:
        """Measures the texts under the tokenizers; cached results are not measured again."""
        self.stop()
        wanted = self._missing(tokenizers, texts)
        if not wanted:
            self.ended.emit()
            return

        def begin() -> Generator[Premium | Failure, None, None]:
            self.total, self.done = sum(len(some) for _, _, some in wanted), 0
            return measure_steps(wanted)

        self._latest.ask(begin, "measuring languages")

    def _missing(
        self, tokenizers: Sequence[tuple[str, Opened]], texts: Sequence[LanguageText]
    ) -> list[tuple[str, Any, list[LanguageText]]]:
        wanted = []
        for identity, opened in tokenizers:
            if self._measured.get(identity) is not opened:  # the id belongs to a new tokenizer
                self._measured[identity] = opened
                self.results = {k: v for k, v in self.results.items() if k[0] != identity}
                self.errors.pop(identity, None)
            if identity in self.errors:
                continue
            missing = [text for text in texts if (identity, text.code) not in self.results]
            if missing:
                english = [text for text in texts[:1] if text not in missing]
                wanted.append((identity, opened.tokenizer, [*english, *missing]))
        return wanted

    def stop(self) -> bool:
        """Stops measuring and keeps the results; returns False if nothing was running."""
        return self._latest.stop()

    def retry(self, identity: str) -> None:
        """Drops a tokenizer's error, so that `measure` tries it again."""
        self.errors.pop(identity, None)

    def _on_progress(self, results: list[Premium | Failure]) -> None:
        for one in results:
            if isinstance(one, Failure):
                self.errors[one.tokenizer] = one.message
            else:
                self.results[one.tokenizer, one.language.code] = one
        self.done += len(results)
        self.came.emit()


class TraceRunner(QObject):
    """Emits `traced` for a new trace of the chart's bars; `now` is the newest, or None."""

    traced = Signal()

    def __init__(self, engine: Engine, parent: QObject) -> None:
        super().__init__(parent)
        # Ahead of the measuring: tracing is short, and the bars on screen need their steps.
        self._latest = Latest(engine, parent, foreground=True)
        self._latest.came.connect(self._on_came)
        self._asked: tuple[Any, ...] = ()
        self._bars: list[Bar] = []
        self.now: BarTrace | None = None

    @property
    def running(self) -> bool:
        return self._latest.running

    def trace(
        self,
        lines: Sequence[Line],
        names: Mapping[str, str],
        results: Mapping[tuple[str, str], Premium],
    ) -> None:
        """Traces the measured bars of `lines`; `names` are those of tokenizers by id, in order."""
        bars: list[Bar] = []
        compared: list[tuple[Premium, Premium]] = []  # each result and the English one
        for line in lines:
            for (identity, name), result in zip(names.items(), line.results, strict=True):
                english = results.get((identity, REFERENCE))
                if result is not None and english is not None:
                    bars.append(Bar(line.language.code, identity))
                    compared.append((replace(result, tokenizer=name), english))
        if (bars, compared) == self._asked:
            return
        self._asked, self._bars = (bars, compared), bars
        self._latest.ask(lambda: premium_trace_steps(compared), "tracing premiums", is_told=False)

    def forget(self) -> None:
        """Drops the trace; the next request makes a new one."""
        self._latest.stop()
        self._asked, self.now = (), None

    def _on_came(self, trace: Trace) -> None:
        steps = zip(trace.children(None), self._bars, strict=True)
        self.now = BarTrace(trace, dict(steps)) if self._bars else None
        self.traced.emit()
