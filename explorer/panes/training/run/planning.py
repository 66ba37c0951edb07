"""Behind the setup: checks the fields and the text, plans the schedule, estimates what it costs."""

from __future__ import annotations

import contextlib
from pathlib import Path
from typing import Any

from PySide6.QtCore import QObject, Signal
from PySide6.QtWidgets import QLineEdit

from core.numbers import format_bytes, format_count, format_percent
from core.training.config import BUILT_IN, CHARACTERS, TrainingConfig
from core.training.this_machine import Machine
from explorer.engine.engine import Engine
from explorer.engine.latest import Latest
from explorer.panes.training.phases import schedule
from explorer.panes.training.run import text
from explorer.panes.training.run.draft import NO_TEXT, TrainingDraft, check, config_of
from explorer.panes.training.run.setup import SetupView
from explorer.runs.backend_choice import AUTO, SLOW_STEP, backend_for
from explorer.state.draft import Draft, named
from explorer.state.typed_numbers import whole_in
from explorer.state.workspace import Workspace

EXCERPT = 1500  # letters of the text that are shown
MOST_READ = 2_000_000  # characters of a text that are looked at beforehand
AGAIN = 0.02  # seconds for which the machine is measured anew
SHORTEST_CONTEXT = 16  # tokens; a shorter one leaves attention nothing to look at


class Planning(QObject):
    """Keeps the draft of a run; the view shows it.

    `planned` carries a TrainingConfig, or None; `measured` the machine, as it was at its best.
    """

    planned = Signal(object)
    measured = Signal(object)

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
        self._view = view
        first = TrainingDraft(run_in=backend_for(0.0, run_in))
        self.draft = Draft(workspace, "training.options", TrainingDraft, self, first)
        self._run_in = run_in  # what a person has chosen for all runs
        self.errors: dict[str, str] = {}
        self._checked: tuple[str, str, str] | None = None  # text, tokenizer, context
        self._corpus_error = ""  # of these
        self._counted = ""  # the file of a tokenizer, or of characters
        self._vocab_size = 0  # of it, where that is known
        self._tokenizer_error = ""
        self._beginning = ""  # the text whose beginning is shown
        self.config: TrainingConfig | None = None
        self.here: Machine | None = None  # once PyTorch is there to say it
        self._checking, self._counting, self._reading, self._estimating = (
            Latest(engine, owner) for _ in range(4)
        )
        self._checking.came.connect(self._on_checked)
        self._counting.came.connect(self._on_counted)
        self._reading.came.connect(view.set_excerpt)
        self._estimating.came.connect(self._on_estimate)
        self.draft.changed.connect(lambda _: self.plan())
        workspace.tokenizerOpened.connect(self._take_tokenizer)
        for field in view.fields.values():
            if isinstance(field.editor, QLineEdit):
                field.editor.editingFinished.connect(workspace.end_merge)

    def change(self, name: str, text: str) -> None:
        """A person's change, which can be undone; what is typed into one field is one change."""
        draft, field = self.draft.value.change({name: text}), self._view.fields[name]
        if draft == self.draft.value:
            self.plan()
            return
        typed = isinstance(field.editor, QLineEdit)
        what = "what it learns from" if name == "corpus" else ""
        told = f"{text} ranks" if name == "where" and text.isdigit() else text
        self.draft.change(draft, named(field.title, told, what), name if typed else "")

    def _take_tokenizer(self, path: str, corpus: str) -> None:
        """A tokenizer that was just trained, with the text that it knows."""
        given = {"tokenizer": path} | ({"corpus": corpus} if corpus else {})
        self.draft.change(self.draft.value.change(given), "Train with this tokenizer")

    def plan(self) -> None:
        """Shows fields, errors, schedule and cost as they are now."""
        draft = self.draft.value
        self._check_corpus(draft)
        own = draft.tokenizer if draft.tokenizer not in BUILT_IN else ""
        counted = own or (draft.corpus if draft.tokenizer == CHARACTERS else "")
        if counted and counted != self._counted:
            self._counted, self._vocab_size, self._tokenizer_error = counted, 0, ""
            count = vocabulary_of if own else alphabet_of
            self._counting.ask(lambda: self._engine.io(count, counted), "counting tokens")
        self.errors = check(draft, self._corpus_error, self.here)
        if own and self._tokenizer_error:
            self.errors["tokenizer"] = self._tokenizer_error
        self._view.set_machine(text.machine_text(self.here), self.here.gpus if self.here else 0)
        self._view.set_draft(draft, self.errors)
        size = self._vocab_size if counted else 0
        config = self.config = None if self.errors else config_of(draft, vocab_size=size or None)
        self._view.set_schedule(*schedule(config))
        if draft.corpus != self._beginning:
            corpus = self._beginning = draft.corpus
            self._reading.ask(lambda: self._engine.io(excerpt, corpus), "reading the text")
        if config is None:
            self._estimating.stop()
            name, why = next(iter(self.errors.items()))
            where = self._view.fields[name].title
            self._view.set_cost("\u2013", "\u2013", "\u2013", f"{where}: {why}")
            self._view.set_where("")
        else:
            if not self._engine.is_ready:
                self._view.set_cost("\u2026", "\u2026", "\u2026", "PyTorch is starting")
            self._view.set_where(text.where_text(config, self.here))
            known, name = self.here, "estimating a run's cost"
            self._estimating.call(estimated, config, known, name=name)
        self.planned.emit(config)

    def refuse_corpus(self, message: str) -> None:
        """The run found something wrong with the text that a look at its beginning did not show."""
        self._corpus_error = message
        self.errors = check(self.draft.value, message, self.here)
        self._view.set_draft(self.draft.value, self.errors)

    def _check_corpus(self, draft: TrainingDraft) -> None:
        """Looks at the beginning of a text that has not been looked at."""
        about = (draft.corpus, draft.tokenizer, draft.block_size)
        if about == self._checked:
            return
        self._checked, self._corpus_error = about, ""
        if draft.corpus == "stories":
            self._checking.stop()
        else:
            self._checking.ask(lambda: self._engine.io(corpus_error, *about), "looking at the text")

    def _on_checked(self, error: str) -> None:
        if error != self._corpus_error:
            self._corpus_error = error
            self.plan()

    def _on_counted(self, found: tuple[int, str]) -> None:
        self._vocab_size, self._tokenizer_error = found
        self.plan()

    def _on_estimate(self, found: tuple[Any, str, Machine, str]) -> None:
        config, unknown = self.config, self.here is None
        answer, why, self.here, note = found
        self.measured.emit(self.here)
        if config is None or self.errors:
            return
        if unknown:  # what it has decides what can be chosen
            self.plan()
            return
        if why:
            self.errors = {"size": f"T{why[1:]}"}
            self._view.set_draft(self.draft.value, self.errors)
            self.config = None
            self.planned.emit(None)
        slow = answer.seconds_per_step > SLOW_STEP
        run_in = backend_for(answer.seconds_per_step, self._run_in)
        run_in = "process" if config.ranks > 1 else run_in
        if self.draft.value.run_in != run_in and not self.draft.value.is_by_hand("run_in"):
            self.draft.begin({"run_in": run_in})
            return
        notes = [f"{config.tokens_per_step:,} tokens a step"]
        if config.repeated_fraction:
            share = format_percent(config.repeated_fraction)
            notes.append(f"{share} of the sequences are random tokens that repeat, not the text")
        if config.ranks > 1:
            notes.append(f"each rank sends {format_bytes(answer.sent)} a step")
        if note:
            notes.append(note)
        elif self.here.has_bf16 and config.precision == "fp32" and config.model.n_embd >= 256:
            notes.append("bf16 would be faster here")
        if slow and self.draft.value.run_in == "thread":
            notes.append("steps this long train better in a process of their own")
        elif slow:
            notes.append("steps this long run in a process of its own, so the window stays quick")
        self._view.set_cost(
            format_count(answer.parameters),
            format_bytes(answer.bytes),
            text.about(answer.seconds),
            ", ".join(notes),
            config.ranks > 1,
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
    lines = [line.rstrip().expandtabs(4) for line in text[: 4 * EXCERPT].splitlines()]
    whole = "\n".join(lines).strip("\n")
    if len(whole) <= EXCERPT:
        return whole
    return f"{whole[:EXCERPT].rsplit(None, 1)[0]}…"


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
    if whole and count < needed and tokenizer == CHARACTERS:
        longest = count // 10 - 1
        shorter = f", or a context of at most {longest}" if longest >= SHORTEST_CONTEXT else ""
        return (
            f"{Path(path).name} has {count:,} characters; a context of {context} needs at least "
            f"{needed:,}. Choose a longer text{shorter}"
        )
    return ""


def estimated(config: TrainingConfig, machine: Machine | None) -> tuple[Any, str, Machine, str]:
    """On the engine's thread: what a run costs, why it does not fit into memory, the machine, and
    what a person should know of the precision there.

    It is measured each time, and the best counts: it may have been busy the times before.
    """
    from core.training.memory import too_large
    from core.training.precision import precision_note
    from core.training.sizes import estimate
    from core.training.strategies import device_for
    from core.training.this_machine import this_machine

    machine = this_machine().measured() if machine is None else machine.measured(AGAIN)
    found = estimate(config, machine.speed)
    note = ""
    with contextlib.suppress(ValueError):  # a device that is not here is told at the start
        note = precision_note(config.precision, device_for(config.device, 0, config.ranks))
    return found, too_large(found.bytes_of_all), machine, note
