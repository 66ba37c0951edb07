"""The tokenizers that Compare and Languages show: each is open, on its way, or has failed."""

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

# Of these the first that are on the machine are the set of real ones: one of each kind.
REAL = ("known:gpt2", "known:bert", "known:o200k", "known:mistral", "known:j2", "known:llama3")
SET = 5  # real ones that are shown together
MOST = 6  # at once


@dataclass(frozen=True)
class Missing:
    """Why a tokenizer is not there.

    error      what went wrong, with the remedy; `failed`: the same in a few words
    waiting    what is waited for, where there is no error
    away       it is being downloaded
    otherwise  how else a tokenizer can be had that could not be downloaded
    """

    name: str
    error: str = ""
    failed: str = ""
    waiting: str = ""
    away: bool = False
    otherwise: str = ""


class Shown(QObject):
    """Keeps the tokenizers of the draft open.

    `changed` when the list has changed, or what is known of one of its tokenizers.
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
        """What a person chose; before that the four that come with the program, behind the model's
        tokenizer where that is none of them.
        """
        chosen = self._draft.value.tokenizers
        if chosen is None:
            return [MODEL, *BUNDLED] if self._model_has_its_own else list(BUNDLED)
        known = [name for name in chosen if self._catalogue.entry(name) is not None]
        return known[:MOST] or [MODEL]

    @property
    def _model_has_its_own(self) -> bool:
        """Whether the model's tokenizer is none of the bundled ones, once that is known."""
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
        """Why no further tokenizer can be added; "" where one can."""
        return (
            f"At most {MOST} tokenizers can be compared: remove one first"
            if len(self.ids) >= MOST
            else ""
        )

    # changing the list

    def _set(self, ids: Sequence[str], text: str) -> None:
        self._draft.change({"tokenizers": tuple(ids)}, text)

    def add(self, identity: str) -> None:
        """Shows another tokenizer beside the others."""
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
        """Sets that can be shown together, each with a title."""
        real = [name for name in REAL if self._is_here(name)][:SET]
        found = [("Four algorithms, trained on the same text", list(BUNDLED))]
        if len(real) > 1:
            found.append((f"Well-known ones: {', '.join(map(self.name, real))}", real))
        return found

    def show_set(self, title: str, ids: Sequence[str]) -> None:
        """Shows these tokenizers alone."""
        if list(ids) != self.ids:
            self._set(ids, title.partition(":")[0])

    def open_in_place(self, place: int, path: str | Path) -> None:
        """Shows a file in place of a tokenizer that is not there."""
        self.replace(place, self._catalogue.add_file(path))

    def add_files(self, paths: Sequence[str | Path]) -> None:
        """Shows files beside the others, as many as there is room for."""
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
        """Opens what is shown and not open yet."""
        self._catalogue.show(self, self.ids)
        closed = [one for one in self.ids if self.get(one) is None and one not in self.errors]
        if wanted := [one for one in closed if self._is_here(one)]:
            self._opening.ask(lambda: self._open(wanted), "opening tokenizers")
        self.changed.emit()

    async def _open(self, ids: Sequence[str]) -> None:
        """Each is shown as soon as it is open."""
        await asyncio.gather(*map(self._open_one, ids))

    async def _open_one(self, identity: str) -> None:
        try:
            await self._catalogue.open(identity)
        except (ValueError, OSError) as error:
            self.errors[identity] = str(error)
        self.changed.emit()

    def missing(self) -> dict[int, Missing]:
        """Why tokenizers are not open, by their places."""
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
        """How a well-known tokenizer can be had without this program."""
        entry, name = self._catalogue.entry(identity), identity.partition(":")[2]
        if entry is None or entry.here or not entry.address:
            return ""
        if is_checkout():
            return f"Or run python3 dev.py vocabularies {name} in a terminal."
        return f"Or get {entry.address} in a browser and open that file."

    def waiting_for(self, identity: str) -> str:
        """What a tokenizer waits for that is not open, in words."""
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
        """Adds files of a session or a lesson to the catalogue, where they are still there."""
        for name in self._draft.value.tokenizers or ():
            kind, _, rest = name.partition(":")
            if kind == "file" and Path(rest).exists():
                self._catalogue.add_file(rest)
