"""Lens: wires the text, the model and what is switched off to the table and the bars."""

from __future__ import annotations

from typing import Any

from PySide6.QtCore import QObject
from PySide6.QtWidgets import QWidget

from explorer.engine.jobs import SUPERSEDED, Superseded
from explorer.engine.latest import Latest
from explorer.panes.model_menu import REAL
from explorer.panes.modes import Desk, Mode
from explorer.panes.prompt_mode import PromptMode
from explorer.panes.step_inspection import inspection_of
from explorer.panes.transformer.lens import compute, text
from explorer.panes.transformer.lens.draft import LensDraft, Part
from explorer.panes.transformer.lens.scene import Scene, name_of
from explorer.panes.transformer.lens.view import LensView
from explorer.state.draft import Draft
from explorer.state.tracks import TraceTrack
from explorer.state.workspace import DEFAULT_PROMPT
from explorer.widgets.likeliest_bars import NextToken
from explorer.widgets.token_strip import chip

MOST_READ, MOST_COLUMNS = 512, 16  # tokens of a text, its last ones; of these at every place
KEY, ADDS = "transformer.lens", "what a part adds"


def create(desk: Desk, parent: QObject) -> Mode:
    return LensMode(desk, parent)


class LensMode(PromptMode):
    """A position of the text is chosen, by the cursor a place of the stream, and a token whose
    logit is taken apart: the likeliest, unless a person has chosen another.
    """

    id = "lens"
    title = "Lens"
    no_text = text.NO_TEXT
    teaches = "When does the model know what comes next, and who told it?"

    def __init__(self, desk: Desk, parent: QObject) -> None:
        super().__init__(desk, parent)
        self.view = LensView(self.tip)
        self.draft = Draft(self.workspace, KEY, LensDraft, self)
        self.scene: Scene | None = None
        self.position: int | None = None  # None: the last token
        self.token: int | None = None  # None: the likeliest
        self._goes_on = ""
        self._opened: int | None = None  # the bar whose steps are played
        self._writes, self._opens = Latest(self.engine, self), Latest(self.engine, self)
        view = self.view
        view.text.chosen.connect(lambda _, position: self.choose(position))
        view.table.cellChosen.connect(self.go_to)
        view.terms.chosen.connect(self._on_part)
        view.terms.opened.connect(self.open)
        view.next.clicked.connect(self.explain)
        view.switchRequested.connect(lambda place: self.switch(self.off[place]))
        view.all_on.clicked.connect(self.all_on)
        view.settingChanged.connect(lambda name, value: self.set_settings(**{name: value}))
        view.other.rested.connect(self.draft.end_merge)
        self.draft.changed.connect(lambda _: self.read())
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
        if self.player.leave():
            return True
        if self._opened is not None:
            self._show_lens(keep_position=False)
            return True
        if self.position is None and self.token is None:
            return False
        self.position = self.token = None
        self.read()
        return True

    def on_step(self, step: int) -> None:
        self._say()
        super().on_step(step)

    # choices

    def choose(self, position: int) -> None:
        """Another token of the text: what comes after it is asked."""
        if self.scene is not None:
            last = len(self.scene.found.ids) - 1
            self.position, self.token = None if position >= last else max(position, 0), None
            self.read()

    def go_to(self, row: int, column: int) -> None:
        """To a place of the stream at a token; beside the table: to the next one there."""
        while self.player.leave():
            pass
        if self._opened is not None:
            self._show_lens(keep_position=False)
        self.player.seek(row)
        if self.scene is not None and column != self.scene.column:
            self.choose(self.scene.columns[0] + column)

    def explain(self, place: int) -> None:
        """Who pushed this one of the next tokens, rather than the likeliest."""
        if self.scene is not None:
            self.token = self.scene.found.shown[place]
            self.read()

    @property
    def off(self) -> list[Part]:
        """What is off of the parts that this model has."""
        config = self.source.config if self.source is not None else None
        return self.draft.value.parts(config.n_layer, config.n_head) if config else []

    @property
    def names(self) -> list[str]:
        """Of these, for people."""
        return [name_of(one) for one in self.off]

    def switch(self, part: Part) -> None:
        """A head or an MLP off, or on again."""
        off = self.draft.value.off
        left = tuple(one for one in off if one != part) if part in off else (*off, part)
        self.draft.change({"off": left}, text.switched(name_of(part), part not in off))

    def all_on(self) -> None:
        """The model as it is."""
        self.draft.change({"off": (), "patch": ""}, text.ALL_ON)

    def set_settings(self, **changes: Any) -> None:
        """Some of the draft's; what is typed is one change."""
        name, value = next(iter(changes.items()))
        self.draft.change(changes, text.change(name, value), name if name == "patch" else "")

    # text and model

    def forget(self) -> None:
        super().forget()
        self.scene = self.position = self.token = self._opened = None
        self._goes_on = ""

    def clear(self) -> None:
        super().clear()
        self.scene = self._opened = None

    def read(self) -> None:
        layers = self.source.config.n_layer if self.source is not None else 1
        self.view.set_draft(self.draft.value, layers, self.names)
        is_real = self.active and getattr(self.source, "address", "") == REAL
        if is_real and self.workspace.prompt == DEFAULT_PROMPT:
            self.workspace.begin("prompt", text.FACT)  # which is read then
        else:
            super().read()

    async def answer(self) -> Any:
        source, draft, other = self.source, self.draft.value, []
        ids = (await self.encode())[-min(MOST_READ, source.config.block_size) :]
        if draft.patch:
            other = await self.engine.io(source.tokenizer.encode_ids, draft.patch)
        self.view.why.setText(text.patched(len(other), len(ids)))
        position = len(ids) - 1 if self.position is None else min(self.position, len(ids) - 1)
        columns = self.scene.columns if self.scene is not None else []
        if position not in columns:
            first = max(0, position + 1 - MOST_COLUMNS)
            columns = list(range(len(ids)))[first : first + MOST_COLUMNS]
        known = self.token is not None and self.token < source.config.vocab_size
        token, fitting = self.token if known else None, other if len(other) == len(ids) else []
        asked = compute.explained, ids, position, token, columns, draft, fitting
        return await source.ask(*asked, key=KEY, name=f"{source.name} is read")

    def show_answer(self, answer: Any) -> None:
        if isinstance(answer, Superseded):
            return
        before, told = self.scene, answer.comparison
        self.scene = scene = Scene(answer, self.piece, lambda one: chip(one, self.piece(one)).text)
        view, same = self.view, before is not None and before.last == scene.last
        pieces = [self.piece(one) for one in answer.ids.tolist()]
        view.set_text(pieces, told.after.surprises, answer.position)
        view.table.set_scene(scene.grid())
        view.terms.set_bars(scene.bars())
        view.who.setText(text.who(scene.quoted(answer.token), answer.after.norms))
        view.says.setText(text.loss(told.before.loss, told.after.loss, answer.is_changed))
        view.body.show_ready()
        self._show_lens(keep_position=same and self._opened is None)
        self._writes.ask(lambda: self._write(answer), "writing on", is_told=False)

    def _show_lens(self, *, keep_position: bool) -> None:
        """The places of the stream are the steps."""
        assert self.scene is not None
        self._opened = None
        self.view.terms.set_marked(None)
        self.set_tracks([TraceTrack(self.scene.found.trace)], keep_position=keep_position)
        if self.active and not keep_position:
            self.player.seek(self.scene.last)
        self.on_position(self.player.position)
        self._say()
        self.inspect()

    async def _write(self, found: Any) -> None:
        """How the text goes on, as the model is and changed."""
        stop = tuple(self.source.tokenizer.special_tokens.values())
        said = {False: self._goes_on} if self._goes_on else {}
        for changed in (False, True)[: 1 + found.is_changed]:
            if changed not in said:
                asked = compute.continued, found, changed, stop
                ids = await self.source.ask(*asked, key=f"{KEY}.on", name="writing on")
                if ids is SUPERSEDED:
                    return
                written = b"".join(map(self.piece, ids)).decode("utf-8", "replace")
                said[changed] = text.goes_on(written, changed)
            self._goes_on = said[False]
            self.view.set_continuations(self._goes_on, said.get(True, ""))

    # what is seen

    @property
    def row(self) -> int:
        """The place that the cursor stands at, or whose steps are shown."""
        track, scene = self.player.track, self.scene
        if scene is None or not self.active or not self._is_lens(track):
            return scene.last if scene is not None else 0
        at = track.indices[min(self.player.step, track.length - 1)]
        return scene.found.trace.children().index(at if track.parent is None else track.parent)

    def _is_lens(self, track: Any) -> bool:
        """Not the steps of a part."""
        return self.scene is not None and getattr(track, "trace", None) is self.scene.found.trace

    def on_position(self, position: float) -> None:
        """The bars between two places, and the row of the cursor."""
        scene, row, track = self.scene, self.row, self.player.track
        if scene is None:
            return
        moves = self._is_lens(track) and track.parent is None
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

    def tip(self, row: int, column: int) -> str:
        return self.scene.tip(row, column) if self.scene is not None else ""

    def _say(self) -> None:
        if self.scene is not None and self._opened is not None:
            bar = self.scene.bars()[self._opened]
            token = self.scene.quoted(self.scene.found.token)
            self.set_headline(text.adds(bar.name, bar.value, token))
        elif self.scene is not None:
            self.set_headline(self.scene.headline(self.row, self.names))

    def _part(self, place: int) -> Part | None:
        parts = self.scene.parts if self.scene is not None else []
        return parts[place] if 0 <= place < len(parts) else None

    def _on_part(self, place: int) -> None:
        if (part := self._part(place)) is not None:
            self.switch(part)

    def open(self, place: int) -> None:
        """The steps that say what a part adds; Esc goes back."""
        if (part := self._part(place)) is not None and self.scene is not None:
            asked = compute.contribution, self.scene.found, part
            self._opens.ask(lambda: self._contribution(place, asked), ADDS, is_told=False)

    async def _contribution(self, place: int, asked: tuple[Any, ...]) -> None:
        trace = await self.source.ask(*asked, key=f"{KEY}.part", name=ADDS)
        if trace is not SUPERSEDED:
            self._opened = place
            self.view.terms.set_marked(place)
            self.set_tracks([TraceTrack(trace)])
            self.on_step(self.player.step)

    def inspect(self) -> None:
        track, scene = self.player.track, self.scene
        if not self.active or scene is None or track is None or self.player.step >= track.length:
            return
        step, found = track.item(self.player.step), scene.found
        cell = found.shown.index(found.token) if "logits" in step.values else None
        self.inspection.emit(inspection_of(step, cell))
