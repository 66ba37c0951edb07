"""The tokenizers in Compare and Languages: each is open, opening, downloading, or failed."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from PySide6.QtCore import QObject, Signal

from core.numbers import format_percent
from core.resources import is_checkout
from explorer.engine.engine import Engine
from explorer.engine.latest import Latest
from explorer.panes.tokenizers.catalogue import BUNDLED, MODEL, Catalogue, Opened
from explorer.panes.tokenizers.draft import ComparisonDraft
from explorer.state.draft import Draft

# The first SET of these on this machine are offered as a set; each is of another kind.
REAL = ("known:gpt2", "known:bert", "known:o200k", "known:mistral", "known:j2", "known:llama3")
SET = 5  # well-known tokenizers in that set
MOST = 6  # tokenizers at once


@dataclass(frozen=True)
class Missing:
    """The reason why a tokenizer is not open.

    error      the error with its remedy; `failed` is a short form
    waiting    the work in progress if there is no error
    away       True while it is being downloaded
    otherwise  another way to get a tokenizer whose download failed
    """

    name: str
    error: str = ""
    failed: str = ""
    waiting: str = ""
    away: bool = False
    otherwise: str = ""


class Shown(QObject):
    """Keeps the tokenizers of the draft open.

    Emits `changed` when the list or the state of one of its tokenizers changes.
    """

    changed = Signal()
    said = Signal(str)  # for the status bar

    def __init__(
        self,
        engine: Engine,
        catalogue: Catalogue,
        draft: Draft[ComparisonDraft],
        parent: QObject,
    ) -> None:
        super().__init__(parent)
        self._catalogue = catalogue
        self._draft = draft
        self.errors: dict[str, str] = {}
        self._opening = Latest(engine, parent)
        self._seen = draft.value.tokenizers
        self._know_files()
        draft.changed.connect(self._on_changed)
        catalogue.changed.connect(self._on_catalogue)
        catalogue.failed.connect(self._on_failed)

    @property
    def ids(self) -> list[str]:
        """The ids that the user chose; by default the four bundled ones, after the model's
        tokenizer if that is not one of them.
        """
        chosen = self._draft.value.tokenizers
        if chosen is None:
            return [MODEL, *BUNDLED] if self._model_has_its_own else list(BUNDLED)
        known = [name for name in chosen if self._catalogue.entry(name) is not None]
        return known[:MOST] or [MODEL]

    @property
    def _model_has_its_own(self) -> bool:
        """Whether the model's tokenizer is known to differ from the first bundled one."""
        one, other = self.get(MODEL), self.get(BUNDLED[0])
        if one is None or other is None:
            return False
        if one.vocab_size != other.vocab_size:
            return True
        return one.tokenizer.vocabulary != other.tokenizer.vocabulary

    def _is_here(self, name: str) -> bool:
        entry = self._catalogue.entry(name)
        return entry is not None and entry.here

    def name(self, identity: str) -> str:
        entry = self._catalogue.entry(identity)
        return entry.name if entry is not None else identity

    def get(self, identity: str) -> Opened | None:
        return self._catalogue.get(identity)

    @property
    def full(self) -> str:
        """The reason why no tokenizer can be added, or ""."""
        return (
            f"At most {MOST} tokenizers can be compared: remove one first"
            if len(self.ids) >= MOST
            else ""
        )

    # changing the list

    def _set(self, ids: Sequence[str], text: str) -> None:
        self._draft.change({"tokenizers": tuple(ids)}, text)

    def add(self, identity: str) -> None:
        """Adds a tokenizer to the list, and downloads it if needed."""
        if identity not in self.ids and not self.full:
            self._set([*self.ids, identity], f"Compare {self.name(identity)}")
            self._get(identity)

    def replace(self, place: int, identity: str) -> None:
        ids = self.ids
        if place < len(ids) and identity not in ids:
            ids[place] = identity
            self._set(ids, f"Compare {self.name(identity)}")
            self._get(identity)

    def remove(self, place: int) -> None:
        ids = self.ids
        if len(ids) > 1 and place < len(ids):
            gone = ids.pop(place)
            self._catalogue.cancel(gone)
            self._set(ids, f"Remove {self.name(gone)}")

    def sets(self) -> list[tuple[str, list[str]]]:
        """Returns sets of tokenizers to show together, as (title, ids)."""
        real = [name for name in REAL if self._is_here(name)][:SET]
        found = [("Four algorithms, trained on the same text", list(BUNDLED))]
        if len(real) > 1:
            found.append((f"Well-known ones: {', '.join(map(self.name, real))}", real))
        return found

    def show_set(self, title: str, ids: Sequence[str]) -> None:
        """Replaces the list by these tokenizers."""
        if list(ids) != self.ids:
            self._set(ids, title.partition(":")[0])

    def open_in_place(self, place: int, path: str | Path) -> None:
        """Replaces the tokenizer at index `place` by one from a file."""
        self.replace(place, self._catalogue.add_file(path))

    def add_files(self, paths: Sequence[str | Path]) -> None:
        """Adds tokenizers from files, up to MOST in all."""
        for path in paths:
            identity = self._catalogue.add_file(path)
            self.errors.pop(identity, None)
            if self.full and identity not in self.ids:
                self.said.emit(self.full)
            else:
                self.add(identity)

    def retry(self, place: int) -> None:
        identity = self.ids[place]
        self.errors.pop(identity, None)
        self._get(identity)
        self.open_all()

    def _get(self, identity: str) -> None:
        entry = self._catalogue.entry(identity)
        if entry is not None and not entry.here:
            self._catalogue.download(identity)

    # opening

    def open_all(self) -> None:
        """Opens the listed tokenizers that are not open yet."""
        self._catalogue.show(self, self.ids)
        closed = [one for one in self.ids if self.get(one) is None and one not in self.errors]
        if wanted := [one for one in closed if self._is_here(one)]:
            self._opening.ask(lambda: self._open(wanted), "opening tokenizers")
        self.changed.emit()

    async def _open(self, ids: Sequence[str]) -> None:
        """Opens tokenizers in parallel and emits `changed` for each."""
        await asyncio.gather(*map(self._open_one, ids))

    async def _open_one(self, identity: str) -> None:
        try:
            await self._catalogue.open(identity)
        except (ValueError, OSError) as error:
            self.errors[identity] = str(error)
        self.changed.emit()

    def missing(self) -> dict[int, Missing]:
        """Returns the tokenizers that are not open, by index, with the reasons."""
        found = {}
        for place, identity in enumerate(self.ids):
            error = self.errors.get(identity, "")
            if error or self.get(identity) is None:
                waiting = "" if error else self.waiting_for(identity)
                away = not error and self._catalogue.downloading(identity) is not None
                name, failed, otherwise = self.name(identity), "", ""
                if error:
                    what = "opened" if self._is_here(identity) else "fetched"
                    failed, otherwise = f"{name} could not be {what}", self._otherwise(identity)
                found[place] = Missing(name, error, failed, waiting, away, otherwise)
        return found

    def _otherwise(self, identity: str) -> str:
        """Returns another way to get a well-known tokenizer that is not on this machine, or ""."""
        entry, name = self._catalogue.entry(identity), identity.partition(":")[2]
        if entry is None or entry.here or not entry.address:
            return ""
        if is_checkout():
            return f"Or run python3 dev.py vocabularies {name} in a terminal."
        return f"Or get {entry.address} in a browser and open that file."

    def waiting_for(self, identity: str) -> str:
        """Describes the download or opening of a tokenizer that is not open."""
        share = self._catalogue.downloading(identity)
        if share is not None:
            return f"downloading, {format_percent(share)}"
        return f"opening {self.name(identity)}"

    def _on_changed(self, draft: ComparisonDraft) -> None:
        before, self._seen = self._seen, draft.tokenizers
        if draft.tokenizers != before:
            self._know_files()
            self.open_all()

    def _on_catalogue(self) -> None:
        self.open_all()

    def _on_failed(self, identity: str, message: str) -> None:
        if identity in self.ids:
            self.errors[identity] = message
            self.changed.emit()
        else:
            self.said.emit(message)

    def _know_files(self) -> None:
        """Adds files of a session or lesson to the catalogue if they still exist."""
        for name in self._draft.value.tokenizers or ():
            kind, _, rest = name.partition(":")
            if kind == "file" and Path(rest).exists():
                self._catalogue.add_file(rest)
