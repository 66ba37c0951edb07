"""Has the engine measure languages; results are kept as long as their tokenizer is the same."""

from __future__ import annotations

from collections.abc import Generator, Sequence
from typing import Any

from PySide6.QtCore import QObject, Signal

from core.tokenization.analysis import LanguageText, Premium
from explorer.engine.engine import Engine
from explorer.engine.latest import Latest
from explorer.panes.tokenizers.catalogue import Opened
from explorer.panes.tokenizers.languages.model import Failure, measure_steps


class Measuring(QObject):
    """`came` when there are more results, `ended` when nothing is under way any more."""

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
        self.results: dict[tuple[str, str], Premium] = {}  # by tokenizer's id and language's code
        self.errors: dict[str, str] = {}  # of tokenizers that could not be measured, by id
        self.total = 0  # results that the job under way was asked for
        self.done = 0

    @property
    def running(self) -> bool:
        return self._latest.running

    def ask(self, tokenizers: Sequence[tuple[str, Opened]], texts: Sequence[LanguageText]) -> None:
        """Wants every text under every tokenizer: measures what is not known yet."""
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
            if self._measured.get(identity) is not opened:  # another one has its name now
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
        """Gives up what is under way; results that have come stay. False when there was nothing."""
        return self._latest.stop()

    def retry(self, identity: str) -> None:
        """Measures one that failed anew, when it is asked for."""
        self.errors.pop(identity, None)

    def _on_progress(self, results: list[Premium | Failure]) -> None:
        for one in results:
            if isinstance(one, Failure):
                self.errors[one.tokenizer] = one.message
            else:
                self.results[one.tokenizer, one.language.code] = one
        self.done += len(results)
        self.came.emit()
