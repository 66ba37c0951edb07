"""Lens: connects the text, the model and the switched-off parts with the table and the bars."""

from __future__ import annotations

import math
from dataclasses import replace
from functools import partial
from typing import TYPE_CHECKING, Any

from PySide6.QtCore import QObject
from PySide6.QtWidgets import QWidget

from core.trace import Step, Trace
from explorer.engine.latest import Latest
from explorer.panes.model_menu import REAL
from explorer.panes.modes import Desk
from explorer.panes.prompt_mode import PromptMode
from explorer.panes.step_inspection import inspection_of
from explorer.panes.transformer.lens import compute, text
from explorer.panes.transformer.lens.draft import LensDraft
from explorer.panes.transformer.lens.scene import Scene
from explorer.panes.transformer.lens.view import LensView
from explorer.state.tracks import TraceTrack
from explorer.state.workspace import DEFAULT_PROMPT
from explorer.widgets.choice_picture import NONE
from explorer.widgets.likeliest_bars import NextToken

if TYPE_CHECKING:
    from core.inference.attribution import LogitTerm

MOST_READ, WRITTEN = 512, 8  # the last tokens of a text are read; tokens of a continuation
KEY, ADDS, WRITES = "transformer.lens", "explaining a part", "continuing the text"


class LensMode(PromptMode):
    """Explains one logit: the user chooses a position of the text, a place of the stream with the
    cursor, and a token, by default the likeliest.
    """

    id = "lens"
    title = "Lens"
    no_text, longest = text.NO_TEXT, MOST_READ
    teaches = "In which layer the model settles on the next token, and which parts lead it there"

    def __init__(self, desk: Desk, parent: QObject) -> None:
        super().__init__(desk, parent)
        self.view = view = LensView()
        self.scene: Scene | None = None
        self.position: int | None = None  # None: the last token
        self.token: int | None = None  # None: the likeliest
        self._other: list[int] = []  # tokens of the text to patch in
        self._writes, self._opens = Latest(self.engine, self), Latest(self.engine, self)
        self._writes.came.connect(lambda texts: view.set_continuations(map(self.text_of, texts)))
        self._opens.came.connect(self._play_part)
        view.text.chosen.connect(lambda _, position: self.choose(position))
        view.table.cellChosen.connect(self.go_to)
        view.terms.picked.connect(self.switch)
        view.terms.opened.connect(self.open)
        view.next.clicked.connect(self.explain)
        deeds = {"all_on": self.all_on, "patch": view.other.setFocus,
                 "sublayers": view.settings.widgets["sublayers"].click,
                 "more": view.more.click}  # fmt: skip
        self.connect_buttons(text.BUTTONS, deeds)
        self.connect_draft(LensDraft)
        self.connect_line(view.other, "patch", text.PATCH)
        self.begin()

    # called by the pane

    def pictures(self) -> dict[str, QWidget]:
        return {"lens": self.view.table, "who": self.view.terms, "says": self.view.next}

    def state(self) -> dict[str, Any]:
        more = self.view.more.isChecked()
        return {"version": 1, "position": self.position, "token": self.token, "more": more}

    def restore(self, state: dict[str, Any]) -> None:
        whole = {name: one for name, one in state.items() if type(one) is int and one >= 0}
        self.position, self.token = whole.get("position"), whole.get("token")
        self.view.more.setChecked(state.get("more") is True)
        self.read()

    def cancel(self) -> bool:
        """Handles Esc: leaves a step or a part, then resets the position and the token."""
        if self._leave():
            return True
        is_chosen = (self.position, self.token) != (None, None)
        if is_chosen:
            self.position = self.token = None
            self.read()
        return is_chosen

    def _leave(self) -> bool:
        """Leaves the steps of a place or a part; returns False if none was open."""
        left, opened = self.player.leave(), self.opened != NONE
        if opened and not left:
            self._play_places()
        return left or opened

    # choices

    def choose(self, position: int) -> None:
        """Explains the prediction after another token of the text."""
        if self.scene is not None:
            last = len(self.scene.found.ids) - 1
            self.position, self.token = None if position >= last else max(position, 0), None
            self.read()

    def go_to(self, row: int, column: int) -> None:
        """Moves to a place of the stream at a token; the next column if it is outside the table."""
        while self._leave():
            pass
        self.player.seek(row)
        if self.scene is not None and column != self.scene.column:
            self.choose(self.scene.columns[0] + column)

    def explain(self, place: int) -> None:
        """Explains the logit of another next token instead of the likeliest's."""
        if self.scene is not None and self.is_current:
            self.token = self.scene.found.shown[place]
            self.read()

    def _term(self, place: int) -> LogitTerm | None:
        """Returns a bar's term, or None if it cannot be switched off."""
        term = self.scene.found.terms[place][1] if self.scene and self.is_current else None
        return term if term is not None and term.part is not None else None

    def switch(self, place: int) -> None:
        """Switches a head or an MLP off, or back on."""
        if (term := self._term(place)) is not None:
            off, part = self.draft.value.off, term.part
            left = tuple(one for one in off if one != part) if part in off else (*off, part)
            way = "on" if part in off else "off"
            self.draft.change({"off": left}, f"Switch {term.name} {way}")

    def all_on(self) -> None:
        """Restores the unchanged model."""
        self.draft.change({"off": (), "patch": ""}, text.BUTTONS["all_on"][0])

    # text and model

    def forget(self) -> None:
        super().forget()
        self._writes.stop()
        self._opens.stop()
        self.position = self.token = None

    def clear(self) -> None:
        self.scene = None
        self.view.terms.set_marked(NONE)
        super().clear()

    def read(self) -> None:
        count = self.source.config.n_layer if self.source is not None else 1
        layers = [(f"into layer {layer}", layer) for layer in range(count)]
        self.view.layer.fill(layers, min(self.draft.value.patch_layer, count - 1))
        is_real = self.active and getattr(self.source, "address", "") == REAL
        if is_real and self.workspace.prompt == DEFAULT_PROMPT:
            self.workspace.begin("prompt", text.FACT)  # this makes the mode read the text
        else:
            super().read()

    async def answer(self) -> Any:
        source, draft = self.source, self.draft.value
        ids = (await self.encode())[-self.most_read :]
        self._other = await self.engine.io(source.tokenizer.encode_ids, draft.patch)
        position = len(ids) - 1 if self.position is None else min(self.position, len(ids) - 1)
        token = self.token if (self.token or 0) < source.config.vocab_size else None
        asked = compute.explained, ids, position, token, draft, self._other
        return await source.ask(*asked, key=KEY, name=f"{source.name} reads the text")

    def show_answer(self, answer: Any) -> None:
        before, self.scene = self.scene, Scene(answer, self.piece)
        self.view.set_scene(self.scene, text.note(self.scene, len(self._other)))
        self._opens.stop()
        stays = before is not None and before.last == self.scene.last and self.opened == NONE
        self._play_places(keep_position=stays)
        stop = tuple(self.source.tokenizer.special_tokens.values())
        self._ask(self._writes, WRITES, answer.continuations, WRITTEN, stop)

    def _ask(self, latest: Latest, name: str, *asked: Any) -> None:
        """Asks for more about the current explanation."""
        key = f"{KEY}.{name}"
        latest.ask(partial(self.source.ask, *asked, key=key, name=name), name, is_told=False)

    def _play_places(self, *, keep_position: bool = False) -> None:
        """Plays the places of the stream as steps."""
        assert self.scene is not None
        self.view.terms.set_marked(NONE)
        self.set_tracks([TraceTrack(self.scene.found.trace)], keep_position=keep_position)
        if self.active and not keep_position:
            self.player.seek(self.scene.last)
        self.on_position(self.player.position)
        self.inspect()

    # display

    @property
    def way(self) -> float:
        """The cursor's place in the stream, fractional while it moves; the last for a part."""
        last = float(self.scene.last) if self.scene is not None else 0.0
        return min(self.player.path[0], last) if self.active and self.opened == NONE else last

    @property
    def row(self) -> int:
        """The cursor's place, or the one that it moves to."""
        return math.ceil(self.way)

    def on_position(self, position: float) -> None:
        """Updates the bars, interpolated between two places, and the cursor's row."""
        scene, row = self.scene, self.row
        if scene is None:
            return
        found, shares = scene.found, scene.shares_at(self.way)
        was = found.comparison.before.probabilities
        came = found.ids[found.position + 1 : found.position + 2]
        ends = row == scene.last and found.is_changed
        tokens = [
            NextToken(
                scene.piece(one), float(share), one in came, float(was[one]) if ends else None
            )
            for one, share in zip(found.shown, shares, strict=True)
        ]
        self.view.next.set_tokens(tokens)
        self.view.table.set_chosen(row, scene.column)

    @property
    def opened(self) -> int:
        """The bar whose steps are played."""
        return self.view.terms.marked

    def open(self, place: int) -> None:
        """Plays the calculation of a part's contribution; Esc returns."""
        if self.scene is not None and (term := self._term(place)) is not None:
            self._ask(self._opens, ADDS, self.scene.found.trace_term, term.layer, term.head)

    def _play_part(self, trace: Trace) -> None:
        assert self.scene is not None
        parts = [term.part for _, term in self.scene.found.terms]
        self.view.terms.set_marked(parts.index((trace.about["layer"], trace.about["head"])))
        self.set_tracks([TraceTrack(trace)])
        self.inspect()

    def show_step(self, step: Step) -> None:
        scene = self.scene
        if scene is None:
            return
        found = scene.found
        if self.opened != NONE:
            self.set_headline(text.adds(scene, scene.found.terms[self.opened][1]))
        else:
            told = text.headline(scene, self.row)
            self.set_headline(self.tell_length(told, len(self.prompt_ids)))
        cell = found.shown.index(found.token) if "logits" in step.values else None
        shown = inspection_of(step, cell)
        if cell is not None:
            shown = replace(shown, cell=text.FOR.format(scene.quoted(found.token)))
        if self.opened == NONE and not self.player.depth and self.row == scene.last:
            shown = replace(shown, rows=[*shown.rows, *text.effect_lines(scene)])
        self.inspection.emit(shown)
