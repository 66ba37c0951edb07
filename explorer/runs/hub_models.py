"""Models of the Hugging Face hub: those on this machine, and the one being downloaded."""

from __future__ import annotations

import contextlib
from collections.abc import Generator
from pathlib import Path
from typing import TYPE_CHECKING, Any

from PySide6.QtCore import QObject, QTimer, Signal

from core.numbers import format_bytes, format_percent
from core.tokenization.known import known, tokenizer_folder
from explorer.engine.pool_download import PoolDownload

if TYPE_CHECKING:
    from explorer.engine.engine import Engine

PROGRESS = 250  # ms between two updates of a download
REAL, REAL_TITLE = "smollm2", "SmolLM2 135M"  # a small real model


class HubModels(QObject):
    """The state that every menu of models shows; one model is downloaded at a time.

    here   repositories whose models can be opened, as the last `look` found them
    begun  those with an interrupted download, from the same `look`
    """

    listed = Signal()  # `here` or `begun` has changed
    progressed = Signal()  # a download has started, progressed or ended

    def __init__(self, engine: Engine) -> None:
        super().__init__(engine)
        self._engine = engine
        self._download: PoolDownload | None = None
        self._title = ""
        self.here: list[str] = []
        self.begun: list[str] = []
        self._timer = QTimer(self)
        self._timer.setInterval(PROGRESS)
        self._timer.timeout.connect(self.progressed)

    async def look(self) -> None:
        """Finds the models that are on this machine."""
        found = await self._engine.io(_listed)
        if found != (self.here, self.begun):
            self.here, self.begun = found
            self.listed.emit()

    @property
    def coming(self) -> str:
        """The title of the model that is being downloaded, or ""."""
        return self._title

    @property
    def share(self) -> str:
        """The downloaded part: "50 %"."""
        return format_percent(0.0 if self._download is None else self._download.share)

    @property
    def size(self) -> str:
        """The size of the download: "548 MB", or "" before it is known."""
        total = None if self._download is None else self._download.total
        return format_bytes(total) if total else ""

    @property
    def offer(self) -> str:
        """The menu entry that downloads the small real model, with its size; during a download, the
        entry that cancels it, with its progress.
        """
        if not self.coming:
            return f"Get {REAL_TITLE} ({format_bytes(known(REAL).download_size)})"
        come = f"{self.share}{self.size and f' of {self.size}'}"
        return f"Cancel the download of {self.coming} ({come})"

    def cancel(self) -> None:
        """Cancels the download; another try continues from the downloaded part."""
        if self._download is not None:
            self._download.cancelled = True

    async def get(self, name: str, title: str, *, large: bool) -> bool:
        """Downloads a model if needed and returns True; returns False if it was cancelled. Raises
        what `get_model_steps` raises, and ValueError during another download.
        """
        if self._download is not None:
            raise ValueError(
                f"{self._title} is being downloaded: wait for it, or cancel it in the menu of "
                f"models, then get {title}"
            )
        self._download = download = PoolDownload(_steps(name, large))
        self._title = title
        self._timer.start()
        self.progressed.emit()
        try:
            return await self._engine.io(download.run) is not None
        finally:
            download.cancelled = True  # stops the pool's thread after a cancelled await
            self._download, self._title = None, ""
            with contextlib.suppress(RuntimeError):  # the window is closed
                self._timer.stop()
                self.progressed.emit()


def has_real() -> bool:
    """True if the small real model's file has its full size; opening it verifies the content."""
    about = known(REAL)
    file = tokenizer_folder() / about.file
    return file.is_file() and file.stat().st_size == about.size


# on a thread of the pool: the imports load torch


def _steps(name: str, large: bool) -> Generator[Any, None, Path]:
    from core.inference.hub import get_model_steps

    return (yield from get_model_steps(name, large=large))


def _listed() -> tuple[list[str], list[str]]:
    from core.inference.hub import repositories_begun
    from core.inference.model_places import repositories_here

    return repositories_here(), repositories_begun()
