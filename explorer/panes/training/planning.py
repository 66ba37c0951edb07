"""Behind the setup: checks the fields and the text, plans the schedule, estimates what it costs."""

from __future__ import annotations

import contextlib
from pathlib import Path
from typing import Any

import numpy as np
from PySide6.QtCore import QObject, Signal
from PySide6.QtWidgets import QLineEdit

from core.training.config import TrainingConfig
from explorer import theme
from explorer.engine import tasks
from explorer.engine.engine import Engine
from explorer.engine.jobs import SUPERSEDED
from explorer.engine.latest import Latest
from explorer.panes.training.draft import NO_TEXT, TrainingDraft, check, config_of
from explorer.panes.training.setup import SetupView
from explorer.panes.training.text import about
from explorer.runs.backend_choice import AUTO, SLOW_STEP, backend_for
from explorer.state.draft import Draft, named
from explorer.state.typed_numbers import whole_in
from explorer.state.workspace import Workspace

BUILT_IN = ("stories", "characters")  # other tokenizers are files
POINTS = 100  # of the schedule's preview
EXCERPT = 1500  # letters of the text that are shown
MOST_READ = 2_000_000  # characters of a text that are looked at beforehand
SHORTEST_CONTEXT = 16  # tokens; a shorter one leaves attention nothing to look at


class Planning(QObject):
    """Keeps the draft of a run; the view shows it.

    `planned` carries a TrainingConfig, or None.
    """

    planned = Signal(object)

    def __init__(
        self,
        engine: Engine,
        workspace: Workspace,
        view: SetupView,
        owner: QObject,
        run_in: str = AUTO,
    ) -> None:
        super().__init__(owner)
        self._engine = engine
        self._owner = owner
        self._view = view
        first = TrainingDraft(run_in=backend_for(0.0, run_in))
        self.draft = Draft(workspace, "training.options", TrainingDraft, self, first)
        self._run_in = run_in  # what a person has chosen for all runs
        self.errors: dict[str, str] = {}
        self._corpus_error = ""
        self._tokenizer_error = ""
        self._vocabulary: tuple[str, int] | None = None  # of a tokenizer's file
        self._checked: tuple[str, str, str] | None = None
        self._read = ""  # the corpus whose beginning is shown
        self.config: TrainingConfig | None = None
        self._speed: float | None = None  # FLOP/s, measured once
        self._bf16: bool | None = None
        self._estimating = Latest(engine, owner)
        self._estimating.came.connect(self._on_estimate)
        self.draft.changed.connect(lambda _: self.plan())
        workspace.tokenizerOpened.connect(self._take_tokenizer)
        for field in view.fields.values():
            if isinstance(field.editor, QLineEdit):
                field.editor.editingFinished.connect(workspace.end_merge)

    @property
    def options(self) -> TrainingDraft:
        return self.draft.value

    def change(self, name: str, text: str) -> None:
        """A person's change, which can be undone; what is typed into one field is one change."""
        options, field = self.options.change({name: text}), self._view.fields[name]
        if options == self.options:
            self.plan()
            return
        typed = isinstance(field.editor, QLineEdit)
        self.draft.change(options, named(field.title, text), name if typed else "")

    def _take_tokenizer(self, path: str, corpus: str) -> None:
        """A tokenizer that was just trained, with the text that it knows."""
        given = {"tokenizer": path} | ({"corpus": corpus} if corpus else {})
        self.draft.change(self.options.change(given), "Train with this tokenizer")

    def plan(self) -> None:
        """Shows fields, errors, schedule and cost as they are now."""
        options = self.options
        about = (options.corpus, options.tokenizer, options.block_size)
        if about != self._checked:
            self._checked, self._corpus_error = about, ""
            if options.corpus != "stories":
                tasks.spawn(self._check_corpus(about), self._owner)
        own = options.tokenizer if options.tokenizer not in BUILT_IN else ""
        counted = own or (options.corpus if options.tokenizer == "characters" else "")
        if counted and (self._vocabulary is None or self._vocabulary[0] != counted):
            self._vocabulary, self._tokenizer_error = (counted, 0), ""
            tasks.spawn(self._read_vocabulary(counted, bool(own)), self._owner)
        self.errors = check(options, self._corpus_error)
        if own and self._tokenizer_error:
            self.errors["tokenizer"] = self._tokenizer_error
        self._view.set_options(options, self.errors)
        size = self._vocabulary[1] if counted and self._vocabulary else 0
        config = self.config = None if self.errors else config_of(options, vocab_size=size or None)
        self._view.set_schedule(*schedule(config))
        if options.corpus != self._read:
            self._read = options.corpus
            tasks.spawn(self._show_excerpt(options.corpus), self._owner)
        self._estimating.stop()
        if config is None:
            name, why = next(iter(self.errors.items()))
            where = self._view.fields[name].title
            self._view.set_cost("\u2013", "\u2013", "\u2013", f"{where}: {why}")
        else:
            if not self._engine.is_ready:
                self._view.set_cost("\u2026", "\u2026", "\u2026", "PyTorch is starting")
            self._estimating.ask(lambda: self._estimate(config), "estimating a run's cost")
        self.planned.emit(config)

    def refuse_corpus(self, message: str) -> None:
        """The run found something wrong with the text that a look at its beginning did not show."""
        self._corpus_error = message
        self.errors = check(self.options, message)
        self._view.set_options(self.options, self.errors)

    async def _check_corpus(self, about: tuple[str, str, str]) -> None:
        error = await self._engine.io(corpus_error, *about)
        if about == self._checked and error != self._corpus_error:
            self._corpus_error = error
            self.plan()

    async def _read_vocabulary(self, path: str, own: bool) -> None:
        """How many tokens there are: of a tokenizer's file, or the characters of a text."""
        size, error = await self._engine.io(vocabulary_of if own else alphabet_of, path)
        if self._vocabulary is not None and self._vocabulary[0] == path:
            self._vocabulary, self._tokenizer_error = (path, size), error
            self.plan()

    async def _show_excerpt(self, corpus: str) -> None:
        text = await self._engine.io(excerpt, corpus)
        if corpus == self._read:
            self._view.set_excerpt(text)

    async def _estimate(self, config: TrainingConfig) -> Any:
        if self._speed is None:
            found = await self._engine.call(_measure)
            if found is SUPERSEDED:
                return found
            self._speed, self._bf16 = found
        return await self._engine.call(_estimate, config, self._speed)

    def _on_estimate(self, found: tuple[Any, str]) -> None:
        config = self.config
        if config is None or self.errors:
            return
        answer, why = found
        if why:
            self.errors = {"size": f"T{why[1:]}"}
            self._view.set_options(self.options, self.errors)
            self.config = None
            self.planned.emit(None)
        slow = answer.seconds_per_step > SLOW_STEP
        run_in = backend_for(answer.seconds_per_step, self._run_in)
        if self.options.run_in != run_in and not self.options.is_by_hand("run_in"):
            self.draft.begin({"run_in": run_in})
            return
        notes = [f"{config.tokens_per_step:,} tokens a step"]
        if config.repeated_fraction:
            share = theme.format_percent(config.repeated_fraction)
            notes.append(f"{share} of the sequences are random tokens that repeat, not the text")
        if config.precision == "bf16" and not self._bf16:
            notes.append("this CPU has no bf16 arithmetic: fp32 is faster here")
        elif self._bf16 and config.precision == "fp32" and config.model.n_embd >= 256:
            notes.append("bf16 would be faster here")
        if slow and self.options.run_in == "thread":
            notes.append("steps this long are better trained as a process")
        elif slow:
            notes.append("steps this long go to a process of its own: the window stays quick")
        self._view.set_cost(
            theme.format_count(answer.parameters),
            theme.format_bytes(answer.bytes),
            about(answer.seconds),
            ", ".join(notes),
        )


def vocabulary_of(path: str) -> tuple[int, str]:
    """The pieces of a tokenizer's file, and what is wrong with it; in the I/O pool."""
    from core.tokenization import open_tokenizer

    try:
        return open_tokenizer(path).vocab_size, ""
    except (ValueError, OSError) as error:
        return 0, str(error)


def alphabet_of(corpus: str) -> tuple[int, str]:
    """How many characters a text is written with, of a very long one its beginning; its errors are
    told by `corpus_error`.
    """
    from core.data import story_characters
    from core.data.chunks import read_characters

    if corpus == "stories":
        return story_characters().vocab_size, ""
    characters: set[str] = set()
    count = 0
    with contextlib.suppress(ValueError, OSError):
        for text, _ in read_characters(Path(corpus)):
            characters.update(text)
            count += len(text)
            if count > MOST_READ:
                break
    return len(characters), ""


def excerpt(corpus: str) -> str:
    """How a text begins, line by line, in at most EXCERPT letters; "" when it cannot be read."""
    from core.data import story
    from core.data.chunks import read_characters

    try:
        if corpus == "stories":
            text = str(story(12))
        else:
            text = next(read_characters(Path(corpus)), ("", 0))[0]
    except (ValueError, OSError):
        return ""
    lines = [" ".join(line.split()) for line in text[: 4 * EXCERPT].strip().splitlines()]
    whole = "\n".join(lines)
    if len(whole) <= EXCERPT:
        return whole
    return f"{whole[:EXCERPT].rsplit(None, 1)[0]}…"


def schedule(config: TrainingConfig | None, first: int = 0) -> tuple[np.ndarray, np.ndarray]:
    """(steps, rates) of the planned learning rate from step `first` on; empty without a plan."""
    if config is None:
        return np.empty(0), np.empty(0)
    count = min(POINTS, config.steps)
    bend = min(max(first, config.warmup_steps), config.steps)
    steps = np.unique(np.r_[np.linspace(first, config.steps, count), bend].round())
    return steps.astype(np.float64), np.array([config.planned_rate(int(step)) for step in steps])


def corpus_error(path: str, tokenizer: str, block_size: str) -> str:
    """What is wrong with a text file, with the remedy; "" when it can be trained on."""
    from core.data.chunks import read_characters
    from core.data.text import check_text_file

    if not path:
        return NO_TEXT
    try:
        file = check_text_file(path)
        count, whole = 0, True
        for text, _ in read_characters(file):
            count += len(text)
            if count > MOST_READ:
                whole = False
                break
    except (ValueError, OSError) as error:
        return str(error)
    context = whole_in(block_size) or 0
    needed = 10 * (context + 1)
    if whole and count < needed and tokenizer == "characters":
        longest = count // 10 - 1
        shorter = f", or a context of at most {longest}" if longest >= SHORTEST_CONTEXT else ""
        return (
            f"{Path(path).name} has {count:,} characters; a context of {context} needs at least "
            f"{needed:,}. Choose a longer text{shorter}"
        )
    return ""


def _measure() -> tuple[float, bool]:
    """On the engine's thread: this machine's speed, and whether it has bf16 arithmetic."""
    from core.training.health import bf16_is_fast
    from core.training.sizes import measure_speed

    return measure_speed(), bf16_is_fast()


def _estimate(config: TrainingConfig, speed: float) -> tuple[Any, str]:
    """What a run costs, and why it does not fit into memory."""
    from core.training.memory import too_large
    from core.training.sizes import estimate

    found = estimate(config, speed)
    return found, too_large(found.bytes)
