"""Inside: wires a text and a tokenizer to the stages, the word and the player."""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from typing import Any

from PySide6.QtCore import QObject
from PySide6.QtWidgets import QWidget

from core.numbers import format_percent
from explorer.engine.latest import Latest
from explorer.panes.tokenizers.catalogue import MODEL, Opened
from explorer.panes.tokenizers.encoding import compute
from explorer.panes.tokenizers.encoding.compute import LONGEST, EncodingStep, ExplainedText
from explorer.panes.tokenizers.encoding.inspector import inspection
from explorer.panes.tokenizers.inside import demo, text
from explorer.panes.tokenizers.inside.commands import commands
from explorer.panes.tokenizers.inside.draft import FIRST, InsideDraft
from explorer.panes.tokenizers.inside.header import CHANCES, InsideHeader
from explorer.panes.tokenizers.inside.view import InsideView
from explorer.panes.tokenizers.modes import Desk, Mode
from explorer.panes.tokenizers.text import too_long
from explorer.panes.tokenizers.tokenizer_menu import FILES, fill_menu
from explorer.state.actions import Action
from explorer.state.draft import Draft, named
from explorer.state.tracks import ListTrack
from explorer.widgets import dialogs


class InsideMode(Mode):
    """Text, tokenizer and what is left to chance lie in the workspace, so each can be undone."""

    id = "inside"
    title = "Inside"
    takes = ("tokenizer", "text")
    teaches = "How one tokenizer gets from a text to its tokens, step by step"

    def __init__(self, desk: Desk, parent: QObject) -> None:
        super().__init__(desk, parent)
        self.view = InsideView()
        self.inputs = InsideHeader()
        self.view.set_controls(self.inputs.controls)
        self.inside: ExplainedText | None = None
        self._opened: Opened | None = None
        self._shows_draw = False  # the way that is drawn next is to be seen
        self._keep = False  # the cursor stays where it is
        self._looking = Latest(self.engine, self)
        self._looking.came.connect(self._on_looked)
        self._looking.failed.connect(self._fail)
        self._errors: dict[str, str] = {}  # why a download failed
        self._position = 0.0
        self._wanted: float | None = None  # where a session was left
        self._later = True  # asked for once it is shown
        self.draft = Draft(self.workspace, "tokenizers.inside", InsideDraft, self)
        self._seen = self.draft.value  # of what all has been told
        self.inputs.textEdited.connect(lambda text: self.set_text(text, "text"))
        self.inputs.rested.connect(self.draft.end_merge)
        self.inputs.chanceChosen.connect(self.set_chance)
        self.inputs.drawRequested.connect(self.draw_again)
        self.inputs.choice.menuOpening.connect(self._fill_menu)
        self.view.word.wayChosen.connect(self.show_way)
        self.view.body.retryRequested.connect(self.retry)
        self.view.body.set_cancellable(True)
        self.view.body.cancelRequested.connect(self.give_up)
        self.view.body.actionRequested.connect(lambda: self.set_text(FIRST))
        self.draft.changed.connect(self._on_changed)
        self.catalogue.changed.connect(self._on_catalogue)
        self.catalogue.failed.connect(self._on_failed)
        self.catalogue.progressed.connect(self._on_catalogue)
        self._show_inputs()

    # what the pane asks

    def widget(self) -> QWidget:
        return self.view

    def header(self) -> QWidget:
        return self.inputs

    def state(self) -> dict[str, Any]:
        return {"version": 1, "step": self._position}

    def restore(self, state: dict[str, Any]) -> None:
        step = state.get("step")
        self._wanted = float(step) if type(step) in (int, float) and step >= 0 else None
        self._show_inputs()
        self.ask()

    def take(self, wish: dict[str, Any]) -> None:
        """{"tokenizer": id of the catalogue, "text": another text}."""
        if isinstance(wish.get("text"), str):
            self.set_text(wish["text"])
            if wish.get("note"):
                self.statusRequested.emit(str(wish["note"]))
        if isinstance(wish.get("tokenizer"), str):
            self.choose(wish["tokenizer"])

    def actions(self) -> list[Action]:
        return commands(self)

    def pictures(self) -> dict[str, QWidget]:
        return {"inside-stages": self.view.stages, "inside-word": self.view.word}

    def views(self) -> dict[str, Callable[[], Any]]:
        return demo.views(self)

    def shown(self) -> None:
        if self._later:
            self.ask()

    # what is looked at

    @property
    def text(self) -> str:
        return self.draft.value.text

    @property
    def chosen(self) -> str:
        return self.draft.value.tokenizer

    @property
    def alpha(self) -> float:
        return self.draft.value.alpha

    @property
    def dropout(self) -> float:
        return self.draft.value.dropout

    @property
    def seed(self) -> int:
        """Of what is drawn: the same one draws the same again."""
        return self.draft.value.seed

    @property
    def steps(self) -> Sequence[EncodingStep]:
        return self.inside.steps if self.inside is not None else ()

    @property
    def chance(self) -> str:
        """What the tokenizer leaves to chance: "alpha" of Unigram, "dropout" of BPE, or ""."""
        if self._opened is None or not self._opened.ours:
            return ""
        if self._opened.kind == "unigram":
            return "alpha"
        return "dropout" if isinstance(self._opened.tokenizer, compute.WITH_DROPOUT) else ""

    @property
    def draws(self) -> bool:
        """Whether another way can be drawn."""
        return self.chance == "alpha" or (self.chance == "dropout" and self.dropout > 0)

    @property
    def name(self) -> str:
        entry = self.catalogue.entry(self.chosen)
        return entry.name if entry is not None else self.chosen.partition(":")[2]

    def set_text(self, sentence: str, merging: str = "") -> None:
        """Another text; `merging`: it is being typed."""
        if len(sentence) > LONGEST:
            self.statusRequested.emit(too_long(len(sentence), LONGEST))
            self.inputs.set_text(sentence[:LONGEST])
        self.draft.change({"text": sentence[:LONGEST]}, "Change the text", merging)

    def choose(self, identity: str) -> None:
        """Looks inside another tokenizer; one that is not here is downloaded first."""
        entry = self.catalogue.entry(identity)
        if entry is not None:
            self.draft.change({"tokenizer": identity}, f"Look inside {entry.name}")
            self.retry()

    def retry(self) -> None:
        """Tries again what failed: a download, or looking."""
        self._errors.pop(self.chosen, None)
        entry = self.catalogue.entry(self.chosen)
        if entry is not None and not entry.here:
            self.catalogue.download(self.chosen)
        self.ask()

    def give_up(self) -> None:
        """Ends a download that is waited for; the model's own tokenizer is looked at again."""
        if self.catalogue.downloading(self.chosen) is not None:
            self.catalogue.cancel(self.chosen)
            self.choose(MODEL)

    def set_chance(self, value: float) -> None:
        """Of whatever the tokenizer leaves to chance."""
        if self.chance:
            told = named(CHANCES[self.chance].name, value)
            self.draft.change({self.chance: value}, told, self.chance)

    def draw_again(self) -> None:
        """Another random way to cut the text, and shows it."""
        if self.draws:
            self._shows_draw = True
            self.draft.change({"seed": self.seed + 1}, "Draw another way")

    def show_way(self, way: int) -> None:
        """Of the lattice that is seen the step with this way: the n best, then the one drawn."""
        place = compute.step_of_way(self.steps, self.step_at(self.player.position), way)
        if place is not None:
            self.player.seek(place)

    def turn_way(self, turn: int) -> None:
        """The next or the last way; of a lattice that is still to come, its best."""
        if not self.view.word.turn_way(turn):
            self.show_way(1)

    def _on_changed(self, one: InsideDraft) -> None:
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
        self.inputs.set_chance(self.chance, getattr(self.draft.value, self.chance, 0.0))

    # looking

    def ask(self, keep: bool = False) -> None:
        """Looks again; what was asked before is not wanted any more."""
        self._looking.stop()
        self._later = not self.active
        if self._later:
            return
        if not self.text:
            self._show(None, False)
            self.view.body.show_empty(text.IDLE + ".", "Use the example")
            return
        if self.chosen in self._errors:
            self._fail(self._errors[self.chosen])
            return
        share = self.catalogue.downloading(self.chosen)
        if share is not None:
            self.view.body.show_loading(f"downloading {self.name}, {format_percent(share)}")
            return
        self._keep = keep
        self._looking.ask(self._look, f"looking inside {self.name}")

    async def _look(self) -> ExplainedText:
        if self.catalogue.get(self.chosen) is None:
            self.view.body.show_loading(f"opening {self.name}")
        opened = await self.catalogue.open(self.chosen, self)
        about = self.text, self.alpha, self.dropout, self.seed
        name = f"how {self.name} encodes"
        found = await self.engine.call(compute.explain_text, opened.tokenizer, *about, name=name)
        self._opened = opened
        return found

    def _on_looked(self, inside: ExplainedText) -> None:
        self._show(inside, self._keep)

    def _fail(self, message: str) -> None:
        self._show(None, False)
        self.view.body.show_error(message)

    def _show(self, inside: ExplainedText | None, keep: bool) -> None:
        self.inside = inside
        self._show_inputs()
        self.view.set_inside(inside)
        titles = [moment.step.title for moment in self.steps]
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

    # playing

    def step_at(self, position: float) -> EncodingStep | None:
        place = min(math.ceil(position), len(self.steps) - 1)
        return self.steps[place] if place >= 0 else None

    def on_position(self, position: float) -> None:
        self._position = position
        moment = self.step_at(position)
        share = position - math.floor(position)
        bare = moment is not None and moment.scene is None
        coming = compute.picture_near(self.steps, math.ceil(position)) if bare else None
        self.view.set_step(moment, share or 1.0, coming)
        self.set_headline(text.headline(self.name, self.inside, moment))

    def inspect(self) -> None:
        moment = self.step_at(self.player.position) if self.active else None
        self.inspection.emit(inspection(self.name, moment) if moment is not None else None)
