"""Glitch tokens: pieces that a model's training text hardly ever held, found by its embeddings."""

from __future__ import annotations

from collections.abc import Generator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from PySide6.QtCore import QObject
from PySide6.QtWidgets import QWidget

from core.numbers import format_fixed
from core.tokenization.analysis.embeddings import read_embeddings_steps
from core.tokenization.analysis.glitches import (
    GlitchCandidate,
    Yardstick,
    glitch_step,
    most_suspicious,
    never_written_steps,
    similarity_steps,
    yardstick_steps,
)
from core.tokenization.telling import count as count_of
from core.tokenization.telling import shown
from core.trace import Step
from explorer.engine.engine import Engine
from explorer.panes.base import Inspection
from explorer.panes.tokenizers.catalogue import MODEL, Catalogue, Entry, Opened
from explorer.panes.tokenizers.compare.glitch_view import GlitchView
from explorer.panes.tokenizers.compare.tool import Tool
from explorer.panes.tokenizers.entries import opened as opened_entry
from explorer.widgets import dialogs
from explorer.widgets.live_numbers import Equation

COUNT = 200  # candidates
STANDS_OUT = 0.8  # a cosine below this is nothing to speak of


@dataclass(frozen=True, eq=False)
class Suspects:
    """What was found in one model: candidates, the most suspicious first, and the whole picture."""

    opened: Opened
    candidates: list[GlitchCandidate]
    similarity: np.ndarray
    yardstick: Yardstick
    rows: np.ndarray  # the candidates' embeddings
    bytes_only: bool  # compared with bytes that no text holds, else with special tokens


def suspect_steps(opened: Opened | None, path: Path, name: str) -> Generator[float, None, Suspects]:
    """Reads a model's table and looks for what was hardly trained. None: the file's tokenizer."""
    if opened is None:
        from core.tokenization import open_tokenizer

        tokenizer = open_tokenizer(path)
        opened = opened_entry(Entry(f"file:{path}", name, path=path), tokenizer)
        yield 0.0
    embeddings = yield from read_embeddings_steps(path)
    tokenizer = opened.tokenizer
    never = yield from never_written_steps(tokenizer)
    size = tokenizer.vocab_size
    yardstick = yield from yardstick_steps(embeddings, tokenizer, never or None)
    similarity = yield from similarity_steps(embeddings, size, yardstick)
    candidates = most_suspicious(tokenizer, similarity, yardstick, COUNT)
    rows = np.array(embeddings[[one.token for one in candidates]], dtype=np.float32)
    return Suspects(opened, candidates, similarity, yardstick, rows, bool(never))


class Glitching(Tool):
    """Models with embeddings: the open one, GGUF files among the tokenizers, a folder by choice."""

    def __init__(self, engine: Engine, catalogue: Catalogue, source: Any, parent: QObject) -> None:
        super().__init__(engine, parent)
        self._catalogue = catalogue
        self._source = source  # gives the open model's source
        self.chosen = MODEL
        self._picked = False  # a person has chosen it
        self._failed: set[str] = set()  # models that could not be read
        self._folder: Path | None = None
        self.found: Suspects | None = None
        self._asked: tuple[object, ...] = ()
        self.current = 0
        self.view = GlitchView()
        self.view.sourceChosen.connect(self.choose)
        self.view.folderRequested.connect(self.ask_for_folder)
        self.view.candidateChosen.connect(self._on_candidate)
        self.view.body.retryRequested.connect(self.retry)

    def widget(self) -> QWidget:
        return self.view

    # which model

    def sources(self) -> list[tuple[str, str]]:
        """(id, name) of the models that can be asked."""
        found = []
        if self._path_of(MODEL) is not None:
            found.append((MODEL, getattr(self._source(), "name", "the model")))
        found += [
            (entry.id, entry.name)
            for entry in self._catalogue.entries
            if entry.path is not None and entry.path.suffix == ".gguf"
        ]
        if self._folder is not None:
            found.append((f"folder:{self._folder}", self._folder.name))
        return found

    def _path_of(self, identity: str) -> Path | None:
        if identity == MODEL:
            folder = getattr(self._source(), "folder", None)
            return Path(folder()) if callable(folder) else None
        if identity.startswith("folder:"):
            return Path(identity.partition(":")[2])
        entry = self._catalogue.entry(identity)
        return entry.path if entry is not None else None

    def choose(self, identity: str) -> None:
        self.chosen, self._picked = identity, True
        self.look()

    def retry(self) -> None:
        self._asked = ()
        self._failed.discard(self.chosen)
        self.look()

    def ask_for_folder(self) -> None:
        dialogs.ask_folder(self.view.window(), "Choose a checkpoint's folder", self.open_folder)

    def open_folder(self, path: str) -> None:
        self._folder = Path(path)
        self.choose(f"folder:{path}")

    # looking

    def look(self) -> None:
        sources = self.sources()
        known = [identity for identity, _ in sources]
        good = [identity for identity in known if not self._is_broken(identity)]
        if good and not self._picked and self.chosen not in good:
            self.chosen = good[0]
        elif known and self.chosen not in known:
            self.chosen = known[0]
        self.view.set_sources(sources, self.chosen)
        path = self._path_of(self.chosen)
        if path is None or not known:
            self.stop()
            self._asked = ()
            self.view.body.show_empty(
                "Only a model has embeddings: choose a checkpoint's folder", "Choose a folder"
            )
        elif (asked := self._question(path)) != self._asked:
            self._asked = asked
            self.found = None
            self.view.body.show_loading("looking at the embeddings")
            opened, name = self._catalogue.get(self.chosen), dict(sources)[self.chosen]
            self.run(lambda: suspect_steps(opened, path, name), "looking for glitch tokens")
        self.changed.emit()

    def _is_broken(self, identity: str) -> bool:
        """As far as is known."""
        entry = self._catalogue.entry(identity)
        return identity in self._failed or (entry is not None and entry.broken)

    def _question(self, path: Path) -> tuple[object, ...]:
        """What the answer depends on: an open model may be another one, or have learned on."""
        if self.chosen != MODEL:
            return self.chosen, path
        version = getattr(self._source(), "version", 0)
        return MODEL, path, self._catalogue.get(MODEL), version

    def on_done(self, result: Suspects) -> None:
        self._failed.discard(self.chosen)
        self.found = result
        self.current = 0
        self.view.set_found(result.opened.tokenizer, result.candidates, result.similarity)
        self.changed.emit()

    def on_failed(self, message: str) -> None:
        self._failed.add(self.chosen)
        sources = dict(self.sources())
        if not self._picked and not all(map(self._is_broken, sources)):
            self.look()
            return
        name = sources.get(self.chosen, "The model")
        self.view.body.show_error(message, title=f"{name} could not be read")
        self.changed.emit()

    def _on_candidate(self, row: int) -> None:
        self.current = row
        if self.found is not None:
            self.view.set_current(self.found.candidates[row].similarity)
            self.pieceChosen.emit(self.found.opened, self.found.candidates[row].token)
        self.changed.emit()

    # what is said

    def headline(self) -> str:
        found = self.found
        if found is None or not found.candidates:
            return "Glitch tokens: pieces that a model has hardly ever read"
        first = found.candidates[0]
        piece = shown(first.piece, first.data)
        if first.similarity < STANDS_OUT:
            return (
                f"No piece of {found.opened.name} looks untrained: the closest, "
                f"\u201c{piece}\u201d, has a cosine of only {format_fixed(first.similarity)}"
            )
        return (
            f"In {found.opened.name}, \u201c{piece}\u201d looks untrained: "
            f"its cosine to tokens that were never trained is {format_fixed(first.similarity, 3)}"
        )

    def steps(self) -> list[Step]:
        found = self.found
        if found is None or not found.candidates:
            return []
        return [
            glitch_step(found.rows[self.current], found.yardstick, found.candidates[self.current])
        ]

    def inspection(self, place: int) -> Inspection | None:
        steps, found = self.steps(), self.found
        if not steps or found is None:
            return None
        one = found.candidates[self.current]
        size = len(found.yardstick.reference)
        what = count_of(size, "byte") + " that no UTF-8 text holds"
        if not found.bytes_only:
            what = count_of(size, "special token")
        reach = "yes" if one.reachable else "no: no text becomes this token"
        rows: list[Any] = [
            Equation("cosine", one.similarity, "attention", f"to {what}"),
            Equation("id", f"{one.token:,}", note=f"spelled {one.piece}"),
            Equation("reachable", reach),
            Equation("median", float(np.median(found.similarity)), note="of all pieces"),
        ]
        if not found.bytes_only and size < 3:
            rows.append("So few special tokens say little: they may have been trained too.")
        table = {
            "token": np.array([one.token for one in found.candidates], dtype=np.int64),
            "similarity": np.array([one.similarity for one in found.candidates]),
            "all similarities": found.similarity,
        }
        return Inspection(steps[0], rows, table, title=steps[0].title)
