"""Asks the open model for its heads: on every change of text or model, and as a live one learns."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np
from PySide6.QtCore import QObject, QTimer, Signal

from explorer.engine import errors, tasks
from explorer.engine.jobs import SUPERSEDED
from explorer.panes.attention.model import SITES, Heads, Prompt, look, mosaic, read_prompt

if TYPE_CHECKING:
    import asyncio

    from explorer.engine.engine import Engine

LONG_TEXT = 4000  # characters; a longer text is encoded off the GUI thread
LIVE_EVERY = 1000  # ms between two looks at a model that learns
LIVE_SLOWEST = 8000
FIRST_EVERY = 250  # ms between two words about a run that has not answered yet


class Looker(QObject):
    """One capture at a time; what comes late for an older text is dropped."""

    promptRead = Signal(object)  # Prompt
    emptied = Signal()
    asked = Signal(str, bool)  # what is waited for; whether the person may end the wait
    headsCame = Signal(object, object)  # Heads, pooled maps (L, H, P, P) uint8
    mosaicCame = Signal(object)
    failed = Signal(str)
    unanswered = Signal(str, int)  # a run that has given no heads yet: its name and step
    moved = Signal()  # a live model has learned on

    def __init__(self, engine: Engine, parent: QObject) -> None:
        super().__init__(parent)
        self._engine = engine
        self._source: Any = None
        self._text = ""
        self._turn = 0
        self._busy = False
        self._look: asyncio.Task[None] | None = None  # the newest that a person waits for
        self.prompt: Prompt | None = None
        self.heads: Heads | None = None
        self.cell_pixels = 48
        self.hide_first = False
        self._live_allowed = True
        self._interval = LIVE_EVERY
        self._timer = QTimer(self)
        self._timer.setSingleShot(True)
        self._timer.timeout.connect(self._on_live_timer)
        self._first = QTimer(self)
        self._first.setInterval(FIRST_EVERY)
        self._first.timeout.connect(self._on_unanswered)

    # what to look at

    @property
    def source(self) -> Any:
        return self._source

    def forget(self) -> None:
        """Nothing that was read holds any more, nor what is under way."""
        self._turn += 1
        self._first.stop()
        self.heads = None

    def set_source(self, source: Any) -> None:
        if source is self._source:
            return
        if self._source is not None:
            self._source.changed.disconnect(self._on_source_changed)
        self._source = source
        self._interval = LIVE_EVERY
        self._timer.stop()
        if source is not None:
            source.changed.connect(self._on_source_changed)
        self.read(self._text)

    def read(self, text: str) -> None:
        """Another text (or the same for another model)."""
        self._text = text
        self._turn += 1
        tokenizer = getattr(self._source, "tokenizer", None)
        if not text:
            self.prompt = None
            self.emptied.emit()
        elif tokenizer is None:
            self.asked.emit("opening the model", False)
        elif len(text) > LONG_TEXT:
            tasks.spawn(self._encode(tokenizer, text, self._turn), self.parent())
        else:
            self._take(read_prompt(tokenizer, text, self._limit()))

    def again(self) -> None:
        """The same text, by the model as it is now."""
        self._turn += 1
        if self.prompt is not None:
            self._take(self.prompt)
        else:
            self.read(self._text)

    def repool(self, cell_pixels: int, hide_first: bool) -> None:
        """The mosaic in other pixels, or without the first token."""
        if (cell_pixels, hide_first) != (self.cell_pixels, self.hide_first):
            self.cell_pixels, self.hide_first = cell_pixels, hide_first
            if self.heads is not None:
                tasks.spawn(self._pool(self.heads), self.parent())

    @property
    def newer(self) -> int | None:
        """The step that a live model has reached since these heads; None when they are fresh."""
        source, heads = self._source, self.heads
        if source is None or heads is None or not source.is_live:
            return None
        return source.version if source.version > heads.version else None

    # the work

    def _limit(self) -> int:
        config = self._source.config
        return config.block_size if config is not None else 1024

    async def _encode(self, tokenizer: Any, text: str, turn: int) -> None:
        prompt = await self._engine.io(read_prompt, tokenizer, text, self._limit())
        if turn == self._turn:
            self._take(prompt)

    def _take(self, prompt: Prompt) -> None:
        if prompt is not self.prompt or self.heads is None:
            self.prompt = prompt
            self.promptRead.emit(prompt)
        self.asked.emit(self._engine.activity, self._engine.is_ready)
        if self._source.is_live and self.heads is None:
            self._first.start()
        capture = self._capture(self._source, prompt, self._turn)
        self._look = tasks.spawn(capture, self.parent())

    def cancel(self) -> None:
        """The person waits no longer for the look under way."""
        if self._look is not None and not self._look.done():
            self._turn += 1
            self._look.cancel()
            self._first.stop()
            self.failed.emit("You have cancelled the look; Retry asks again.")

    async def _capture(self, source: Any, prompt: Prompt, turn: int, quiet: bool = False) -> None:
        """`quiet`: a look that nobody asked for; when it fails the next one may succeed (a run
        that ends while it is looked at)."""
        key = (self.parent().objectName(), "heads")
        self._busy = True
        try:
            kept = await source.look(prompt.ids, SITES, key)
            if kept is SUPERSEDED or not self._is_welcome(turn, quiet):
                return
            found = await self._engine.call(
                _prepare, kept.activations, prompt, source.name, kept.version, self.cell_pixels,
                self.hide_first, key=key,
            )  # fmt: skip
        except Exception as error:  # whatever it is, the picture must not wait for ever
            if not isinstance(error, ValueError | OSError):
                errors.report(error, f"looking at {source.name}")
            if turn == self._turn and (not quiet or self.heads is None):
                self.failed.emit(str(error) or type(error).__name__)
            return
        finally:
            self._busy = False
            if turn == self._turn:
                self._first.stop()
            self._watch()
        if found is not SUPERSEDED and self._is_welcome(turn, quiet):
            learned = self.heads is None or found[0].version != self.heads.version
            self._interval = LIVE_EVERY if learned else min(self._interval * 2, LIVE_SLOWEST)
            self.heads = found[0]
            self.headsCame.emit(*found)

    def _is_welcome(self, turn: int, quiet: bool) -> bool:
        """Nothing that nobody asked for takes the place of steps that are being looked at."""
        return turn == self._turn and (self._live_allowed or not quiet)

    async def _pool(self, heads: Heads) -> None:
        pixels, hide = self.cell_pixels, self.hide_first
        key = (self.parent().objectName(), "mosaic")
        pooled = await self._engine.call(mosaic, heads, pixels, hide, key=key)
        if pooled is not SUPERSEDED and heads is self.heads:
            self.mosaicCame.emit(pooled)

    # a model that learns

    @property
    def live_allowed(self) -> bool:
        """False while a trace is looked at: nothing may replace it."""
        return self._live_allowed

    @live_allowed.setter
    def live_allowed(self, allowed: bool) -> None:
        self._live_allowed = allowed
        if allowed:
            self._watch()

    def set_watching(self, watching: bool) -> None:
        """Live heads are followed only while they can be seen."""
        if watching:
            self._watch()
        else:
            self._timer.stop()

    def _watch(self) -> None:
        source, owner = self._source, self.parent()
        visible = getattr(owner, "isVisible", lambda: True)()
        if source is not None and source.is_live and visible and not self._timer.isActive():
            self._timer.start(self._interval)

    def _on_source_changed(self) -> None:
        self._interval = LIVE_EVERY
        self.moved.emit()
        self._watch()

    def _on_unanswered(self) -> None:
        self.unanswered.emit(self._source.name, self._source.step)

    def _on_live_timer(self) -> None:
        if self._busy or self.prompt is None:
            self._watch()
        elif self.live_allowed:
            self._turn += 1
            capture = self._capture(self._source, self.prompt, self._turn, quiet=True)
            tasks.spawn(capture, self.parent())


def _prepare(
    kept: Any, prompt: Prompt, source: str, version: int, cell_pixels: int, hide_first: bool
) -> tuple[Heads, np.ndarray]:
    """On the engine's thread: scores and the pooled mosaic of one capture."""
    heads = look(kept, prompt, source, version)
    return heads, mosaic(heads, cell_pixels, hide_first)
