"""Glitches: connects the selected model to the list of suspects and the histogram."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
from PySide6.QtCore import QObject

from core.tokenization.analysis.glitches import glitch_step
from core.tokenization.telling import count, shown
from core.trace import Step
from explorer.engine.engine import Engine
from explorer.panes.base import Inspection
from explorer.panes.tokenizers.catalogue import MODEL, Catalogue
from explorer.panes.tokenizers.compare.glitches import text
from explorer.panes.tokenizers.compare.glitches.compute import Suspects, suspect_steps
from explorer.panes.tokenizers.compare.glitches.view import GlitchesView
from explorer.panes.tokenizers.compare.submode import Submode
from explorer.state.workspace import Workspace
from explorer.widgets import dialogs
from explorer.widgets.equations import Equation


class GlitchesMode(Submode):
    """The submode. Its models: the open one, GGUF files in the catalogue, a chosen folder."""

    def __init__(
        self, engine: Engine, catalogue: Catalogue, workspace: Workspace, parent: QObject
    ) -> None:
        super().__init__(engine, parent)
        self._catalogue, self._workspace = catalogue, workspace
        self.chosen = MODEL
        self._picked = False  # by the user
        self._folder: Path | None = None
        self.found: Suspects | None = None
        self._asked: tuple[object, ...] = ()
        self.current = 0
        self.view = GlitchesView()
        self.view.source.picked.connect(self.choose)
        self.view.folderRequested.connect(self.ask_for_folder)
        self.view.candidateChosen.connect(self._on_candidate)
        self.view.body.retryRequested.connect(self.retry)
        self.runs.came.connect(self._on_found)
        self.runs.failed.connect(self._on_failed)
        workspace.modelChanged.connect(lambda _: self.active and self.ask())

    # the model

    def sources(self) -> list[tuple[str, str]]:
        """Returns (id, name) of the available models; files known to be broken come last."""
        found = []
        if self._path_of(MODEL) is not None:
            found.append((MODEL, getattr(self._workspace.model_source, "name", "the model")))
        files = (one for one in self._catalogue.entries if one.path is not None)
        models = [one for one in files if one.path is not None and one.path.suffix == ".gguf"]
        found += [(one.id, one.name) for one in sorted(models, key=lambda one: one.broken)]
        if self._folder is not None:
            found.append((f"folder:{self._folder}", self._folder.name))
        return found

    def _path_of(self, identity: str) -> Path | None:
        if identity == MODEL:
            folder = getattr(self._workspace.model_source, "folder", None)
            return Path(folder()) if callable(folder) else None
        if identity.startswith("folder:"):
            return Path(identity.partition(":")[2])
        entry = self._catalogue.entry(identity)
        return entry.path if entry is not None else None

    def choose(self, identity: str) -> None:
        self.chosen, self._picked = identity, True
        self.ask()

    def retry(self) -> None:
        self._asked = ()
        self.ask()

    def ask_for_folder(self) -> None:
        dialogs.ask_folder(
            self.view.window(), "Choose the folder of a checkpoint", self.open_folder
        )

    def open_folder(self, path: str) -> None:
        self._folder = Path(path)
        self.choose(f"folder:{path}")

    # the search

    def ask(self) -> None:
        sources = self.sources()
        known = [identity for identity, _ in sources]
        if known and (self.chosen not in known or not self._picked):
            self.chosen = known[0]
        self.view.set_sources(sources, self.chosen)
        path = self._path_of(self.chosen)
        if path is None or not known:
            self.runs.stop()
            self._asked = ()
            self.view.body.show_empty(text.EMPTY, text.CHOOSE)
        elif (asked := self._question(path)) != self._asked:
            self._asked = asked
            self.found = None
            self.view.body.show_loading("reading the embeddings")
            opened, name = self._catalogue.get(self.chosen), dict(sources)[self.chosen]
            self.runs.ask(lambda: suspect_steps(opened, path, name), "looking for glitch tokens")
        self.changed.emit()

    def _question(self, path: Path) -> tuple[object, ...]:
        """Returns the key of the result: the open model may be replaced or trained further."""
        if self.chosen != MODEL:
            return self.chosen, path
        version = getattr(self._workspace.model_source, "version", 0)
        return MODEL, path, self._catalogue.get(MODEL), version

    def _on_found(self, found: Suspects) -> None:
        self.found = found
        self.current = 0
        self.view.set_found(found.opened.tokenizer, found.candidates, found.similarity)
        self.changed.emit()

    def _on_failed(self, message: str) -> None:
        name = dict(self.sources()).get(self.chosen, "The model")
        self.view.body.show_error(message, title=f"{name} could not be read")
        self.changed.emit()

    def _on_candidate(self, row: int) -> None:
        self.current = row
        if self.found is not None:
            self.view.histogram.set_current(self.found.candidates[row].similarity)
            self.pieceChosen.emit(self.found.opened, self.found.candidates[row].token)
        self.changed.emit()

    # headline and inspector

    def headline(self) -> str:
        found = self.found
        return text.headline(found.opened.name, found.candidates) if found else text.IDLE

    def steps(self) -> list[Step]:
        found = self.found
        if found is None or not found.candidates:
            return []
        candidate = found.candidates[self.current]
        return [glitch_step(found.rows[self.current], found.yardstick, candidate)]

    def inspection(self, place: int) -> Inspection | None:
        steps, found = self.steps(), self.found
        if not steps or found is None:
            return None
        one = found.candidates[self.current]
        size = len(found.yardstick.reference)
        reference = f"{count(size, 'byte')} that UTF-8 never uses"
        if not found.bytes_only:
            reference = count(size, "special token")
        reachable, why = ("yes", text.REACHABLE) if one.reachable else ("no", text.UNREACHABLE)
        same = one.piece == shown(one.piece, one.data)
        rows: list[Any] = [
            text.SYMBOLS,
            Equation(
                "cosine", one.similarity, "attention", f"with the untrained tokens: {reference}"
            ),
            Equation("id", f"{one.token:,}", note="" if same else f"spelled {one.piece}"),
            Equation("reachable", reachable, note=why),
            Equation("median cosine", float(np.median(found.similarity)), note="of all pieces"),
        ]
        if not found.bytes_only and size < 3:
            rows.append(text.FEW_SPECIALS)
        table = {
            "token": np.array([one.token for one in found.candidates], dtype=np.int64),
            "similarity": np.array([one.similarity for one in found.candidates]),
            "all similarities": found.similarity,
        }
        return Inspection(steps[0], rows, table, title=steps[0].title)
