"""Compare: connects text, tokenizers and display options to the columns and submodes."""

from __future__ import annotations

import math
from dataclasses import replace
from functools import partial
from typing import Any

from PySide6.QtCore import QObject
from PySide6.QtWidgets import QMenu, QWidget

from core.fields import lenient, to_json
from core.trace import Step
from explorer.panes.tokenizers.compare import inspector, text
from explorer.panes.tokenizers.compare.compute import Split
from explorer.panes.tokenizers.compare.display_options import DisplayOptions
from explorer.panes.tokenizers.compare.glitches.mode import GlitchesMode
from explorer.panes.tokenizers.compare.inputs import CompareInputs
from explorer.panes.tokenizers.compare.overlap.mode import OverlapMode
from explorer.panes.tokenizers.compare.runner import SplitRunner
from explorer.panes.tokenizers.compare.selection import TokenSelection
from explorer.panes.tokenizers.compare.submode import Submode
from explorer.panes.tokenizers.compare.view import CompareView
from explorer.panes.tokenizers.compare.vocabulary.mode import VocabularyMode
from explorer.panes.tokenizers.draft import FIRST, LONGEST_TEXT, PATH, ComparisonDraft
from explorer.panes.tokenizers.modes import Desk, Mode
from explorer.panes.tokenizers.shown_tokenizers import Shown
from explorer.panes.tokenizers.text import too_long
from explorer.panes.tokenizers.tokenizer_menu import FILES, fill_menu
from explorer.state.draft import Draft
from explorer.state.tracks import ListTrack
from explorer.widgets import dialogs


class CompareMode(Mode):
    """The mode. Text and tokenizers are the draft; `options` are the display options."""

    id = "compare"
    title = "Compare"
    takes = ("files", "text")
    teaches = "How different tokenizers split the same text, and what it costs"

    def __init__(self, desk: Desk, parent: QObject) -> None:
        super().__init__(desk, parent)
        self.options = DisplayOptions()
        self.splits: dict[str, Split] = {}  # of the current text, by the tokenizer's id
        self.view = CompareView()
        self.inputs = CompareInputs()
        self.draft = Draft(self.workspace, PATH, ComparisonDraft, self)
        self._before = self.draft.value  # the draft as shown
        self.shown_ones = Shown(self.engine, desk.catalogue, self.draft, self)
        self.runner = SplitRunner(self.engine, self)
        self.selection = TokenSelection(self.engine, self)
        self.search = VocabularyMode(self.engine, self)
        self.submodes: dict[str, Submode] = {
            "vocabulary": self.search,
            "overlap": OverlapMode(self.engine, self),
            "glitches": GlitchesMode(self.engine, desk.catalogue, self.workspace, self),
        }
        self._steps: list[Step] = []  # played while no token is selected
        self._titles: list[str] | None = None  # titles of the steps in the player
        self._ids: list[str] = []  # of the tokenizers, in display order
        self._connect()
        self.view.editor.set_text(self.text)
        self.view.set_options(self.options)
        self.refresh()

    def _connect(self) -> None:
        view, shown, tell = self.view, self.shown_ones, self.statusRequested
        view.editor.textEdited.connect(lambda text: self.set_text(text, "text"))
        view.editor.rested.connect(self.draft.end_merge)
        view.editor.cut.connect(lambda size: tell.emit(too_long(size, LONGEST_TEXT)))
        view.toolbar.chosen.connect(lambda name, value: self.choose(**{name: value}))
        view.tokenizerAsked.connect(self._on_asked)
        view.tokenClicked.connect(self.look_at)
        view.tokenPointed.connect(self._on_pointed)
        view.drawer.closeRequested.connect(self.selection.clear)
        view.drawer.insideRequested.connect(self._look_inside)
        view.body.actionRequested.connect(lambda: self.set_text(FIRST))
        self.selection.changed.connect(self._on_selected)
        self.selection.pointed.connect(self.inspect)
        self.selection.failed.connect(tell)
        self.inputs.add.menuOpening.connect(self._fill_add)
        self.inputs.exampleChosen.connect(self.set_text)
        self.inputs.viewChosen.connect(lambda name: self.choose(view=name))
        for submode in self.submodes.values():
            view.pages.addWidget(submode.view)
            submode.changed.connect(lambda submode=submode: submode.active and self.tell())
            submode.pieceChosen.connect(self.selection.choose_piece)
            submode.tokenizerAsked.connect(self._on_asked)
        shown.changed.connect(self.refresh)
        shown.said.connect(tell)
        self.catalogue.progressed.connect(lambda _: self._show_missing())
        self.runner.came.connect(self._on_splits)
        self.runner.failed.connect(view.body.show_error)
        self.runner.compared.connect(view.set_differing)
        self.draft.changed.connect(self._on_draft)
        view.body.retryRequested.connect(self._split)
        self.show_one_answer(view.body, stop=self._give_up)

    # called by the pane

    def state(self) -> dict[str, Any]:
        tools = {"vocabulary": self.search.state()}
        return {"version": 1, "tools": tools, **to_json(self.options)}

    def restore(self, state: dict[str, Any]) -> None:
        tools = state.get("tools")
        self.search.restore(tools.get("vocabulary") if isinstance(tools, dict) else None)
        self.choose(**vars(lenient(DisplayOptions, state)))

    def take(self, wish: dict[str, Any]) -> None:
        """Applies {"add": id in the catalogue, "files": tokenizer files, "text": a new text,
        "note": how its file was read}, and closes the drawer."""
        self.selection.clear()
        if isinstance(wish.get("text"), str):
            self.choose(view="text")
            self.set_text(wish["text"])
            self.view.set_note(str(wish.get("note", "")))
        if isinstance(wish.get("add"), str):
            self.shown_ones.add(wish["add"])
        if isinstance(wish.get("files"), list):
            self.shown_ones.add_files(wish["files"])

    def pictures(self) -> dict[str, QWidget]:
        views = {f"compare-{name}": submode.view for name, submode in self.submodes.items()}
        return {"compare-tokens": self.view.body, **views}

    def shown(self) -> None:
        self.shown_ones.open_all()

    def cancel(self) -> bool:
        return self.selection.clear()

    # text and options

    @property
    def text(self) -> str:
        return self.draft.value.text

    def set_text(self, text: str, merging: str = "") -> None:
        """Changes the text, cut to LONGEST_TEXT; edits with one `merging` are undone together."""
        if len(text) > LONGEST_TEXT:
            text = self.view.editor.limited(text)
            self.view.editor.set_text(text)
        self.draft.change({"text": text}, "Change the text", merging)

    def _on_draft(self, draft: ComparisonDraft) -> None:
        """Shows a change of the draft, also after undo: switches to the text view if the text has
        changed, or if the tokenizers have and Glitches, which does not show them, is open."""
        before, self._before = self._before, draft
        others = draft.tokenizers != before.tokenizers
        if draft.text != before.text or (others and self.options.view == "glitches"):
            self.choose(view="text")
        if draft.text != before.text:
            self.view.editor.set_text(draft.text)
            self.view.set_note("")
            self._split_anew()

    def choose(self, **changes: Any) -> None:
        """Changes some of the display options."""
        before, self.options = self.options, replace(self.options, **changes)
        if self.options == before:
            return
        if before.specials != self.options.specials:
            self._split_anew()
        self.view.set_options(self.options)
        self._show_tokens()
        if before.view != self.options.view:
            self.selection.clear()
            self._show_view()
        self.tell()

    def _show_view(self) -> None:
        chosen = self.options.view
        self.inputs.set_view(chosen)
        self.view.show_page(self.submodes[chosen].view if self.submode is not None else None)
        for name, submode in self.submodes.items():
            submode.set_active(name == chosen)

    @property
    def submode(self) -> Submode | None:
        """The visible submode; None for the text view."""
        return self.submodes.get(self.options.view)

    # tokenizers and splits

    def _tokenizers(self) -> dict[str, Any]:
        """Returns the shown tokenizers that are open, by id."""
        opened = ((one, self.shown_ones.get(one)) for one in self.shown_ones.ids)
        return {identity: one.tokenizer for identity, one in opened if one is not None}

    def refresh(self) -> None:
        """Updates columns and submodes after the list of tokenizers changed or one has opened."""
        before, self._ids = self._ids, self.shown_ones.ids
        shown = [(self.shown_ones.name(one), self.shown_ones.get(one)) for one in self._ids]
        self.view.set_columns(shown)
        for submode in self.submodes.values():
            submode.set_shown(shown)
        now = self._tokenizers()
        current = (one for one in self.splits.values() if now.get(one.id) is one.tokenizer)
        self.splits = {split.id: split for split in current}
        for place, identity in enumerate(self._ids):
            if identity in self.splits:
                self.view.columns[place].set_split(self.splits[identity], self.options)
            elif before[place : place + 1] != [identity]:
                self.view.columns[place].clear()
        new = [place for place, one in enumerate(self._ids) if one not in before]
        if before and new:
            self.view.bring_into_sight(new[-1])
        self.inputs.add.setToolTip(self.shown_ones.full or text.ADD)
        self._show_missing()
        self.view.set_options(self.options)
        self._show_tokens()
        self._split()

    def _show_missing(self) -> None:
        """Shows for each tokenizer that is not open what it is waiting for, or its error."""
        missing = self.shown_ones.missing()
        for place, one in missing.items():
            self.view.columns[place].set_missing(one)
        for submode in self.submodes.values():
            submode.set_missing(missing)

    def _split_anew(self) -> None:
        """Drops all splits and splits the text again, after a change of text or of `specials`."""
        self.splits.clear()
        self.selection.clear()
        self._split()

    def _split(self) -> None:
        """Requests missing splits; an empty text has none."""
        if not self.text:
            self.runner.stop()
            self.view.body.show_empty(f"{text.IDLE}.", "Use the example")
            self.tell()
            return
        known = self.splits.values()
        asks = self.runner.split(self._tokenizers(), known, self.text, self.options.specials)
        if asks and not self.splits and any(one.split is not None for one in self.view.columns):
            self.view.body.show_loading(text.SPLITTING)
            return
        self.view.body.show_ready()
        if not asks:
            self.tell()

    def _give_up(self) -> None:
        self.runner.stop()
        for column in self.view.columns:
            column.clear()
        self.tell()

    def _on_splits(self, splits: list[Split]) -> None:
        self.view.body.show_ready()
        for split in splits:
            self.splits[split.id] = split
            if split.id in self._ids:
                column = self.view.columns[self._ids.index(split.id)]
                column.set_split(split, self.options)
        for column, identity in zip(self.view.columns, self._ids, strict=True):
            if identity not in self.splits and column.split is not None:
                column.body.show_loading(text.SPLITTING)
        self._show_tokens()
        if self.splits.keys() >= self._tokenizers().keys():
            self.tell()

    def _show_tokens(self) -> None:
        """Aligns the tokens in rows and colors the differences."""
        self.view.align(self.options.layout == "rows")
        splits = [self.splits.get(identity) for identity in self._ids]
        self.runner.compare(splits if self.options.differences else [None] * len(splits))

    # headline and inspector

    def tell(self) -> None:
        """Updates headline, steps and inspector for the text or the visible submode."""
        submode = self.submode
        if submode is not None:
            self._steps = submode.steps()
        else:
            self._steps = inspector.rate_steps(self._known(), self._words(), self.options.price)
        titles = [step.title for step in self._steps]
        if self.selection.chosen is None and titles != self._titles:
            self._titles = titles
            tracks = [ListTrack(titles, self._steps)] if titles else []
            self.set_tracks(tracks, keep_position=True)
        self._tell_headline()
        self.inspect()

    def _known(self) -> text.Named:
        """Returns the splits made so far, each with its tokenizer's name."""
        there = [one for one in self._ids if one in self.splits and not self.splits[one].error]
        return [(self.shown_ones.name(one), self.splits[one]) for one in there]

    def _words(self) -> int | None:
        """Returns the number of words in the text, or None if not counted."""
        return next((split.words for split in self.splits.values()), None)

    def _tell_headline(self) -> None:
        step, submode = self.selection.step_at(self.player.position), self.submode
        if step is not None:
            self.set_headline(step.step.title)
        else:
            told = submode.headline() if submode is not None else text.headline(self._known())
            self.set_headline(told)

    def inspect(self) -> None:
        if not self.active:
            return
        found, place = self.selection.inspection(self.player.position), max(self.player.step, 0)
        if found is None and self.submode is not None:
            found = self.submode.inspection(place)
        elif found is None and self._steps:
            step = self._steps[min(place, len(self._steps) - 1)]
            about = self._known(), step, self._words(), self.options.price
            found = inspector.rate_inspection(*about)
        self.inspection.emit(found)

    # the selected token

    def look_at(self, place: int, token: int) -> None:
        """Explains a token of the tokenizer at index `place`."""
        opened = self.shown_ones.get(self._ids[place])
        tokens = self.view.columns[place].flow.tokens
        if opened is not None and 0 <= token < len(tokens):
            self.view.set_selected(place, token)
            self.selection.choose(opened, tokens, token, self.options.specials)

    def _on_pointed(self, place: int, token: int) -> None:
        opened = self.shown_ones.get(self._ids[place])
        tokens = self.view.columns[place].flow.tokens
        self.selection.point(opened, tokens, token, self.options.specials)

    def _on_selected(self) -> None:
        chosen = self.selection.chosen
        self._titles = None
        if chosen is None:
            self.view.set_derivation("", None)
            self.view.set_selected(-1, -1)
            self.tell()
            return
        self.view.set_derivation(chosen[0].name, chosen[1])
        self.set_tracks(self.selection.tracks())
        if self.tracks and self.active:
            self.player.seek(self.selection.result)
        self.on_position(self.player.position)
        self.inspect()

    def _look_inside(self) -> None:
        if self.selection.chosen is not None:
            opened, derivation = self.selection.chosen
            wish = {"tokenizer": opened.entry.id, "text": derivation.text}
            self.modeRequested.emit("inside", wish)

    def on_position(self, position: float) -> None:
        share = position - math.floor(position)
        self.view.drawer.set_step(self.selection.step_at(position), share or 1.0)
        self._tell_headline()

    # menus and files

    def _fill_add(self) -> None:
        """Fills the menu: tokenizers to add, sets to show, a submenu to replace each tokenizer."""
        shown, menu = self.shown_ones, self.inputs.add.menu()
        for old in menu.findChildren(QMenu):
            old.deleteLater()
        fill_menu(menu, self.catalogue, shown.ids, shown.add, self.ask_for_file, shown.full)
        menu.addSeparator()
        for title, ids in shown.sets():
            action = menu.addAction(title.replace("&", "&&"), partial(shown.show_set, title, ids))
            action.setEnabled(ids != shown.ids)
        menu.addSeparator()
        for place, one in enumerate(shown.ids):
            inner = menu.addMenu(f"Replace {shown.name(one)}".replace("&", "&&"))
            inner.aboutToShow.connect(partial(self._fill_replace, inner, place))

    def _fill_replace(self, menu: QMenu, place: int) -> None:
        """Fills the menu of tokenizers that can replace the one at index `place`."""
        shown = self.shown_ones
        open_file = partial(self._ask_file, partial(shown.open_in_place, place))
        fill_menu(menu, self.catalogue, shown.ids, partial(shown.replace, place), open_file)

    def _on_asked(self, what: str, place: int) -> None:
        """Handles a request of a column or submode for the tokenizer at index `place`."""
        shown = self.shown_ones
        match what:
            case "retry":
                shown.retry(place)
            case "remove":
                shown.remove(place)
            case "file":
                self._ask_file(partial(shown.open_in_place, place))

    def ask_for_file(self) -> None:
        """Adds a tokenizer from a file."""
        self._ask_file(lambda path: self.shown_ones.add_files([path]))

    def _ask_file(self, take: Any) -> None:
        dialogs.ask_file(self.view.window(), text.OPEN, take, FILES)
