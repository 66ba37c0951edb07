"""Compare: wires text, tokenizers and choices to the columns."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from functools import partial
from typing import Any

import numpy as np
from PySide6.QtCore import QObject
from PySide6.QtWidgets import QMenu, QWidget

from explorer import dialogs
from explorer.actions import Action
from explorer.panes.tokenizers.compare import menu, words
from explorer.panes.tokenizers.compare.choices import Choices
from explorer.panes.tokenizers.compare.commands import mode_actions, mode_views
from explorer.panes.tokenizers.compare.editor import MOST as LONGEST_TEXT
from explorer.panes.tokenizers.compare.examples import FIRST
from explorer.panes.tokenizers.compare.header import CompareHeader
from explorer.panes.tokenizers.compare.model import Split
from explorer.panes.tokenizers.compare.shown import Shown
from explorer.panes.tokenizers.compare.splitting import Splitting
from explorer.panes.tokenizers.compare.view import CompareView
from explorer.panes.tokenizers.modes import Desk, Mode
from explorer.widgets.flow_layout import block_starts

TEXT = "tokenizers.text"
FILES = (
    "Tokenizers (*.json *.model *.tiktoken *.txt *.gguf *.bpe);;All files (*)"  # by what they hold
)


def create(desk: Desk, parent: QObject) -> Mode:
    return CompareMode(desk, parent)


class CompareMode(Mode):
    """Text and tokenizers lie in the workspace; how they are shown lies in `choices`."""

    id = "compare"
    title = "Compare"
    teaches = "How different tokenizers cut the same text, and what that costs"

    def __init__(self, desk: Desk, parent: QObject) -> None:
        super().__init__(desk, parent)
        self.choices = Choices()
        self.splits: dict[str, Split] = {}  # of the text and the choice of specials that are now
        self.view = CompareView()
        self.inputs = CompareHeader()
        self.shown_ones = Shown(desk.catalogue, self.workspace, self)
        self.splitting = Splitting(self.engine, self)
        self._ids: list[str] = []
        self._starts: tuple[bytes, np.ndarray] = (b"", block_starts(b""))
        self.workspace.begin(TEXT, FIRST)
        self._connect()
        self.view.editor.set_text(self.text)
        self.view.set_choices(self.choices)
        self.refresh()

    def _connect(self) -> None:
        view = self.view
        view.editor.textEdited.connect(self.set_text)
        view.editor.cut.connect(
            lambda size: self.statusRequested.emit(
                f"The text has {size:,} characters; the first {LONGEST_TEXT:,} were taken"
            )
        )
        view.toolbar.chosen.connect(lambda name, value: self.choose(**{name: value}))
        view.columnMenu.connect(self._open_menu)
        view.columnRemoved.connect(self.shown_ones.remove)
        view.columnRetried.connect(self.shown_ones.retry)
        view.columnCancelled.connect(self.shown_ones.cancel)
        view.spanHovered.connect(view.set_marked)
        view.filesDropped.connect(self.shown_ones.add_files)
        view.exampleRequested.connect(lambda: self.set_text(FIRST))
        self.inputs.add.menuOpening.connect(self._fill_add)
        self.inputs.exampleChosen.connect(self.set_text)
        self.shown_ones.changed.connect(self.refresh)
        self.shown_ones.said.connect(self.statusRequested)
        self.catalogue.progressed.connect(lambda _: self._show_states())
        self.splitting.came.connect(self._on_splits)
        self.splitting.slow.connect(self._on_slow)
        self.splitting.failed.connect(self._on_failed)
        self.workspace.changed.connect(self._on_changed)

    # what the pane asks

    def widget(self) -> QWidget:
        return self.view

    def header(self) -> QWidget:
        return self.inputs

    def state(self) -> dict[str, Any]:
        return {
            "version": 1,
            "text": self.text[:100_000],
            "tokenizers": self.shown_ones.state(),
            **self.choices.state(),
        }

    def restore(self, state: dict[str, Any]) -> None:
        self.choices = self.choices.restored(state)
        self.view.set_choices(self.choices)
        if isinstance(state.get("text"), str):
            self.workspace.begin(TEXT, state["text"])
        self.shown_ones.restore(state.get("tokenizers"))

    def take(self, wish: dict[str, Any]) -> None:
        """{"add": id of the catalogue, "text": another text}."""
        if isinstance(wish.get("text"), str):
            self.set_text(wish["text"])
        if isinstance(wish.get("add"), str):
            self.shown_ones.add(wish["add"])

    def actions(self) -> list[Action]:
        return mode_actions(self)

    def pictures(self) -> dict[str, QWidget]:
        return {"compare-tokens": self.view.body}

    def views(self) -> dict[str, Callable[[], Any]]:
        return mode_views(self)

    def shown(self) -> None:
        self.shown_ones.open_all()

    # what is compared

    @property
    def text(self) -> str:
        return self.workspace.value(TEXT, "")

    def set_text(self, text: str) -> None:
        self.workspace.change(TEXT, text, "Change the text", merge=True)

    def choose(self, **changes: Any) -> None:
        """Changes one or more of `choices`."""
        before, self.choices = self.choices, replace(self.choices, **changes)
        if before.specials != self.choices.specials:
            self.splits.clear()
            self.ask()
        self.view.set_choices(self.choices)
        self.say()

    def _on_changed(self, path: str, value: Any) -> None:
        if path == TEXT:
            self.view.editor.set_text(value)
            self.splits.clear()
            self.ask()

    def ask(self) -> None:
        """The splits that are missing; an empty text has none."""
        if not self.text:
            self.splitting.stop()
            self.view.body.show_empty(
                "Type or paste a text: every tokenizer cuts it as you type.", "Use the example"
            )
            self.say()
            return
        self.view.body.show_ready()
        asked = []
        for identity in self.shown_ones.ids:
            opened = self.shown_ones.get(identity)
            if opened is not None and identity not in self.splits:
                asked.append((identity, opened.tokenizer))
        self.splitting.ask(asked, self.text, self.choices.specials)

    def refresh(self) -> None:
        """Other tokenizers, or one of them is open now."""
        ids = self.shown_ones.ids
        shown = [(self.shown_ones.name(one), self.shown_ones.get(one)) for one in ids]
        self.view.set_columns(shown)
        self.splits = {one: split for one, split in self.splits.items() if one in ids}
        for place, identity in enumerate(ids):
            split = self.splits.get(identity)
            if split is not None and self.shown_ones.get(identity) is not None:
                self._show_split(place, split)
            elif self._ids[place : place + 1] != [identity]:
                self.view.columns[place].clear()
        self._ids = ids
        self.inputs.add.setToolTip(self.shown_ones.full or "Compare with another tokenizer")
        self._show_states()
        self.view.set_choices(self.choices)
        self.ask()

    def _show_states(self) -> None:
        """What a tokenizer that is not open waits for, or why it failed."""
        for column, identity in zip(self.view.columns, self._ids, strict=True):
            error = self.shown_ones.errors.get(identity)
            if error is not None:
                column.clear()
                column.body.show_error(error)
            elif self.shown_ones.get(identity) is None:
                column.clear()
                column.body.show_loading(self.shown_ones.waiting_for(identity))

    # what comes

    def _on_splits(self, splits: list[Split]) -> None:
        for split in splits:
            self.splits[split.id] = split
            if split.id in self._ids:
                self._show_split(self._ids.index(split.id), split)
        if self.choices.differences:
            self.view.show_differences(True)
        self.say()

    def _show_split(self, place: int, split: Split) -> None:
        data = split.tokens.data
        if data != self._starts[0]:
            self._starts = (data, block_starts(data))
        self.view.set_split(place, split, self.choices, self._starts[1])

    def _on_slow(self) -> None:
        for column, identity in zip(self.view.columns, self._ids, strict=True):
            if identity not in self.splits and column.split is not None:
                column.body.show_stale("cutting the text")

    def _on_failed(self, message: str) -> None:
        self.statusRequested.emit(message)

    def say(self) -> None:
        """The headline, and the inspector."""
        known = [(self.shown_ones.name(one), self.splits[one]) for one in self._shown_splits()]
        self.set_headline(words.headline(known))
        self.inspect()

    def _shown_splits(self) -> list[str]:
        return [one for one in self._ids if one in self.splits and not self.splits[one].error]

    def inspect(self) -> None:
        known = [(self.shown_ones.name(one), self.splits[one]) for one in self._shown_splits()]
        self.inspection.emit(words.inspection(known) if known else None)

    # menus and files

    def _fill_add(self) -> None:
        menu.fill(
            self.inputs.add.menu(),
            self.catalogue,
            self._ids,
            self.shown_ones.add,
            self.ask_for_file,
            self.shown_ones.full,
        )

    def _open_menu(self, place: int) -> None:
        """Another tokenizer in this place."""
        button = self.view.columns[place].head.name
        chooser = QMenu(button)
        chooser.aboutToHide.connect(chooser.deleteLater)
        menu.fill(
            chooser,
            self.catalogue,
            self._ids,
            partial(self.shown_ones.replace, place),
            self.ask_for_file,
        )
        chooser.popup(button.mapToGlobal(button.rect().bottomLeft()))

    def ask_for_file(self) -> None:
        window: Any = self.view.window()
        dialogs.ask_file(
            window, "Open a tokenizer", lambda path: self.shown_ones.add_files([path]), FILES
        )
