"""Lens: wires the text, the model and what is switched off to the table and the bars."""

from __future__ import annotations

from dataclasses import asdict, replace
from typing import TYPE_CHECKING, Any

from PySide6.QtCore import QObject
from PySide6.QtWidgets import QWidget

from core.tokenization.telling import quoted, visible
from explorer.engine.jobs import SUPERSEDED, Superseded
from explorer.engine.latest import Latest
from explorer.panes.modes import Desk, Mode
from explorer.panes.prompt_mode import PromptMode
from explorer.panes.step_inspection import inspection_of
from explorer.panes.transformer.lens import compute, text
from explorer.panes.transformer.lens.draft import LensDraft, Part, part_name
from explorer.panes.transformer.lens.scene import (
    bars_of,
    grid_of,
    known_from,
    part_of,
    rows_of,
    terms_of,
)
from explorer.panes.transformer.lens.view import LensView
from explorer.state.draft import Draft
from explorer.state.tracks import TraceTrack
from explorer.widgets.likeliest_bars import NextToken
from explorer.widgets.token_strip import chip

if TYPE_CHECKING:
    from core.inference.explanation import Explanation

MOST_READ, MOST_COLUMNS = 512, 16  # tokens of a text, its last ones; of these at every place
KEY = "transformer.lens"


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
        self.view = LensView(self.cell_tip)
        self.draft = Draft(self.workspace, KEY, LensDraft, self)
        self.found: Explanation | None = None
        self.position: int | None = None  # None: the last token
        self.token: int | None = None  # None: the likeliest
        self._goes_on = ""
        self._pointed: Any = None  # the step of the part that is pointed at
        self._writes, self._points = Latest(self.engine, self), Latest(self.engine, self)
        self._connect()
        self.begin()

    def _connect(self) -> None:
        view = self.view
        view.text.chosen.connect(lambda _, position: self.choose(position))
        view.table.cellChosen.connect(self.go_to)
        view.terms.chosen.connect(lambda place: self.switch(self.parts[place]))
        view.terms.hovered.connect(self._on_hovered)
        view.next.clicked.connect(lambda place: self.explain(self.found.shown[place]))
        view.switchRequested.connect(lambda place: self.switch(self.off[place]))
        view.all_on.clicked.connect(self.all_on)
        view.settingChanged.connect(lambda name, value: self.set_settings(**{name: value}))
        view.other.rested.connect(self.draft.end_merge)
        self.draft.changed.connect(lambda _: self.read())
        self._points.came.connect(self._on_pointed)

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
        """Esc: out of a step, then back to the last token and its likeliest answer."""
        if self.player.leave():
            return True
        if self.position is None and self.token is None:
            return False
        self.position = self.token = None
        self.read()
        return True

    def on_position(self, position: float) -> None:
        self._show_place(position)

    def on_step(self, step: int) -> None:
        self._say()
        super().on_step(step)

    # choices

    def choose(self, position: int) -> None:
        """Another token of the text: what comes after it is asked."""
        if self.found is not None:
            last = len(self.found.ids) - 1
            self.position, self.token = None if position >= last else max(position, 0), None
            self.read()

    def go_to(self, row: int, column: int) -> None:
        """To a place of the stream at a token."""
        while self.player.leave():
            pass
        self.player.seek(row)
        if self.found is not None and column != self.column:
            self.choose(int(self.found.lens.positions[column]))

    def explain(self, token: int) -> None:
        """Who pushed this token, rather than the likeliest."""
        self.token = token
        self.read()

    @property
    def parts(self) -> list[Part | None]:
        """Of each bar of who told it what can be switched."""
        return [part_of(term) for term, _ in terms_of(self.found)] if self.found else []

    @property
    def off(self) -> list[Part]:
        """What is off of the parts that this model has."""
        config = self.source.config if self.source is not None else None
        return self.draft.value.parts(config.n_layer, config.n_head) if config else []

    @property
    def names(self) -> list[str]:
        """Of these, for people."""
        return [text.part(one) for one in self.off]

    def switch(self, part: Part | None) -> None:
        """A head or an MLP off, or on again."""
        if part is None:
            return
        name, off = part_name(part), self.draft.value.off
        left = tuple(one for one in off if one != name) if name in off else (*off, name)
        self.draft.change({"off": left}, text.switched(text.part(part), name not in off))

    def all_on(self) -> None:
        """The model as it is."""
        self.draft.change({"off": (), "patch": ""}, text.ALL_ON)

    def set_settings(self, **changes: Any) -> None:
        draft = replace(self.draft.value, **changes)
        if draft != self.draft.value:
            name, value = next(iter(changes.items()))
            merging = name if name == "patch" else ""
            self.draft.change(asdict(draft), text.change(name, value), merging)

    # text and model

    def forget(self) -> None:
        super().forget()
        self.found = self.position = self.token = None
        self._goes_on = ""

    def clear(self) -> None:
        super().clear()
        self.found = None

    def read(self) -> None:
        layers = self.source.config.n_layer if self.source is not None else 1
        self.view.set_draft(self.draft.value, layers, self.names)
        super().read()

    async def answer(self) -> Explanation | Superseded:
        source, draft, other = self.source, self.draft.value, []
        ids = (await self.encode())[-min(MOST_READ, source.config.block_size) :]
        if draft.patch:
            other = await self.engine.io(source.tokenizer.encode_ids, draft.patch)
        self.view.why.setText(text.patched(len(other), len(ids)))
        position = len(ids) - 1 if self.position is None else min(self.position, len(ids) - 1)
        columns = self.found.lens.positions.tolist() if self.found is not None else []
        if position not in columns:
            first = max(0, position + 1 - MOST_COLUMNS)
            columns = list(range(len(ids)))[first : first + MOST_COLUMNS]
        known = self.token is not None and self.token < source.config.vocab_size
        token, fitting = self.token if known else None, other if len(other) == len(ids) else []
        asked = compute.explained, ids, position, token, columns, draft, fitting
        return await source.ask(*asked, key=KEY, name=f"{source.name} is read")  # type: ignore[no-any-return]

    def show_answer(self, found: Explanation | Superseded) -> None:
        if isinstance(found, Superseded):
            return
        same = self.found is not None and len(self.found.lens.places) == len(found.lens.places)
        self.found, self._pointed = found, None
        view, told, last = self.view, found.comparison, len(found.lens.places) - 1
        pieces, token = [self.piece(one) for one in found.ids.tolist()], found.token
        view.set_text(pieces, told.after.surprises, found.position)
        view.table.set_scene(grid_of(found, lambda one: chip(one, self.piece(one)).text))
        view.terms.set_bars(bars_of(found, self.quoted(token)))
        view.who.setText(f"{text.WHO} {self.quoted(token)}")
        view.says.setText(text.loss(told.before.loss, told.after.loss, found.is_changed))
        view.body.show_ready()
        self.set_tracks([TraceTrack(found.trace)], keep_position=same)
        if self.active and not same:
            self.player.seek(last)
        self._show_place(self.player.position if self.active else last)
        self._writes.ask(lambda: self._write(found), "writing on", is_told=False)
        self._say()
        self.inspect()

    async def _write(self, found: Explanation) -> None:
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

    def quoted(self, token: int) -> str:
        """A token in a sentence."""
        piece = self.piece(token).decode("utf-8", "replace")
        return quoted(piece.strip() or visible(piece))

    @property
    def row(self) -> int:
        """The place that the cursor stands at, or whose steps are shown."""
        track, found = self.player.track, self.found
        if found is None or not isinstance(track, TraceTrack) or not self.active:
            return len(found.lens.places) - 1 if found is not None else 0
        at = track.indices[min(self.player.step, track.length - 1)]
        return found.trace.children().index(at if track.parent is None else track.parent)

    @property
    def column(self) -> int:
        found = self.found
        return found.lens.positions.tolist().index(found.position) if found is not None else 0

    def _show_place(self, position: float) -> None:
        """The bars between two places, and the row of the cursor."""
        found, row, track = self.found, self.row, self.player.track
        if found is None:
            return
        ids, at, places = found.ids, found.position, found.trace.children()
        is_inside = isinstance(track, TraceTrack) and track.parent is not None
        share = 0.0 if is_inside else position - int(position)
        near = [found.trace[one].value("probabilities") for one in places[row : row + 2]]
        shown = near[0] + (near[-1] - near[0]) * share
        ends, was = row == len(places) - 1 and found.is_changed, found.comparison.before
        tokens = [
            NextToken(
                self.piece(one),
                float(share),
                came=at + 1 < len(ids) and ids[at + 1] == one,
                before=float(was.probabilities[one]) if ends else None,
            )
            for one, share in zip(found.shown, shown, strict=True)
        ]
        self.view.next.set_tokens(tokens)
        self.view.table.set_chosen(row, self.column)

    def cell_tip(self, row: int, column: int) -> str:
        if self.found is None:
            return ""
        lens, read = self.found.lens, int(self.found.ids[self.found.lens.positions[column]])
        pairs = zip(lens.likeliest[row, column], lens.shares[row, column], strict=True)
        said = [(self.quoted(int(one)), float(share)) for one, share in pairs]
        answer, share = int(lens.tokens[column, 0]), float(lens.probability[row, column, 0])
        told = said, self.quoted(answer), share, int(lens.rank[row, column, 0])
        return text.cell_tip(rows_of(self.found)[row], self.quoted(read), *told)

    def _say(self) -> None:
        found, row, column = self.found, self.row, self.column
        if found is None:
            return
        rows, lens, told = rows_of(found), found.lens, found.comparison
        answer, one = self.quoted(int(lens.tokens[column, 0])), found.token
        if row < len(rows) - 1:
            word, rank = int(lens.likeliest[row, column, 0]), int(lens.rank[row, column, 0])
            said = text.at_place(rows[row], self.quoted(word), answer, rank)
        elif found.is_changed:
            was, now = (float(x.probabilities[one]) for x in (told.before, told.after))
            said = text.changed(self.quoted(one), was, now, self.names)
        else:
            most = max(bars_of(found, "")[:-1], key=lambda bar: bar.value)
            said = text.headline(answer, rows[known_from(found, column)], most.name)
        self.set_headline(said)

    def _on_hovered(self, place: int) -> None:
        """The inspector tells what the part adds, and how."""
        part = self.parts[place] if 0 <= place < len(self.parts) else None
        if part is None or self.player.playing:
            self._points.stop()
            self._on_pointed(None)
        else:
            self._points.ask(lambda: self._point(part), "what a part adds", is_told=False)

    async def _point(self, part: Part) -> Any:
        found = self.found
        assert found is not None
        asked = compute.contribution, found, part
        return await self.source.ask(*asked, key=f"{KEY}.part", name="what a part adds")

    def _on_pointed(self, trace: Any) -> None:
        if not isinstance(trace, Superseded):
            self._pointed = None if trace is None else trace[len(trace) - 1]
            self.inspect()

    def inspect(self) -> None:
        track, found = self.player.track, self.found
        if not self.active or found is None or track is None or self.player.step >= track.length:
            return
        step = self._pointed or track.item(self.player.step)
        cell = found.shown.index(found.token) if "logits" in step.values else None
        self.inspection.emit(inspection_of(step, cell))
