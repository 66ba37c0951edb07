"""Compare: wires text, tokenizers and choices to the columns."""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import replace
from functools import partial
from typing import Any

import numpy as np
from PySide6.QtCore import QObject
from PySide6.QtWidgets import QWidget

from core.fields import lenient, to_json
from explorer.panes.tokenizers.compare import menu, telling, text
from explorer.panes.tokenizers.compare.choices import Choices
from explorer.panes.tokenizers.compare.chosen import Chosen, alike, rates_tracks
from explorer.panes.tokenizers.compare.commands import mode_actions, mode_views
from explorer.panes.tokenizers.compare.differences import Differences
from explorer.panes.tokenizers.compare.header import CompareHeader
from explorer.panes.tokenizers.compare.model import Split
from explorer.panes.tokenizers.compare.splitting import Splitting
from explorer.panes.tokenizers.compare.tools import Tools
from explorer.panes.tokenizers.compare.view import CompareView
from explorer.panes.tokenizers.draft import FIRST, LONGEST_TEXT, PATH, ComparisonDraft
from explorer.panes.tokenizers.modes import Desk, Mode
from explorer.panes.tokenizers.shown_tokenizers import Shown
from explorer.panes.tokenizers.text import too_long
from explorer.panes.tokenizers.tokenizer_menu import FILES
from explorer.state.actions import Action
from explorer.state.draft import Draft
from explorer.widgets import dialogs
from explorer.widgets.flow_layout import block_starts


class CompareMode(Mode):
    """Text and tokenizers are the draft; how they are shown lies in `choices`."""

    id = "compare"
    title = "Compare"
    takes = ("files", "text")
    teaches = "How different tokenizers cut the same text, and what that costs"

    def __init__(self, desk: Desk, parent: QObject) -> None:
        super().__init__(desk, parent)
        self.choices = Choices()
        self.splits: dict[str, Split] = {}  # of the text and the choice of specials that are now
        self.view = CompareView()
        self.inputs = CompareHeader()
        self.draft = Draft(self.workspace, PATH, ComparisonDraft, self)
        self._seen = self.draft.value  # of what all has been told
        self.shown_ones = Shown(self.engine, desk.catalogue, self.draft, self)
        self.splitting = Splitting(self.engine, self)
        self.differences = Differences(self.engine, self)
        self.differences.came.connect(self.view.set_differing)
        self.chosen = Chosen(self.engine, self)
        self._rates: list[Any] = []  # steps: what the text costs
        self.tools = Tools(desk, self.view, self)
        self._ids: list[str] = []
        self._failed: set[str] = set()  # of what has failed the status line has told
        self._starts: tuple[bytes, np.ndarray] = (b"", block_starts(b""))
        self._connect()
        self.view.editor.set_text(self.text)
        self.view.set_choices(self.choices)
        self.refresh()

    def _connect(self) -> None:
        view = self.view
        view.editor.textEdited.connect(lambda text: self.set_text(text, "text"))
        view.editor.rested.connect(self.draft.end_merge)
        view.editor.cut.connect(
            lambda size: self.statusRequested.emit(too_long(size, LONGEST_TEXT))
        )
        view.toolbar.chosen.connect(lambda name, value: self.choose(**{name: value}))
        view.columnMenu.connect(lambda place: menu.open_at(self, place))
        view.columnRemoved.connect(self.shown_ones.remove)
        view.columnRetried.connect(self.shown_ones.retry)
        view.columnCancelled.connect(self.shown_ones.cancel)
        view.fileRequested.connect(self.ask_for_file_at)
        view.spanHovered.connect(view.set_marked)
        view.tokenClicked.connect(self.look_at)
        view.tokenPointed.connect(self._on_pointed)
        view.drawer.closeRequested.connect(self.chosen.clear)
        view.drawer.insideRequested.connect(self._look_inside)
        self.chosen.changed.connect(self._on_chosen)
        self.chosen.pointed.connect(self.inspect)
        self.chosen.said.connect(self.statusRequested)
        view.exampleRequested.connect(lambda: self.set_text(FIRST))
        self.inputs.add.menuOpening.connect(lambda: menu.fill_add(self))
        self.inputs.exampleChosen.connect(self.set_text)
        self.inputs.viewChosen.connect(lambda name: self.choose(view=name))
        self.tools.changed.connect(self.say)
        self.tools.pieceChosen.connect(self.chosen.choose_piece)
        self.tools.tokenizerAsked.connect(self._on_asked)
        self.shown_ones.changed.connect(self.refresh)
        self.shown_ones.said.connect(self.statusRequested)
        self.catalogue.progressed.connect(lambda _: self._show_states())
        self.splitting.came.connect(self._on_splits)
        self.splitting.slow.connect(self._on_slow)
        self.splitting.failed.connect(self.statusRequested)
        self.draft.changed.connect(self._on_changed)

    # what the pane asks

    def widget(self) -> QWidget:
        return self.view

    def header(self) -> QWidget:
        return self.inputs

    def state(self) -> dict[str, Any]:
        return {
            "version": 1,
            "tools": self.tools.state(),
            **to_json(self.choices),
        }

    def restore(self, state: dict[str, Any]) -> None:
        self.choices = lenient(Choices, state)
        self.view.set_choices(self.choices)
        self.tools.restore(state.get("tools"))
        self._show_view()

    def take(self, wish: dict[str, Any]) -> None:
        """{"add": id of the catalogue, "files": of tokenizers, "text": another text, "note": how
        it was read}. The token that was looked at before is none of these: its drawer closes."""
        self.chosen.clear()
        if isinstance(wish.get("text"), str):
            self._show_text()
            self.set_text(wish["text"])
            self.view.set_note(str(wish.get("note", "")))
        if isinstance(wish.get("add"), str):
            self.shown_ones.add(wish["add"])
        if isinstance(wish.get("files"), list):
            self.shown_ones.add_files(wish["files"])

    def actions(self) -> list[Action]:
        return mode_actions(self)

    def pictures(self) -> dict[str, QWidget]:
        tools = {f"compare-{name}": tool.widget() for name, tool in self.tools.by_name.items()}
        return {"compare-tokens": self.view.body, **tools}

    def views(self) -> dict[str, Callable[[], Any]]:
        return mode_views(self)

    def shown(self) -> None:
        self.shown_ones.open_all()

    # what is compared

    @property
    def text(self) -> str:
        return self.draft.value.text

    def set_text(self, text: str, merging: str = "") -> None:
        """Another text, or as much of it as there is room for; `merging`: it is being typed."""
        if len(text) > LONGEST_TEXT:
            text = self.view.editor.limited(text)
            self.view.editor.set_text(text)
        self.draft.change({"text": text}, "Change the text", merging)

    def choose(self, **changes: Any) -> None:
        """Changes one or more of `choices`."""
        before, self.choices = self.choices, replace(self.choices, **changes)
        if before.specials != self.choices.specials:
            self.splits.clear()
            self.chosen.clear()
            self.ask()
        self.view.set_choices(self.choices)
        self.align()
        self._show_differences()
        if before.view != self.choices.view:
            self.chosen.clear()
            self._show_view()
        self.say()

    def _show_text(self) -> None:
        if self.choices.view != "text":
            self.choose(view="text")

    def _show_view(self) -> None:
        self.inputs.set_view(self.choices.view)
        self.tools.show(self.choices.view)

    def _on_changed(self, draft: ComparisonDraft) -> None:
        """What has changed, by an undo too, is in sight: the text in its own view, tokenizers in
        all but that of a model's embeddings."""
        before, self._seen = self._seen, draft
        others = draft.tokenizers != before.tokenizers
        if draft.text != before.text or (others and self.choices.view == "glitches"):
            self._show_text()
        if draft.text != before.text:
            self.view.editor.set_text(draft.text)
            self.view.set_note("")
            self.splits.clear()
            self.chosen.clear()
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
        if not self.splitting.ask(self._cutters(), self.splits, self.text, self.choices.specials):
            self.say()

    def _cutters(self) -> dict[str, Any]:
        """The shown tokenizers that are open."""
        opened = ((one, self.shown_ones.get(one)) for one in self.shown_ones.ids)
        return {identity: one.tokenizer for identity, one in opened if one is not None}

    def refresh(self) -> None:
        """Other tokenizers, or one of them is open now."""
        ids = self.shown_ones.ids
        shown = [(self.shown_ones.name(one), self.shown_ones.get(one)) for one in ids]
        self.view.set_columns(shown)
        self.tools.set_shown(shown)
        self.splits = self.splitting.still_true(self.splits, self._cutters())
        for place, identity in enumerate(ids):
            split = self.splits.get(identity)
            if split is not None and self.shown_ones.get(identity) is not None:
                self._show_split(place, split)
            elif self._ids[place : place + 1] != [identity]:
                self.view.columns[place].clear()
        new = [place for place, one in enumerate(ids) if one not in self._ids]
        if self._ids and new:
            self.view.bring_into_sight(new[-1])
        self._ids = ids
        self.inputs.add.setToolTip(self.shown_ones.full or "Compare with another tokenizer")
        self._show_states()
        self.view.set_choices(self.choices)
        self.align()
        self._show_differences()
        self.ask()

    def _show_states(self) -> None:
        """What a tokenizer that is not open waits for, or why it failed."""
        missing = self.shown_ones.missing()
        for place, one in missing.items():
            self.view.columns[place].set_missing(one)
        self.tools.set_missing(missing)
        failed = {one.failed for one in missing.values() if one.error}
        for words in failed - self._failed if self.active else ():
            self.statusRequested.emit(words)
        self._failed = failed

    # what comes

    def _on_splits(self, splits: list[Split]) -> None:
        for split in splits:
            self.splits[split.id] = split
            if split.id in self._ids:
                self._show_split(self._ids.index(split.id), split)
        self.align()
        self._show_differences()
        if all(one in self.splits for one in self._ids if self.shown_ones.get(one) is not None):
            self.say()

    def align(self) -> None:
        self.view.align(self.choices.layout == "rows")

    def _show_differences(self) -> None:
        splits = [self.splits.get(identity) for identity in self._ids]
        if self.choices.differences:
            self.differences.ask(splits)
        else:
            self.differences.stop()
            self.view.set_differing([None] * len(self.view.columns))

    def _show_split(self, place: int, split: Split) -> None:
        data = split.tokens.data
        if data != self._starts[0]:
            self._starts = (data, block_starts(data))
        self.view.set_split(place, split, self.choices, self._starts[1])

    def _on_slow(self) -> None:
        for column, identity in zip(self.view.columns, self._ids, strict=True):
            if identity not in self.splits and column.split is not None:
                column.body.show_stale("cutting the text")

    def say(self) -> None:
        """The headline, what is played, and the inspector."""
        known = self._known()
        tool = self.tools.current
        if tool is not None:
            self._rates = tool.steps()
        else:
            self._rates = telling.rate_steps(known, self._count_of_words(), self.choices.price)
        if self.chosen.making is None:
            tracks = rates_tracks(self._rates)
            if not alike(tracks, self.tracks):  # else the transport has nothing new to show
                self.set_tracks(tracks, keep_position=True)
        self._say_headline()
        self.inspect()

    def _known(self) -> text.Named:
        """The splits that are there, by the names of their tokenizers."""
        shown = [one for one in self._ids if one in self.splits and not self.splits[one].error]
        return [(self.shown_ones.name(one), self.splits[one]) for one in shown]

    def _count_of_words(self) -> int | None:
        return next((split.words for split in self.splits.values()), None)

    def _say_headline(self) -> None:
        moment, tool = self.chosen.moment_at(self.player.position), self.tools.current
        if moment is not None:
            self.set_headline(moment.step.title)
        else:
            self.set_headline(text.headline(self._known()) if tool is None else tool.headline())

    def inspect(self) -> None:
        if not self.active:
            return
        found = self.chosen.inspection(self.player.position)
        if found is None and self.tools.current is not None:
            found = self.tools.current.inspection(max(self.player.step, 0))
        elif found is None and self._rates:
            step = self._rates[min(max(self.player.step, 0), len(self._rates) - 1)]
            known = self._known()
            found = telling.rate_inspection(known, step, self._count_of_words(), self.choices.price)
        self.inspection.emit(found)

    # the token that is looked at

    def look_at(self, place: int, token: int) -> None:
        """How the tokenizer in this place came to this token."""
        opened = self.shown_ones.get(self._ids[place])
        tokens = self.view.columns[place].flow.tokens
        if opened is not None and 0 <= token < len(tokens):
            self.view.set_selected(place, token)
            self.chosen.choose(opened, tokens, token, self.choices.specials)

    def _on_pointed(self, place: int, token: int) -> None:
        opened = self.shown_ones.get(self._ids[place]) if token >= 0 else None
        tokens = self.view.columns[place].flow.tokens
        self.chosen.point(opened, tokens, token, self.choices.specials)

    def _on_chosen(self) -> None:
        opened, making = self.chosen.opened, self.chosen.making
        self.view.set_making(opened.name if opened is not None else "", making)
        if making is None:
            self.view.set_selected(-1, -1)
            self.say()
            return
        track = self.chosen.track()
        self.set_tracks([track] if track is not None else [])
        if track is not None and self.active:
            self.player.seek(self.chosen.result)
        self.on_position(self.player.position)
        self.inspect()

    def _look_inside(self) -> None:
        self.modeRequested.emit("inside", self.chosen.wish())

    def on_position(self, position: float) -> None:
        moment = self.chosen.moment_at(position)
        share = position - math.floor(position)
        self.view.drawer.set_moment(moment, share or 1.0)
        self._say_headline()

    def cancel(self) -> bool:
        return self.chosen.clear()

    # files

    def ask_for_file(self) -> None:
        add = self.shown_ones.add_files
        dialogs.ask_file(self.view.window(), "Open a tokenizer", lambda path: add([path]), FILES)

    def _on_asked(self, what: str, place: int) -> None:
        """What another view than the text's wants done with a tokenizer."""
        ways = {
            "retry": self.shown_ones.retry,
            "remove": self.shown_ones.remove,
            "file": self.ask_for_file_at,
        }
        ways[what](place)

    def ask_for_file_at(self, place: int) -> None:
        """In place of a tokenizer that did not come."""
        take = partial(self.shown_ones.open_in_place, place)
        dialogs.ask_file(self.view.window(), "Open a tokenizer", take, FILES)
