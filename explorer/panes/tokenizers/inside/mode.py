"""Inside: wires a text and a tokenizer to the stages, the word and the player."""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from typing import Any

from PySide6.QtCore import QObject
from PySide6.QtWidgets import QWidget

from explorer import dialogs, errors
from explorer.actions import Action
from explorer.engine import SUPERSEDED, EngineDied
from explorer.panes.tokenizers.catalogue import MODEL, Opened
from explorer.panes.tokenizers.compare import menu
from explorer.panes.tokenizers.compare.mode import FILES
from explorer.panes.tokenizers.inside import demo, words
from explorer.panes.tokenizers.inside.header import InsideHeader
from explorer.panes.tokenizers.inside.looking import LONGEST, Inside, Moment, look_inside
from explorer.panes.tokenizers.inside.view import InsideView
from explorer.panes.tokenizers.modes import Desk, Mode
from explorer.tracks import ListTrack

TEXT, CHOSEN, ALPHA = "tokenizers.inside.text", "tokenizers.inside.chosen", "tokenizers.alpha"
FIRST = "Once upon a time, unbelievably"


def create(desk: Desk, parent: QObject) -> Mode:
    return InsideMode(desk, parent)


class InsideMode(Mode):
    """Text, tokenizer and alpha lie in the workspace, so each of them can be undone."""

    id = "inside"
    title = "Inside"
    teaches = "How one tokenizer gets from a text to its tokens, step by step"

    def __init__(self, desk: Desk, parent: QObject) -> None:
        super().__init__(desk, parent)
        self.view = InsideView()
        self.inputs = InsideHeader()
        self.inside: Inside | None = None
        self._opened: Opened | None = None
        self._seed = 0
        self._turn = 0
        self._errors: dict[str, str] = {}  # why a download failed
        self._position = 0.0
        self._wanted: float | None = None  # where a session was left
        self._later = True  # asked for once it is shown and the engine runs
        self.workspace.begin(TEXT, FIRST)
        self.workspace.begin(CHOSEN, MODEL)
        self.workspace.begin(ALPHA, 1.0)
        self.inputs.textEdited.connect(self.set_text)
        self.inputs.alphaChosen.connect(self.set_alpha)
        self.inputs.drawRequested.connect(self.draw_again)
        self.inputs.choice.menuOpening.connect(self._fill_menu)
        self.view.body.retryRequested.connect(self.retry)
        self.view.body.set_cancellable(True)
        self.view.body.cancelRequested.connect(self.give_up)
        self.view.body.actionRequested.connect(lambda: self.set_text(FIRST))
        self.workspace.changed.connect(self._on_changed)
        self.catalogue.changed.connect(self._on_catalogue)
        self.catalogue.failed.connect(self._on_failed)
        self.catalogue.progressed.connect(self._on_catalogue)
        self.engine.activityChanged.connect(self._on_activity)
        self._show_inputs()

    # what the pane asks

    def widget(self) -> QWidget:
        return self.view

    def header(self) -> QWidget:
        return self.inputs

    def state(self) -> dict[str, Any]:
        return {
            "version": 1,
            "text": self.text,
            "tokenizer": self.chosen,
            "alpha": self.alpha,
            "step": self._position,
        }

    def restore(self, state: dict[str, Any]) -> None:
        if isinstance(state.get("text"), str):
            self.workspace.begin(TEXT, state["text"][:LONGEST])
        if isinstance(state.get("tokenizer"), str):
            self.workspace.begin(CHOSEN, state["tokenizer"])
        alpha = state.get("alpha")
        if type(alpha) in (int, float) and 0 <= alpha <= 3:
            self.workspace.begin(ALPHA, float(alpha))
        step = state.get("step")
        self._wanted = float(step) if type(step) in (int, float) and step >= 0 else None
        self._show_inputs()
        self.ask()

    def take(self, wish: dict[str, Any]) -> None:
        """{"tokenizer": id of the catalogue, "text": another text}."""
        if isinstance(wish.get("text"), str):
            self.set_text(wish["text"])
        if isinstance(wish.get("tokenizer"), str):
            self.choose(wish["tokenizer"])

    def actions(self) -> list[Action]:
        def shown() -> bool:
            return self.active

        return [
            Action(
                "tokenizers.inside.text",
                "Inside: type a text",
                self.inputs.text.setFocus,
                enabled=shown,
            ),
            Action(
                "tokenizers.inside.open",
                "Inside: open a tokenizer's file",
                self.ask_for_file,
                enabled=shown,
            ),
            Action(
                "tokenizers.inside.larger",
                "Inside: a larger picture of the word",
                lambda: self.view.word.set_zoom(self.view.word.zoom * 1.25),
                enabled=shown,
            ),
            Action(
                "tokenizers.inside.smaller",
                "Inside: a smaller picture of the word",
                lambda: self.view.word.set_zoom(self.view.word.zoom / 1.25),
                enabled=shown,
            ),
            Action(
                "tokenizers.inside.draw",
                "Inside: draw another way to cut the text",
                self.draw_again,
                enabled=lambda: self.active and self.draws,
            ),
        ]

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
        return self.workspace.value(TEXT, "")

    @property
    def chosen(self) -> str:
        return self.workspace.value(CHOSEN, MODEL)

    @property
    def alpha(self) -> float:
        return self.workspace.value(ALPHA, 1.0)

    @property
    def moments(self) -> Sequence[Moment]:
        return self.inside.moments if self.inside is not None else ()

    @property
    def draws(self) -> bool:
        return self._opened is not None and self._opened.kind == "unigram" and self._opened.ours

    @property
    def name(self) -> str:
        entry = self.catalogue.entry(self.chosen)
        return entry.name if entry is not None else self.chosen.partition(":")[2]

    def set_text(self, text: str) -> None:
        self.workspace.change(TEXT, text[:LONGEST], "Change the text", merge=True)

    def choose(self, identity: str) -> None:
        """Looks inside another tokenizer; one that is not here is downloaded first."""
        entry = self.catalogue.entry(identity)
        if entry is not None:
            self.workspace.change(CHOSEN, identity, f"Look inside {entry.name}")
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

    def set_alpha(self, alpha: float) -> None:
        self.workspace.change(ALPHA, alpha, "Change alpha", merge=True)

    def draw_again(self) -> None:
        """Another random way to cut the text."""
        self._seed += 1
        self.ask(keep=True)

    def _on_changed(self, path: str, _: Any) -> None:
        if path in (TEXT, CHOSEN, ALPHA):
            self._show_inputs()
            self.ask(keep=path == ALPHA)

    def _on_catalogue(self, *_: Any) -> None:
        opened = self.catalogue.get(self.chosen)
        if opened is None or opened is not self._opened:
            self._show_inputs()
            self.ask()

    def _on_failed(self, identity: str, message: str) -> None:
        self._errors[identity] = message
        if identity == self.chosen:
            self.ask()

    def _on_activity(self) -> None:
        if self._later and self.active and self.engine.alive:
            self.ask()

    def _show_inputs(self) -> None:
        self.inputs.set_text(self.text)
        self.inputs.set_name(self.name)
        self.inputs.set_alpha(self.alpha)

    # looking

    def ask(self, keep: bool = False) -> None:
        """Looks again; what was asked before is not wanted any more."""
        self._turn += 1
        self._later = not (self.active and self.engine.alive)
        if self._later:
            return
        if not self.text:
            self._show(None, False)
            self.view.body.show_empty(words.IDLE + ".", "Use the example")
            return
        if self.chosen in self._errors:
            self._fail(self._errors[self.chosen])
            return
        share = self.catalogue.downloading(self.chosen)
        if share is not None:
            self.view.body.show_loading(f"downloading {self.name}, {share:.0%}")
            return
        self.spawn(self._look(self._turn, keep))

    async def _look(self, turn: int, keep: bool) -> None:
        if turn != self._turn:
            return  # another question has been asked meanwhile
        if self.catalogue.get(self.chosen) is None:
            self.view.body.show_loading(f"opening {self.name}")
        try:
            opened = await self.catalogue.open(self.chosen)
            if turn != self._turn:
                return
            found = await self.engine.call(
                look_inside, opened.tokenizer, self.text, self.alpha, self._seed, key=(self.id,)
            )
        except (ValueError, OSError, EngineDied) as error:
            if turn == self._turn:
                self._fail(str(error))
            return
        except Exception as error:  # the picture must not wait for ever
            errors.report(error, f"looking inside {self.name}")
            if turn == self._turn:
                self._fail(str(error))
            return
        if found is not SUPERSEDED and turn == self._turn:
            self._opened = opened
            self._show(found, keep)

    def _fail(self, message: str) -> None:
        self._show(None, False)
        self.view.body.show_error(message)

    def _show(self, inside: Inside | None, keep: bool) -> None:
        self.inside = inside
        self.inputs.set_draws(self.draws)
        self.view.set_inside(inside)
        titles = [moment.step.title for moment in self.moments]
        self.set_tracks([ListTrack(titles, self.moments)] if titles else [], keep_position=keep)
        if self._wanted is not None and titles:
            self.player.seek(min(self._wanted, len(titles) - 1))
            self._wanted = None
        self.on_position(self.player.position)
        self.inspect()

    def ask_for_file(self) -> None:
        window: Any = self.view.window()
        dialogs.ask_file(window, "Open a tokenizer", self._open_file, FILES)

    def _open_file(self, path: Any) -> None:
        self.choose(self.catalogue.add_file(path))

    def _fill_menu(self) -> None:
        chooser = self.inputs.choice.menu()
        menu.fill(chooser, self.catalogue, [self.chosen], self.choose, self.ask_for_file)

    # playing

    def moment_at(self, position: float) -> Moment | None:
        place = min(math.ceil(position), len(self.moments) - 1)
        return self.moments[place] if place >= 0 else None

    def on_position(self, position: float) -> None:
        self._position = position
        moment = self.moment_at(position)
        share = position - math.floor(position)
        self.view.set_moment(moment, share or 1.0)
        self.set_headline(words.headline(self.name, self.inside, moment))

    def inspect(self) -> None:
        moment = self.moment_at(self.player.position) if self.active else None
        self.inspection.emit(words.inspection(self.name, moment) if moment is not None else None)
