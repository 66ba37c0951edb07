"""Search: connects the query to the vocabularies and their lists."""

from __future__ import annotations

from collections.abc import Generator
from typing import Any

import numpy as np
from PySide6.QtCore import QObject

from core.tokenization.analysis.search import WAYS, Match, VocabularyIndex, match_step
from core.trace import Step
from explorer.engine.engine import Engine
from explorer.panes.base import Inspection
from explorer.panes.tokenizers.catalogue import Opened
from explorer.panes.tokenizers.compare.submode import Submode
from explorer.panes.tokenizers.compare.vocabulary import text
from explorer.panes.tokenizers.compare.vocabulary.compute import LIMIT, Found, search_all
from explorer.panes.tokenizers.compare.vocabulary.view import VocabularyView
from explorer.widgets.equations import Equation

FIRST = "the"  # a piece of nearly every vocabulary


class VocabularyMode(Submode):
    """The submode: a query, the kind of match, and each tokenizer's matching pieces."""

    def __init__(self, engine: Engine, parent: QObject) -> None:
        super().__init__(engine, parent)
        self.query: tuple[str, str, bool] = (FIRST, WAYS[0], False)  # words, way, any case
        self.matches: dict[int, list[Match]] = {}  # by index of the tokenizer
        self._indices: dict[int, tuple[Opened, VocabularyIndex]] = {}  # by id() of the Opened
        self._asked: list[int] = []  # indices of the tokenizers that are searched
        self.view = VocabularyView()
        self.view.searched.connect(self.search)
        self.view.chosen.connect(self._on_chosen)
        self.view.tokenizerAsked.connect(self.tokenizerAsked)
        self.view.set_query(*self.query)
        self.runs.progressed.connect(self._on_found)
        self.runs.failed.connect(self._on_failed)

    def state(self) -> dict[str, Any]:
        return dict(zip(("query", "way", "any_case"), self.query, strict=True))

    def restore(self, state: Any) -> None:
        if isinstance(state, dict) and isinstance(state.get("query"), str):
            way = state["way"] if state.get("way") in WAYS else self.query[1]
            self.query = (state["query"], way, state.get("any_case") is True)
            self.view.set_query(*self.query)

    def search(self, query: str, way: str, any_case: bool) -> None:
        self.query = (query, way, any_case)
        self.ask()

    def show_missing(self) -> None:
        self.view.set_missing(self.missing)

    def ask(self) -> None:
        self.matches.clear()
        self.view.set_columns(self.shown)
        self.show_missing()
        self.view.set_error("")
        self._asked = [place for place, (_, one) in enumerate(self.shown) if one is not None]
        if not self.query[0]:
            self.runs.stop()
            self.view.set_hint(text.HINT)
        elif self._asked:
            indices = [self._index(one) for one in self.opened]
            query = self.query

            def begin() -> Generator[Found, None, None]:
                self.view.set_error("")
                return search_all(indices, *query)

            self.runs.ask(begin, "searching vocabularies")
        self.changed.emit()

    def _index(self, opened: Opened) -> VocabularyIndex:
        """Returns the index of a tokenizer, built once while it is shown."""
        there = {id(one) for one in self.opened}
        self._indices = {key: one for key, one in self._indices.items() if key in there}
        if id(opened) not in self._indices:
            self._indices[id(opened)] = (opened, VocabularyIndex(opened.tokenizer))
        return self._indices[id(opened)][1]

    def _on_found(self, items: list[Found]) -> None:
        newest = {place: (found, done) for place, found, done in items}
        for number, (found, done) in newest.items():
            place = self._asked[number]
            if done or found:
                self.matches[place] = found
                self.view.set_matches(place, found, done, len(found) >= LIMIT)
        self.changed.emit()

    def _on_failed(self, message: str) -> None:
        self.view.set_error(message)
        self.changed.emit()

    def _on_chosen(self, place: int, token: int) -> None:
        opened = self.shown[place][1]
        if opened is not None:
            self.pieceChosen.emit(opened, token)

    # headline and inspector

    def headline(self) -> str:
        found = [(self.shown[place][0], len(some)) for place, some in self.matches.items()]
        return text.headline(found, *self.query[:2], LIMIT)

    def steps(self) -> list[Step]:
        """Returns the first match of each vocabulary as a step."""
        return [match_step(found[0]) for _, found in sorted(self.matches.items()) if found]

    def inspection(self, place: int) -> Inspection | None:
        steps = self.steps()
        if not steps:
            return None
        rows: list[Equation | str] = [text.SYMBOLS]
        arrays = {}
        for at, found in sorted(self.matches.items()):
            name, opened = self.shown[at]
            size = opened.vocab_size if opened is not None else 0
            rows.append(Equation(name, f"{len(found):,}", note=f"of {size:,} pieces"))
            if found:
                arrays[f"ids, {name}"] = np.array([match.token for match in found])
        step = steps[min(place, len(steps) - 1)]
        return Inspection(step, rows, arrays, title=self.headline(), plain=True)
