"""Lens: wires the text, the model and what is switched off to the table and the bars."""

from __future__ import annotations

from typing import Any

from PySide6.QtCore import QObject
from PySide6.QtWidgets import QWidget

from explorer.engine.jobs import SUPERSEDED
from explorer.engine.latest import Latest
from explorer.panes.model_menu import REAL
from explorer.panes.modes import Desk
from explorer.panes.prompt_mode import PromptMode
from explorer.panes.step_inspection import inspection_of
from explorer.panes.transformer.lens import compute, text
from explorer.panes.transformer.lens.draft import LensDraft, Part
from explorer.panes.transformer.lens.scene import Scene
from explorer.panes.transformer.lens.view import LensView
from explorer.state.tracks import TraceTrack
from explorer.state.workspace import DEFAULT_PROMPT
from explorer.widgets.choice_picture import NONE
from explorer.widgets.likeliest_bars import NextToken

MOST_READ, WRITTEN = 512, 8  # tokens of a text, its last ones; that it goes on with
KEY, ADDS, WRITES = "transformer.lens", "what a part adds", "writing on"


class LensMode(PromptMode):
    """A position of the text is chosen, by the cursor a place of the stream, and a token whose
    logit is taken apart: the likeliest, unless a person has chosen another.
    """

    id = "lens"
    title = "Lens"
    no_text, longest = text.NO_TEXT, MOST_READ
    teaches = "When does the model know what comes next, and who told it?"

    def __init__(self, desk: Desk, parent: QObject) -> None:
        super().__init__(desk, parent)
        self.view = LensView()
        self.scene: Scene | None = None
        self.position: int | None = None  # None: the last token
        self.token: int | None = None  # None: the likeliest
        self._writes, self._opens = Latest(self.engine, self), Latest(self.engine, self)
        view = self.view
        view.text.chosen.connect(lambda _, position: self.choose(position))
        view.table.cellChosen.connect(self.go_to)
        view.terms.picked.connect(lambda place: self.switch(self._part(place)))
        view.terms.opened.connect(self.open)
        view.next.clicked.connect(self.explain)
        view.all_on.clicked.connect(self.all_on)
        self.connect_draft(LensDraft)
        self.begin()

    # what the pane asks

    def pictures(self) -> dict[str, QWidget]:
        return {"lens": self.view.table, "who": self.view.terms, "says": self.view.next}

    def state(self) -> dict[str, Any]:
        return {"version": 1, "position": self.position, "token": self.token}

    def restore(self, state: dict[str, Any]) -> None:
        whole = {name: one for name, one in state.items() if type(one) is int and one >= 0}
        self.position, self.token = whole.get("position"), whole.get("token")
        self.read()

    def cancel(self) -> bool:
        """Esc: out of a step, of a part, then back to the last token and its likeliest answer."""
        if self._leave():
            return True
        if self.position is None and self.token is None:
            return False
        self.position = self.token = None
        self.read()
        return True

    def _leave(self) -> bool:
        """Out of the steps of a place or a part."""
        if self.player.leave():
            return True
        if self.opened != NONE:
            self._play_places()
            return True
        return False

    # choices

    def choose(self, position: int) -> None:
        """Another token of the text: what comes after it is asked."""
        if self.scene is not None:
            last = len(self.scene.found.ids) - 1
            self.position, self.token = None if position >= last else max(position, 0), None
            self.read()

    def go_to(self, row: int, column: int) -> None:
        """To a place of the stream at a token; beside the table: to the next one there."""
        while self._leave():
            pass
        self.player.seek(row)
        if self.scene is not None and column != self.scene.column:
            self.choose(self.scene.columns[0] + column)

    def explain(self, place: int) -> None:
        """Who pushed this one of the next tokens, rather than the likeliest."""
        if self.scene is not None:
            self.token = self.scene.found.shown[place]
            self.read()

    def _part(self, place: int) -> Part | None:
        """What can be switched of a bar."""
        return self.scene.terms[place][1].part if self.scene is not None else None

    def switch(self, part: Part | None) -> None:
        """A head or an MLP off, or on again."""
        if part is not None:
            off = self.draft.value.off
            left = tuple(one for one in off if one != part) if part in off else (*off, part)
            self.draft.change({"off": left}, text.switched(part, part not in off))

    def all_on(self) -> None:
        """The model as it is."""
        self.draft.change({"off": (), "patch": ""}, text.ALL_ON)

    # text and model

    def forget(self) -> None:
        super().forget()
        self._writes.stop()
        self.position = self.token = None

    def clear(self) -> None:
        self.scene = None
        self.view.terms.set_marked(NONE)
        super().clear()

    def read(self) -> None:
        layers = self.source.config.n_layer if self.source is not None else 1
        self.view.set_draft(self.draft.value, layers)
        is_real = self.active and getattr(self.source, "address", "") == REAL
        if is_real and self.workspace.prompt == DEFAULT_PROMPT:
            self.workspace.begin("prompt", text.FACT)  # which is read then
        else:
            super().read()

    async def answer(self) -> Any:
        source, draft, other = self.source, self.draft.value, []
        ids = (await self.encode())[-self.most_read :]
        if draft.patch:
            other = await self.engine.io(source.tokenizer.encode_ids, draft.patch)
        off = draft.parts(source.config.n_layer, source.config.n_head)
        self.view.set_note(text.note(off, len(other), len(ids)))
        position = len(ids) - 1 if self.position is None else min(self.position, len(ids) - 1)
        token = self.token if (self.token or 0) < source.config.vocab_size else None
        asked = compute.explained, ids, position, token, draft, other
        return await source.ask(*asked, key=KEY, name=f"{source.name} is read")

    def show_answer(self, answer: Any) -> None:
        if answer is SUPERSEDED:
            return
        before = self.scene
        self.scene = Scene(answer, self.piece)
        self.view.set_scene(self.scene)
        stays = before is not None and before.last == self.scene.last and self.opened == NONE
        self._play_places(keep_position=stays)
        self._writes.ask(lambda: self._write(answer), WRITES, is_told=False)

    def _play_places(self, *, keep_position: bool = False) -> None:
        """The places of the stream are the steps."""
        assert self.scene is not None
        self.view.terms.set_marked(NONE)
        self.set_tracks([TraceTrack(self.scene.found.trace)], keep_position=keep_position)
        if self.active and not keep_position:
            self.player.seek(self.scene.last)
        self.on_position(self.player.position)
        self.inspect()

    async def _write(self, found: Any) -> None:
        """How the text goes on, as the model is and changed."""
        stop = tuple(self.source.tokenizer.special_tokens.values())
        asked = found.continuations, WRITTEN, stop
        written = await self.source.ask(*asked, key=f"{KEY}.on", name=WRITES)
        if written is not SUPERSEDED:
            self.view.set_continuations([self.text_of(ids) for ids in written])

    # what is seen

    @property
    def row(self) -> int:
        """The place that the cursor stands at, or whose steps are shown."""
        track, scene = self.player.track, self.scene
        if scene is None or not self.active or self.opened != NONE:
            return scene.last if scene is not None else 0
        at = track.indices[min(self.player.step, track.length - 1)]
        return scene.found.trace.children().index(at if track.parent is None else track.parent)

    def on_position(self, position: float) -> None:
        """The bars between two places, and the row of the cursor."""
        scene, row = self.scene, self.row
        if scene is None:
            return
        moves = self.active and self.opened == NONE and self.player.track.parent is None
        found, shares = scene.found, scene.shares_at(row, position % 1 if moves else 0.0)
        was = found.comparison.before.probabilities
        came = found.ids[found.position + 1 : found.position + 2]
        ends = row == scene.last and found.is_changed
        tokens = [
            NextToken(self.piece(one), float(share), one in came, float(was[one]) if ends else None)
            for one, share in zip(found.shown, shares, strict=True)
        ]
        self.view.next.set_tokens(tokens)
        self.view.table.set_chosen(row, scene.column)

    @property
    def opened(self) -> int:
        """The bar whose steps are played."""
        return self.view.terms.marked

    def open(self, place: int) -> None:
        """The steps that say what a part adds; Esc goes back."""
        if (part := self._part(place)) is not None:
            self._opens.ask(lambda: self._play_part(place, part), ADDS, is_told=False)

    async def _play_part(self, place: int, part: Part) -> None:
        scene = self.scene
        assert scene is not None
        asked = scene.found.trace_term, *part
        trace = await self.source.ask(*asked, key=f"{KEY}.part", name=ADDS)
        if trace is not SUPERSEDED and scene is self.scene:
            self.view.terms.set_marked(place)
            self.set_tracks([TraceTrack(trace)])
            self.inspect()

    def inspect(self) -> None:
        step, scene = self.step_shown, self.scene
        if step is None or scene is None:
            return
        found = scene.found
        if self.opened != NONE:
            term = scene.terms[self.opened][1]
            self.set_headline(text.adds(term.name, term.value, scene.quoted(found.token)))
        else:
            self.set_headline(self.tell_length(scene.headline(self.row), len(self.prompt_ids)))
        cell = found.shown.index(found.token) if "logits" in step.values else None
        self.inspection.emit(inspection_of(step, cell))
