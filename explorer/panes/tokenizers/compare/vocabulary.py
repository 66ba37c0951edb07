"""Search: the pieces of every vocabulary that hold what is typed."""

from __future__ import annotations

from collections.abc import Generator, Sequence
from typing import Any

import numpy as np
from PySide6.QtCore import QObject
from PySide6.QtWidgets import QWidget

from core.tokenization.analysis.search import Match, VocabularyIndex, match_step, with_spaces
from core.tokenization.telling import count, verb, visible
from core.trace import Step
from explorer.engine.engine import Engine
from explorer.panes.base import Inspection
from explorer.panes.tokenizers.catalogue import Opened
from explorer.panes.tokenizers.compare.tool import Tool
from explorer.panes.tokenizers.compare.vocabulary_view import VocabularyView
from explorer.widgets.live_numbers import Equation

FIRST = "the"  # a piece of nearly every vocabulary
LIMIT = 1000  # pieces that are shown of one vocabulary

Found = tuple[int, list[Match], bool]  # place of the tokenizer, its matches, whether these are all


def search_all(
    indices: Sequence[VocabularyIndex], query: str, way: str, any_case: bool
) -> Generator[Found, None, None]:
    """Searches one vocabulary after another; tells what is found so far."""
    for place, index in enumerate(indices):
        steps = index.search_steps(query, way, limit=LIMIT, any_case=any_case)
        while True:
            try:
                yield place, next(steps), False
            except StopIteration as end:
                yield place, end.value, True
                break


class Vocabulary(Tool):
    """A query, the way to search, and for each tokenizer the pieces that it found."""

    def __init__(self, engine: Engine, parent: QObject) -> None:
        super().__init__(engine, parent)
        self.query, self.way, self.any_case = FIRST, "contains", False
        self.matches: dict[int, list[Match]] = {}  # by place
        self._indices: dict[int, tuple[Opened, VocabularyIndex]] = {}  # by id of the opened one
        self._asked: list[int] = []  # places
        self.view = VocabularyView()
        self.view.searched.connect(self.search)
        self.view.chosen.connect(self._on_chosen)
        self.view.tokenizerAsked.connect(self.tokenizerAsked)
        self.view.set_query(self.query, self.way, self.any_case)

    def widget(self) -> QWidget:
        return self.view

    def state(self) -> dict[str, Any]:
        return {"query": self.query, "way": self.way, "any_case": self.any_case}

    def restore(self, state: Any) -> None:
        if isinstance(state, dict) and isinstance(state.get("query"), str):
            self.query = state["query"]
            self.any_case = state.get("any_case") is True
            if state.get("way") in self.view.ways:
                self.way = state["way"]
            self.view.set_query(self.query, self.way, self.any_case)

    def search(self, query: str, way: str, any_case: bool) -> None:
        self.query, self.way, self.any_case = query, way, any_case
        self.look()

    def on_missing(self) -> None:
        self.view.set_missing(self.missing)

    def look(self) -> None:
        self.matches.clear()
        self.view.set_columns([(name, opened) for name, opened in self.shown])
        self.on_missing()
        self.view.set_error("")
        self._asked = [place for place, (_, one) in enumerate(self.shown) if one is not None]
        if not self.query:
            self.stop()
            self.view.set_hint("Type a part of a piece, a regular expression, or bytes")
        elif self._asked:
            indices = [self._index(one) for one in self.opened]
            about = self.query, self.way, self.any_case

            def begin() -> Generator[Found, None, None]:
                self.view.set_error("")
                return search_all(indices, *about)

            self.run(begin, "searching vocabularies")
        self.changed.emit()

    def _index(self, opened: Opened) -> VocabularyIndex:
        """Read once for each tokenizer that is shown; others are forgotten."""
        there = {id(one) for one in self.opened}
        self._indices = {key: one for key, one in self._indices.items() if key in there}
        if id(opened) not in self._indices:
            self._indices[id(opened)] = (opened, VocabularyIndex(opened.tokenizer))
        return self._indices[id(opened)][1]

    def on_progress(self, items: list[Found]) -> None:
        newest = {place: (found, done) for place, found, done in items}
        for number, (found, done) in newest.items():
            place = self._asked[number]
            if done or found:
                self.matches[place] = found
                self.view.set_matches(place, found, done, len(found) >= LIMIT)
        self.changed.emit()

    def on_failed(self, message: str) -> None:
        self.view.set_error(message)
        self.changed.emit()

    def _on_chosen(self, place: int, token: int) -> None:
        opened = self.shown[place][1]
        if opened is not None:
            self.pieceChosen.emit(opened, token)

    # what is said

    def headline(self) -> str:
        known = [(self.shown[place][0], found) for place, found in self.matches.items()]
        if not known or not self.query:
            return "Search the vocabularies: which pieces are there, and how were they made?"
        most = max(known, key=lambda one: len(one[1]))
        if not most[1]:
            return f"No piece of these vocabularies {self._said(1)}"
        size = len(most[1])
        number = f"{size:,}+ pieces" if size >= LIMIT else count(size, "piece")
        return f"{number} of {most[0]} {self._said(size)}"

    def _said(self, size: int) -> str:
        one, many = {
            "contains": ("contains", "contain"),
            "begins": ("begins with", "begin with"),
            "ends": ("ends with", "end with"),
            "is": ("is", "are"),
            "regex": ("matches", "match"),
            "bytes": ("contains the bytes", "contain the bytes"),
        }[self.way]
        plain = self.way in ("regex", "bytes")
        said = self.query if plain else visible(with_spaces(self.query))
        return f"{verb(size, one, many)} \u201c{said}\u201d"

    def steps(self) -> list[Step]:
        """The first piece that was found in each vocabulary."""
        return [match_step(found[0]) for found in self._known().values()]

    def _known(self) -> dict[str, list[Match]]:
        return {self.shown[at][0]: found for at, found in sorted(self.matches.items()) if found}

    def inspection(self, place: int) -> Inspection | None:
        steps = self.steps()
        if not steps:
            return None
        rows = []
        for at, found in sorted(self.matches.items()):
            name, opened = self.shown[at]
            size = opened.vocab_size if opened is not None else 0
            rows.append(Equation(name, f"{len(found):,}", note=f"of {size:,} pieces"))
        arrays = {
            f"ids, {name}": np.array([match.token for match in found], dtype=np.int64)
            for name, found in self._known().items()
        }
        return Inspection(steps[min(place, len(steps) - 1)], rows, arrays, title=self.headline())
