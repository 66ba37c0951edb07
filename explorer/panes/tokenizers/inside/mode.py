"""Inside: shows how one tokenizer turns a text into tokens, step by step."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Any

from PySide6.QtCore import QObject
from PySide6.QtWidgets import QWidget

from core.numbers import format_percent
from explorer.engine.latest import Latest
from explorer.panes.tokenizers.catalogue import MODEL, Opened
from explorer.panes.tokenizers.encoding import compute
from explorer.panes.tokenizers.encoding.compute import LONGEST, EncodingStep, ExplainedText
from explorer.panes.tokenizers.encoding.inspector import inspection
from explorer.panes.tokenizers.inside import text
from explorer.panes.tokenizers.inside.draft import FIRST, InsideDraft
from explorer.panes.tokenizers.inside.inputs import InsideInputs
from explorer.panes.tokenizers.inside.view import InsideView
from explorer.panes.tokenizers.modes import Desk, Mode
from explorer.panes.tokenizers.text import too_long
from explorer.panes.tokenizers.tokenizer_menu import FILES, fill_menu
from explorer.state.draft import Draft
from explorer.state.tracks import ListTrack
from explorer.widgets import dialogs


class InsideMode(Mode):
    """The mode: one text and one tokenizer. Its setup is an undoable draft in the workspace."""

    id = "inside"
    title = "Inside"
    takes = ("tokenizer", "text")
    teaches = "How one tokenizer turns a text into tokens, step by step"

    def __init__(self, desk: Desk, parent: QObject) -> None:
        super().__init__(desk, parent)
        self.view, self.inputs = InsideView(), InsideInputs()
        self.draft = Draft(self.workspace, "tokenizers.inside", InsideDraft, self)
        self.inside: ExplainedText | None = None
        self._opened: Opened | None = None  # the tokenizer of `inside`
        self._seen = self.draft.value  # the newest draft seen
        self._is_stale = True  # to be encoded once the mode is shown
        self._keeps_place = False  # the cursor keeps its position
        self._shows_draw = False  # seek to the sample once it is drawn
        self._position = 0.0
        self._wanted: float | None = None  # the position restored from a session
        self._errors: dict[str, str] = {}  # errors of downloads, by id
        self._asked = Latest(self.engine, self)
        self._asked.came.connect(lambda inside: self._show(inside, self._keeps_place))
        self._asked.failed.connect(self._fail)
        self._connect()
        self._show_inputs()

    def _connect(self) -> None:
        view, inputs, settings = self.view, self.inputs, self.view.form.settings
        inputs.textEdited.connect(lambda text: self.set_text(text, "text"))
        inputs.rested.connect(self.draft.end_merge)
        inputs.choice.menuOpening.connect(self._fill_menu)
        settings.changed.connect(self.set_chance)
        settings.released.connect(self.draft.end_merge)
        view.form.draw.clicked.connect(self.draw_again)
        view.word.wayChosen.connect(self.show_way)
        view.body.retryRequested.connect(self.retry)
        self.show_one_answer(view.body, stop=self.give_up)
        view.body.actionRequested.connect(lambda: self.set_text(FIRST))
        self.draft.changed.connect(self._on_draft)
        self.catalogue.changed.connect(self._on_catalogue)
        self.catalogue.failed.connect(self._on_failed)
        self.catalogue.progressed.connect(self._on_catalogue)

    # called by the pane

    def state(self) -> dict[str, Any]:
        return {"version": 1, "step": self._position}

    def restore(self, state: dict[str, Any]) -> None:
        step = state.get("step")
        self._wanted = float(step) if type(step) in (int, float) and step >= 0 else None
        self._show_inputs()
        self.ask()

    def take(self, wish: dict[str, Any]) -> None:
        """Applies {"tokenizer": id in the catalogue, "text": a new text, "note": on its file}."""
        if isinstance(wish.get("text"), str):
            self.set_text(wish["text"])
            if wish.get("note"):
                self.statusRequested.emit(str(wish["note"]))
        if isinstance(wish.get("tokenizer"), str):
            self.choose(wish["tokenizer"])

    def pictures(self) -> dict[str, QWidget]:
        return {"inside-stages": self.view.stages, "inside-word": self.view.word}

    def shown(self) -> None:
        if self._is_stale:
            self.ask()

    # the setup

    @property
    def text(self) -> str:
        return self.draft.value.text

    @property
    def chosen(self) -> str:
        """The tokenizer's id in the catalogue."""
        return self.draft.value.tokenizer

    @property
    def name(self) -> str:
        entry = self.catalogue.entry(self.chosen)
        return entry.name if entry is not None else self.chosen.partition(":")[2]

    @property
    def steps(self) -> Sequence[EncodingStep]:
        return self.inside.steps if self.inside is not None else ()

    @property
    def chance(self) -> str:
        """The setting of randomness: "alpha" for Unigram, "dropout" for BPE, else ""."""
        if self._opened is None or not self._opened.ours:
            return ""
        if self._opened.kind == "unigram":
            return "alpha"
        return "dropout" if isinstance(self._opened.tokenizer, compute.WITH_DROPOUT) else ""

    @property
    def draws(self) -> bool:
        """Whether a new sample can be drawn."""
        is_certain = self.chance == "dropout" and not self.draft.value.dropout
        return bool(self.chance) and not is_certain

    def set_text(self, sentence: str, merging: str = "") -> None:
        """Changes the text, cut to LONGEST; edits with one `merging` are undone together."""
        if len(sentence) > LONGEST:
            self.statusRequested.emit(too_long(len(sentence), LONGEST))
            self.inputs.set_text(sentence[:LONGEST])
        self.draft.change({"text": sentence[:LONGEST]}, "Change the text", merging)

    def choose(self, identity: str) -> None:
        """Selects another tokenizer and downloads it first if needed."""
        entry = self.catalogue.entry(identity)
        if entry is not None:
            self.draft.change({"tokenizer": identity}, f"Look inside {entry.name}")
            self.retry()

    def retry(self) -> None:
        """Retries a failed download, opening or encoding."""
        self._errors.pop(self.chosen, None)
        entry = self.catalogue.entry(self.chosen)
        if entry is not None and not entry.here:
            self.catalogue.download(self.chosen)
        self.ask()

    def give_up(self) -> bool:
        """Cancels the download of the selected tokenizer and returns to the model's own; or the
        encoding, and returns False.
        """
        if self.catalogue.downloading(self.chosen) is None:
            self._asked.stop()
            self._show(None)
            return False
        self.catalogue.cancel(self.chosen)
        self.choose(MODEL)
        return True

    def set_chance(self, name: str, value: float) -> None:
        """Sets "alpha" or "dropout"."""
        words = self.view.form.settings.words(name, value)
        self.draft.change({name: value}, f"{name.capitalize()} {words}", name)

    def draw_again(self) -> None:
        """Draws a new sample and shows it."""
        if self.draws:
            self._shows_draw = True
            self.draft.change({"seed": self.draft.value.seed + 1}, "Draw another way")

    def show_way(self, way: int) -> None:
        """Seeks to the lattice's step with path number `way`: the n best, then the sample."""
        place = compute.step_of_way(self.steps, self.step_at(self.player.position), way)
        if place is not None:
            self.player.seek(place)

    def turn_way(self, turn: int) -> None:
        """Seeks to the next or previous path, or to the best one of a later lattice."""
        if not self.view.word.turn_way(turn):
            self.show_way(1)

    def _on_draft(self, one: InsideDraft) -> None:
        before, self._seen = self._seen, one
        self._show_inputs()
        self.ask(keep=(one.text, one.tokenizer) == (before.text, before.tokenizer))

    def _on_catalogue(self, *_: Any) -> None:
        opened = self.catalogue.get(self.chosen)
        if opened is None or opened is not self._opened:
            self._show_inputs()
            self.ask()

    def _on_failed(self, identity: str, message: str) -> None:
        self._errors[identity] = message
        if identity == self.chosen:
            self.ask()

    def _show_inputs(self) -> None:
        self.inputs.set_text(self.text)
        self.inputs.set_name(self.name)
        self.view.form.set_draft(self.draft.value, self.chance)

    # encoding

    def ask(self, keep: bool = False) -> None:
        """Encodes the text, in place of a running job; `keep` preserves the cursor's position."""
        self._asked.stop()
        self._is_stale = not self.active
        if self._is_stale:
            return
        if not self.text:
            self._show(None)
            self.view.body.show_empty(text.IDLE + ".", "Use the example")
            return
        if self.chosen in self._errors:
            self._fail(self._errors[self.chosen])
            return
        share = self.catalogue.downloading(self.chosen)
        if share is not None:
            self.view.body.show_loading(f"downloading {self.name}, {format_percent(share)}")
            return
        self._keeps_place = keep
        self.view.body.show_loading(f"looking inside {self.name}")
        self._asked.ask(self._explain, f"looking inside {self.name}")

    async def _explain(self) -> ExplainedText:
        if self.catalogue.get(self.chosen) is None:
            self.view.body.show_loading(f"opening {self.name}")
        opened = await self.catalogue.open(self.chosen, self)
        one, name = self.draft.value, f"how {self.name} encodes"
        about = one.text, one.alpha, one.dropout, one.seed
        found = await self.engine.call(compute.explain_text, opened.tokenizer, *about, name=name)
        self._opened = opened
        return found

    def _fail(self, message: str) -> None:
        self._show(None)
        self.view.body.show_error(message)

    def _show(self, inside: ExplainedText | None, keep: bool = False) -> None:
        self.inside = inside
        self._show_inputs()
        self.view.set_inside(inside)
        titles = [one.step.title for one in self.steps]
        self.set_tracks([ListTrack(titles, self.steps)] if titles else [], keep_position=keep)
        if self._wanted is not None and titles:
            self.player.seek(min(self._wanted, len(titles) - 1))
            self._wanted = None
        if self._shows_draw and titles:
            self._shows_draw = False
            self.player.seek(compute.step_of_draw(self.steps))
        self.on_position(self.player.position)
        self.inspect()

    def ask_for_file(self) -> None:
        dialogs.ask_file(self.view.window(), "Open a tokenizer", self._open_file, FILES)

    def _open_file(self, path: Any) -> None:
        self.choose(self.catalogue.add_file(path))

    def _fill_menu(self) -> None:
        chooser = self.inputs.choice.menu()
        fill_menu(chooser, self.catalogue, [self.chosen], self.choose, self.ask_for_file)

    # the cursor

    def step_at(self, position: float) -> EncodingStep | None:
        place = min(math.ceil(position), len(self.steps) - 1)
        return self.steps[place] if place >= 0 else None

    def on_position(self, position: float) -> None:
        self._position = position
        step = self.step_at(position)
        share = position - math.floor(position)
        is_bare = step is not None and step.scene is None
        coming = compute.picture_near(self.steps, math.ceil(position)) if is_bare else None
        self.view.set_step(step, share or 1.0, coming)
        self.set_headline(text.headline(self.name, self.inside, step))

    def inspect(self) -> None:
        step = self.step_at(self.player.position) if self.active else None
        self.inspection.emit(inspection(self.name, step) if step is not None else None)
