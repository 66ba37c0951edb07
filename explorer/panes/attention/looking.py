"""Asks the open model for its heads: on every change of text or model, and as a live one learns."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

import numpy as np
from PySide6.QtCore import QObject, QTimer, Signal

from explorer.engine.jobs import SUPERSEDED, Superseded
from explorer.engine.latest import Latest
from explorer.panes.attention.model import (
    SITES,
    Heads,
    Prompt,
    capture_without,
    look,
    mosaic,
    read_prompt,
)
from explorer.runs.sources import Captured

if TYPE_CHECKING:
    from core.transformer import ModelConfig
    from explorer.engine.engine import Engine

LONG_TEXT = 4000  # characters; a longer text is encoded off the GUI thread
LIVE_EVERY = 1000  # ms between two looks at a model that learns
LIVE_SLOWEST = 8000
FIRST_EVERY = 250  # ms between two words about a run that has not answered yet


class Looker(QObject):
    """One look at a time: another text, or another model, takes the place of the one before."""

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
        self._quiet = False  # nobody asked for the look under way
        self._looking = Latest(engine, parent)
        self._looking.came.connect(self._on_came)
        self._looking.failed.connect(self._on_failed)
        self._looking.ended.connect(self._on_ended)
        self._pooling = Latest(engine, parent)
        self._pooling.came.connect(self.mosaicCame)
        self.prompt: Prompt | None = None
        self.off: tuple[tuple[int, int], ...] = ()  # heads that the next look switches off
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
        """Nothing that was read holds any more."""
        self._pooling.stop()
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
        self._looking.stop()
        tokenizer = getattr(self._source, "tokenizer", None)
        if not text:
            self.prompt = None
            self.emptied.emit()
        elif tokenizer is None:
            self.asked.emit("opening the model", False)
        elif len(text) > LONG_TEXT:
            self._quiet = False
            self._looking.ask(lambda: self._encode(tokenizer, text), "reading the text")
        else:
            try:
                prompt = read_prompt(tokenizer, text, self._limit())
            except ValueError as error:  # a tokenizer of letters knows those of its own text alone
                self.prompt = None
                self.failed.emit(str(error))
            else:
                self._take(prompt)

    def again(self) -> None:
        """The same text, by the model as it is now."""
        if self.prompt is not None:
            self._take(self.prompt)
        else:
            self.read(self._text)

    def repool(self, cell_pixels: int, hide_first: bool) -> None:
        """The mosaic in other pixels, or without the first token."""
        if (cell_pixels, hide_first) != (self.cell_pixels, self.hide_first):
            self.cell_pixels, self.hide_first = cell_pixels, hide_first
            self.pool()

    def pool(self) -> None:
        """The mosaic once more."""
        if self.heads is not None:
            size, hide = self.cell_pixels, self.hide_first
            self._pooling.call(mosaic, self.heads, size, hide, name="the mosaic of heads")

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

    async def _encode(self, tokenizer: Any, text: str) -> None:
        self._take(await self._engine.io(read_prompt, tokenizer, text, self._limit()))

    def _take(self, prompt: Prompt) -> None:
        if prompt is not self.prompt or self.heads is None:
            self.prompt = prompt
            self.promptRead.emit(prompt)
        self.asked.emit(self._engine.activity, self._engine.is_ready)
        if self._source.is_live and self.heads is None:
            self._first.start()
        self._ask(self._source, prompt)

    def _ask(self, source: Any, prompt: Prompt, *, quiet: bool = False) -> None:
        """`quiet`: a look that nobody asked for; when it fails the next one may succeed (a run
        that ends while it is looked at).
        """
        self._quiet = quiet
        self._looking.ask(lambda: self._capture(source, prompt), f"looking at {source.name}")

    def cancel(self) -> None:
        """The person waits no longer for the look under way."""
        if not self._quiet and self._looking.stop():
            self._on_ended()
            self.failed.emit("You cancelled this; Retry reads the heads again.")

    async def _capture(self, source: Any, prompt: Prompt) -> Any:
        """An older look ends with its question (`Latest`). The key only keeps this pane's looks
        apart from those of others at the same source, which answers SUPERSEDED too when the engine
        has closed.
        """
        key = (self.parent().objectName(), "heads")
        off = self.off if source.asked_version is not None else ()
        found = await read_heads(source, prompt.ids, SITES, off, key)
        if found is SUPERSEDED:
            return SUPERSEDED
        kept, before = found
        return await self._engine.call(
            _prepare, kept, prompt, source.name, self.cell_pixels, self.hide_first,
            getattr(source, "config", None), off, before, name="the scores of the heads",
        )  # fmt: skip

    @property
    def _is_welcome(self) -> bool:
        """Nothing that nobody asked for takes the place of steps that are being looked at."""
        return self._live_allowed or not self._quiet

    def _on_came(self, found: tuple[Heads, np.ndarray]) -> None:
        if self._is_welcome:
            learned = self.heads is None or found[0].version != self.heads.version
            self._interval = LIVE_EVERY if learned else min(self._interval * 2, LIVE_SLOWEST)
            self._pooling.stop()
            self.heads = found[0]
            self.headsCame.emit(*found)

    def _on_failed(self, message: str) -> None:
        if not self._quiet or self.heads is None:
            self.failed.emit(message)

    def _on_ended(self) -> None:
        self._first.stop()
        self._watch()

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
        if self._looking.running or self.prompt is None:
            self._watch()
        elif self.live_allowed:
            self._ask(self._source, self.prompt, quiet=True)


async def read_heads(
    source: Any, ids: Sequence[int], sites: Sequence[str], off: Sequence[tuple[int, int]], key: Any
) -> tuple[Captured, np.ndarray | None] | Superseded:
    """What a source makes of a text with the heads `off` switched off; beside it, where some are,
    what leaves the last block with all of them on.
    """
    if not off:
        kept = await source.look(ids, sites, key)
        return SUPERSEDED if isinstance(kept, Superseded) else (kept, None)
    name = f"reading the heads of {source.name}"
    found = await source.ask(capture_without, ids, off, key=key, name=name)
    if found is SUPERSEDED:
        return SUPERSEDED
    activations, before = found
    return Captured(activations, source.asked_version), before


def _prepare(
    kept: Captured,
    prompt: Prompt,
    source: str,
    cell_pixels: int,
    hide_first: bool,
    config: ModelConfig | None,
    off: tuple[tuple[int, int], ...],
    before: np.ndarray | None,
) -> tuple[Heads, np.ndarray]:
    """On the engine's thread: scores and the pooled mosaic of one capture."""
    heads = look(kept.activations, prompt, source, kept.version, config, kept.vectors, off, before)
    return heads, mosaic(heads, cell_pixels, hide_first)
