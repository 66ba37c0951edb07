"""The available tokenizers: the model's, bundled, trained, opened, well-known, cached.

Files are read on demand; reading and downloading run in the engine's I/O pool.
"""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import Collection
from dataclasses import replace
from pathlib import Path
from typing import Any

from PySide6.QtCore import QObject, QTimer, Signal

from explorer.engine import errors, tasks
from explorer.engine.pool_download import PoolDownload
from explorer.panes.base import Context
from explorer.panes.tokenizers.entries import (
    BUNDLED,
    MODEL,
    Entry,
    Opened,
    bundled_entries,
    found_entries,
    open_path,
    opened,
)

__all__ = ["BUNDLED", "MODEL", "Catalogue", "Entry", "Opened"]

PROGRESS = 100  # ms between updates on a download
SPARE = 4  # tokenizers that stay open while not shown, as a choice is often undone


class Catalogue(QObject):
    """The catalogue. Emits `changed` when entries change, `progressed(id)` during a download.

    Ids: "model" is the open model's tokenizer, "bundled:unigram" one of the four included with the
    program, "known:gpt2" a well-known one, "file:/path" one opened by the user, "trained:NAME" one
    trained in the app, "cached:owner/model" one in the Hugging Face cache.
    """

    changed = Signal()
    progressed = Signal(str)
    failed = Signal(str, str)  # id, error with the remedy

    def __init__(self, context: Context, parent: QObject | None = None) -> None:
        super().__init__(parent)
        self.setObjectName("tokenizers.catalogue")
        self._engine = context.engine
        self._workspace = context.workspace
        self._entries: dict[str, Entry] = {MODEL: Entry(MODEL, "The model's tokenizer")}
        self._entries |= {entry.id: entry for entry in bundled_entries()}
        self._opened: dict[str, Opened] = {}  # in order of use, the newest last
        self._shown: dict[QObject, frozenset[str]] = {}  # by the object that shows them
        self._opening: dict[str, Any] = {}  # tasks by id
        self._progress: dict[str, PoolDownload] = {}
        self._told: dict[str, int] = {}
        self._looked = False
        self._timer = QTimer(self)
        self._timer.setInterval(PROGRESS)
        self._timer.timeout.connect(self._tell_progress)
        context.workspace.modelChanged.connect(self._on_model)
        self._on_model(context.workspace.model_source)

    # entries

    @property
    def entries(self) -> list[Entry]:
        """All entries: the model's, bundled, trained, opened, well-known, cached."""
        order = {"model": 0, "bundled": 1, "trained": 2, "file": 3, "known": 4, "cached": 5}
        return sorted(self._entries.values(), key=lambda entry: order[entry.id.partition(":")[0]])

    def entry(self, name: str) -> Entry | None:
        return self._entries.get(name)

    def get(self, name: str) -> Opened | None:
        """Returns an opened tokenizer, or None if it is not open."""
        return self._opened.get(name)

    def look(self, *, again: bool = False) -> None:
        """Searches this machine for tokenizers, only the first time unless `again`."""
        if again or not self._looked:
            self._looked = True
            tasks.spawn(self._look(), self)

    async def _look(self) -> None:
        for entry in await self._engine.io(found_entries):
            self._entries[entry.id] = entry
        self.changed.emit()

    # opening

    def show(self, who: QObject, names: Collection[str]) -> None:
        """Keeps open the tokenizers that `who` now shows, and the most recently used others."""
        self._shown[who] = frozenset(names)
        self._forget()

    def _forget(self) -> None:
        shown = frozenset[str]().union(*self._shown.values())
        spare = [name for name, one in self._opened.items() if one.entry.path and name not in shown]
        for name in spare[:-SPARE]:
            del self._opened[name]

    async def open(self, name: str, who: QObject | None = None) -> Opened:
        """Opens the tokenizer of that id, which `who` now shows; reads its file once.

        Raises ValueError or OSError with the remedy.
        """
        if who is not None:
            self.show(who, (name,))
        found = self._opened.pop(name, None)
        if found is not None:
            self._opened[name] = found
            return found
        entry = self._entries.get(name)
        if entry is None or entry.path is None:
            title = entry.name if entry is not None else name.partition(":")[2] or name
            raise ValueError(f"{title} is not on this machine; download it or open its file")
        task = self._opening.get(name)
        if task is None:
            task = tasks.spawn(self._read(entry), self)
            self._opening[name] = task
        found, error = await asyncio.shield(task)  # other callers may be waiting for it
        if error is not None:
            raise error
        return found

    async def _read(self, entry: Entry) -> tuple[Opened | None, Exception | None]:
        """Reads a tokenizer; returns it or the error, for all callers that are waiting.

        An unexpected error is also reported, once.
        """
        self._set_broken(entry.id, False)
        try:
            found = opened(entry, await self._engine.io(open_path, entry.path))
        except (ValueError, OSError) as error:
            self._set_broken(entry.id, True)
            return None, error
        except Exception as error:
            errors.report(error, f"opening {entry.name}")
            self._set_broken(entry.id, True)
            why = f"{entry.name} cannot be opened ({error}): choose another file"
            return None, ValueError(why)
        finally:
            self._opening.pop(entry.id, None)
        self._opened[entry.id] = found
        self._forget()
        return found, None

    def _set_broken(self, name: str, broken: bool) -> None:
        """Marks a file that cannot be opened, so that menus do not offer it."""
        if name.startswith("file:") and name in self._entries:
            self._entries[name] = replace(self._entries[name], broken=broken)

    def add_file(self, path: str | Path) -> str:
        """Adds a file without reading it; returns its id."""
        path = Path(path)
        name = f"file:{path}"
        title = path.parent.name if path.name == "tokenizer.json" else path.name
        self._entries[name] = Entry(name, title or path.name, where=str(path), path=path)
        self._opened.pop(name, None)
        self.changed.emit()
        return name

    def add_trained(self, title: str, tokenizer: Any, *, where: str = "trained here") -> str:
        """Adds a trained tokenizer, or replaces that of the same title; returns its id."""
        name = f"trained:{title}"
        entry = Entry(name, title, where=where, path=None, ready=True)
        self._entries[name] = entry
        self._opened[name] = opened(entry, tokenizer)
        self.changed.emit()
        return name

    def _on_model(self, source: Any) -> None:
        tokenizer = getattr(source, "tokenizer", None)
        if tokenizer is None:
            return
        entry = Entry(MODEL, source.name, where="the model that is open", ready=True)
        self._entries[MODEL] = entry
        self._opened[MODEL] = opened(entry, tokenizer)
        self.changed.emit()

    # downloads

    def download(self, name: str) -> None:
        """Downloads a well-known tokenizer; emits `failed` on an error."""
        entry = self._entries.get(name)
        if entry is None or entry.path is not None or name in self._progress:
            return
        from core.tokenization.getting import get_steps

        steps = get_steps(name.partition(":")[2])
        self._progress[name] = download = PoolDownload(steps)
        self._timer.start()
        self.changed.emit()
        tasks.spawn(self._fetch(entry, download), self)

    def cancel(self, name: str) -> None:
        """Cancels a download; the next one resumes from the part already received."""
        if name in self._progress:
            self._progress[name].cancelled = True

    def downloading(self, name: str) -> float | None:
        """Returns the completed share 0..1 of a download, or None if there is none."""
        download = self._progress.get(name)
        return None if download is None else download.share

    async def _fetch(self, entry: Entry, download: PoolDownload) -> None:
        try:
            path = await self._engine.io(download.run)
        except (ValueError, OSError) as error:
            path = None
            self.failed.emit(entry.id, str(error))
        finally:
            self._progress.pop(entry.id, None)
            if not self._progress:
                with contextlib.suppress(RuntimeError):
                    self._timer.stop()
        if path is not None:
            self._entries[entry.id] = replace(entry, path=path, where="data folder")
        self.changed.emit()

    def _tell_progress(self) -> None:
        for name, download in self._progress.items():
            if download.done != self._told.get(name):
                self._told[name] = download.done
                self.progressed.emit(name)

    async def settled(self) -> None:
        await tasks.wait_for(self)
