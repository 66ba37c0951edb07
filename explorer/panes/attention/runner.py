"""Reads the heads of models: for each text, while a live model learns, and for a comparison."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, Any

from PySide6.QtCore import QObject, QTimer, Signal

from core.inference.minimal_pair import minimal_pair
from explorer.engine.jobs import SUPERSEDED, Superseded
from explorer.engine.latest import Latest
from explorer.panes.attention import compute, text
from explorer.panes.attention.comparison import Comparison, compare
from explorer.panes.attention.compute import Head, Heads, Prompt
from explorer.panes.attention.draft import HeadsOff, ViewSettings
from explorer.runs.sources import model_name
from explorer.state.draft import Draft

if TYPE_CHECKING:
    from explorer.engine.engine import Engine
    from explorer.state.workspace import Workspace

LONG_TEXT = 4000  # characters; longer texts are encoded off the GUI thread
LIVE_EVERY = 1000  # ms between two readings of a live model
LIVE_SLOWEST = 8000
FIRST_EVERY = 250  # ms between two messages about a run that has not answered yet
COMPARING = "running the model to compare with"


async def read_heads(
    engine: Engine, source: Any, prompt: Prompt, off: tuple[Head, ...], key: Any,
    as_base: bool = False,
) -> Heads | Superseded:  # fmt: skip
    """Reads a source's heads on a text, with those in `off` switched off. `as_base` reads a
    fine-tuned model as it was before fine-tuning.
    """
    if off or as_base:
        name = model_name(source.base) if as_base else source.name
        told = f"running {name} to see its heads"
        asked = compute.changed_heads, prompt, name, off, as_base
        found = await source.ask(*asked, key=key, name=told)
        return found if found is SUPERSEDED else replace(found, version=source.asked_version)
    kept = await source.look(prompt.ids, compute.SITES, key)
    if isinstance(kept, Superseded):
        return SUPERSEDED
    asked = kept.activations, prompt, source.name, source.config
    found = await engine.call(compute.heads_of, *asked, name="the scores of the heads")
    if found is SUPERSEDED:
        return SUPERSEDED
    return replace(found, version=kept.version, vectors=kept.vectors)


class HeadReader(QObject):
    """Reads the heads on one text at a time; a new text or model supersedes the last. With heads
    switched off it reads the model without them, whose later layers read a changed stream.

    visible  True if live heads are shown; only then are they followed
    steady   True while a trace is shown; then only what the user asks for replaces it
    """

    promptRead = Signal(object)  # Prompt
    emptied = Signal()
    asked = Signal(str, bool)  # reason for the wait; whether the user can cancel it
    came = Signal(object)  # Heads
    failed = Signal(str)
    unanswered = Signal(str, int)  # name and step of a run that has given no heads yet
    moved = Signal()  # a live model has been trained further
    offChanged = Signal()  # the set of heads to switch off has changed

    def __init__(self, engine: Engine, workspace: Workspace, parent: QObject) -> None:
        super().__init__(parent)
        self._draft = Draft(workspace, "attention.off", HeadsOff, self)
        self._draft.changed.connect(self._on_draft)
        self._engine = engine
        self._text = ""
        self._quiet = False  # True if the user did not ask for the running reading
        self._reading = Latest(engine, parent)
        self._reading.came.connect(self._on_came)
        self._reading.failed.connect(self._on_failed)
        self._reading.ended.connect(self._on_ended)
        self.source: Any = None
        self.prompt: Prompt | None = None
        self.heads: Heads | None = None
        self._off: tuple[Head, ...] = ()  # heads off in the running or last reading
        self.visible = self.steady = False
        self._interval = LIVE_EVERY
        self._timer = QTimer(self, singleShot=True)
        self._timer.timeout.connect(self._on_live_timer)
        self._first = QTimer(self, interval=FIRST_EVERY)
        self._first.timeout.connect(
            lambda: self.unanswered.emit(self.source.name, self.source.step)
        )

    # input

    def forget(self) -> None:
        """Drops the heads, which no longer fit text or model, and those on their way."""
        self.cancel()
        self._first.stop()
        self.heads = None

    def set_source(self, source: Any) -> None:
        """Sets another model, or None, and reads the same text with it."""
        if source is self.source:
            return
        if self.source is not None:
            self.source.changed.disconnect(self._on_source_changed)
        self.source = source
        self._interval = LIVE_EVERY
        self._timer.stop()
        if source is not None:
            source.changed.connect(self._on_source_changed)
        self.read(self._text)

    def read(self, prompt: str) -> None:
        """Reads a text."""
        self._text = prompt
        self._reading.stop()
        tokenizer = getattr(self.source, "tokenizer", None)
        if not prompt:
            self.prompt = None
            self.emptied.emit()
        elif tokenizer is None:
            self.asked.emit("opening the model", False)
        elif len(prompt) > LONG_TEXT:
            self._quiet = False
            self._reading.ask(lambda: self._encode(tokenizer, prompt), "reading the text")
        else:
            try:
                read = compute.read_prompt(tokenizer, prompt, self._limit())
            except ValueError as error:  # a character the tokenizer lacks
                self.prompt = None
                self.failed.emit(str(error))
            else:
                self._take(read)

    def again(self) -> None:
        """Reads the same text again with the current weights."""
        if self.prompt is not None:
            self._take(self.prompt)
        else:
            self.read(self._text)

    @property
    def newer(self) -> int | None:
        """The step that a live model has reached while `steady` holds its heads; None if they are
        current.
        """
        source, heads = self.source, self.heads
        if source is None or heads is None or not source.is_live or not self.steady:
            return None
        return source.version if source.version > heads.version else None

    @property
    def weights_source(self) -> Any:
        """The source that still has the weights of these heads; None while it trains."""
        source, heads = self.source, self.heads
        if source is None or heads is None:
            return None
        version = heads.version if heads.vectors is None else heads.vectors
        return source if source.asked_version == version else None

    # heads that are off

    @property
    def off(self) -> tuple[Head, ...]:
        """The heads of this model to switch off."""
        source = self.source
        return () if source is None else self._draft.value.of(source.address, source.config)

    @property
    def can_switch(self) -> bool:
        """Whether heads can be switched off, which needs the weights that these heads come from."""
        return self.weights_source is not None

    def toggle(self, head: Head) -> None:
        """Switches a head off, or back on."""
        off = tuple(sorted({*self.off} ^ {head}))
        self._draft.change(HeadsOff(self.source.address, off), text.switched(head, off))

    def all_on(self) -> None:
        if self.off:
            self._draft.change(HeadsOff(self.source.address), text.ALL_HEADS_ON)

    def _on_draft(self, _: HeadsOff) -> None:
        if self.off != self._off:
            self.again()
        self.offChanged.emit()

    # reading

    def _limit(self) -> int:
        config = self.source.config
        return config.block_size if config is not None else 1024

    async def _encode(self, tokenizer: Any, prompt: str) -> None:
        self._take(await self._engine.io(compute.read_prompt, tokenizer, prompt, self._limit()))

    def _take(self, prompt: Prompt) -> None:
        if prompt is not self.prompt or self.heads is None:
            self.prompt = prompt
            self.promptRead.emit(prompt)
        reason = self._engine.activity or f"looking at {self.source.name}"
        self.asked.emit(reason, self._engine.is_ready)
        if self.source.is_live and self.heads is None:
            self._first.start()
        self._ask(prompt)

    def _ask(self, prompt: Prompt, *, quiet: bool = False) -> None:
        """Starts a reading; `quiet` if the user did not ask for it. Its failure is ignored while
        older heads are shown, as the next one may succeed (a run may end meanwhile).
        """
        source, self._quiet, self._off = self.source, quiet, self.off
        off = self._off if source.asked_version is not None else ()
        # `Latest` drops an older reading. The key only separates this pane's requests
        # from those of other panes to the same source.
        key = (self.parent().objectName(), "heads")
        self._reading.ask(
            lambda: read_heads(self._engine, source, prompt, off, key), f"looking at {source.name}"
        )

    def cancel(self) -> None:
        """Cancels the reading that the user waits for."""
        if not self._quiet and self._reading.stop():
            self._on_ended()

    def _on_came(self, heads: Heads) -> None:
        if not (self.steady and self._quiet):
            learned = self.heads is None or heads.version != self.heads.version
            self._interval = LIVE_EVERY if learned else min(self._interval * 2, LIVE_SLOWEST)
            self.heads = heads
            self.came.emit(heads)
            if heads.off != self.off and self.can_switch:
                self.again()  # only now is it known that heads can be switched off

    def _on_failed(self, message: str) -> None:
        if not self._quiet or self.heads is None:
            self.failed.emit(message)

    def _on_ended(self) -> None:
        self._first.stop()
        self.follow()

    # live models

    def follow(self) -> None:
        """Schedules the next reading of a live model if it is `visible`."""
        if not self.visible:
            self._timer.stop()
        elif self.source is not None and self.source.is_live and not self._timer.isActive():
            self._timer.start(self._interval)

    def _on_source_changed(self) -> None:
        self._interval = LIVE_EVERY
        self.moved.emit()
        self.follow()

    def _on_live_timer(self) -> None:
        if self._reading.running or self.prompt is None:
            self.follow()
        elif not self.steady:
            self._ask(self.prompt, quiet=True)


class ComparisonReader(QObject):
    """Reads the heads to compare with.

    found     the comparison; None until it is read, or if nothing is compared
    other     "text" or "base"
    has_base  whether there is a base, which only a fine-tuned model has

    came(found, is_first)   `is_first`: True for the first result since `forget`
    """

    came = Signal(object, bool)
    failed = Signal(str)

    def __init__(self, engine: Engine, parent: QObject) -> None:
        super().__init__(parent)
        self._engine = engine
        self._asked: tuple[Heads, str | None] | None = None
        self._reading = Latest(engine, parent)
        self._reading.came.connect(self._on_came)
        self._reading.failed.connect(self.failed)
        self.found: Comparison | None = None
        self.other, self.has_base = "text", False

    def forget(self) -> None:
        """Drops the comparison, which no longer fits the heads."""
        self._reading.stop()
        self.found = self._asked = None

    def update(self, source: Any, heads: Heads | None, settings: ViewSettings) -> bool:
        """Applies the settings; returns True if this starts a new reading."""
        self.has_base = getattr(source, "base", None) is not None
        before, self.other = self.other, settings.other if self.has_base else "text"
        if settings.mode != "compare" or before != self.other:
            self.forget()
        if settings.mode != "compare" or heads is None:
            return False
        second = None if self.other == "base" else settings.second
        if self._asked is not None and self._asked[0] is heads and self._asked[1] == second:
            return False
        self._asked = heads, second
        self._reading.ask(lambda: self._read(source, heads, second), COMPARING)
        return True

    async def _read(self, source: Any, heads: Heads, second: str | None) -> Any:
        """Reads the heads on `second`, on a suggested text for "", or of the base for None."""
        engine, of_base, prompt = self._engine, second is None, heads.prompt
        if second is not None:
            tokenizer, limit = source.tokenizer, prompt.limit
            other = second or await engine.io(minimal_pair, tokenizer, prompt.text)
            prompt = await engine.io(compute.read_prompt, tokenizer, other, limit)
        key = (self.parent().objectName(), "compared")
        found = await read_heads(engine, source, prompt, heads.off, key, of_base)
        if isinstance(found, Superseded):
            return SUPERSEDED
        version = source.asked_version
        if version not in (None, heads.version):  # recorded, or read before the run ended
            asked = heads.prompt, source.name, heads.off, False
            heads = await source.ask(compute.changed_heads, *asked, key=key, name=COMPARING)
            if heads is SUPERSEDED:
                return SUPERSEDED
            heads = replace(heads, version=version)
        both = (found, heads) if of_base else (heads, found)
        return await engine.call(compare, *both, of_base, name="comparing the heads")

    def _on_came(self, found: Comparison) -> None:
        is_first, self.found = self.found is None, found
        self.came.emit(found, is_first)
