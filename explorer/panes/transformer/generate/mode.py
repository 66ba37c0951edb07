"""Generate: wires the text, the model and the sliders to the bars and the player."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import asdict, replace
from typing import Any

import numpy as np
from PySide6.QtCore import QObject
from PySide6.QtWidgets import QWidget

from core.tokenization.telling import quoted, visible
from explorer.engine.jobs import Superseded
from explorer.engine.latest import Latest
from explorer.panes.modes import Desk, Mode
from explorer.panes.prompt_mode import PromptMode
from explorer.panes.transformer.generate import compute, text
from explorer.panes.transformer.generate.draft import GenerateDraft
from explorer.panes.transformer.generate.forks import Forks, is_text
from explorer.panes.transformer.generate.inspector import inspection
from explorer.panes.transformer.generate.scene import Scene, scene_of
from explorer.panes.transformer.generate.view import GenerateView
from explorer.state.draft import Draft
from explorer.state.tracks import TraceTrack
from explorer.widgets.branch_list import BranchLine


def create(desk: Desk, parent: QObject) -> Mode:
    return GenerateMode(desk, parent)


FIRST = "sampling.softmax"  # the step that is shown first
MOST_KEPT = 20  # forks that a session keeps


class GenerateMode(PromptMode):
    """What was written after the prompt stays until the prompt or the model is another."""

    id = "generate"
    title = "Generate"
    no_text = text.NO_TEXT
    teaches = "How the next token is chosen: a distribution, what is cut from it, and a draw"

    def __init__(self, desk: Desk, parent: QObject) -> None:
        super().__init__(desk, parent)
        self.view = GenerateView()
        self.draft = Draft(self.workspace, "transformer.generate", GenerateDraft, self)
        self.place: int | None = None  # in the text; None: its end
        self.writing = False
        self.found: compute.Found | None = None
        self.scene: Scene | None = None
        self.forks = Forks()
        self._surprises = np.zeros(0)  # of as many of the tokens as it is known of
        self._chooses = Latest(self.engine, self)
        self._connect()
        self.view.set_draft(self.draft.value)
        self.begin()

    def _connect(self) -> None:
        view = self.view
        view.settingChanged.connect(lambda name, value: self.set_settings(**{name: value}))
        view.settled.connect(self.draft.end_merge)
        view.nextRequested.connect(self.append)
        view.writeRequested.connect(self.toggle_writing)
        view.backRequested.connect(self.go_back)
        view.againRequested.connect(self.draw_again)
        view.tokenChosen.connect(self.force)
        view.placeChosen.connect(self.look_at)
        view.branchChosen.connect(lambda place: self.go_on_from(self.forks.branches()[place].end))
        self.draft.changed.connect(self._on_draft)
        self._chooses.came.connect(self._on_chosen)

    # what the pane asks

    def pictures(self) -> dict[str, QWidget]:
        view = self.view
        return {"next": view.bars, "text": view.text, "forks": view.forks, "cache": view.cache}

    def state(self) -> dict[str, Any]:
        forks = [self.forks.text(node) for node in self.forks.ends()[-MOST_KEPT:]]
        kept = {"prompt": self.workspace.prompt, "written": self.written, "forks": forks}
        return {"version": 1, **kept, "side": self.view.side.current}

    def restore(self, state: dict[str, Any]) -> None:
        match state:
            case {"side": str(side)} if side in dict(text.SIDES):
                self.view.show_side(side)
        match state:
            case {"prompt": self.workspace.prompt, "written": written, "forks": [*forks]}:
                texts = [one for one in (*forks[:MOST_KEPT], written) if is_text(one)]
                nodes = [self.forks.add(one) for one in texts]
                if nodes:
                    self.go_on_from(nodes[-1])

    def left(self) -> None:
        self.stop_writing()

    def cancel(self) -> bool:
        """Esc: stops writing, then goes back to the end of the text."""
        if self.writing:
            self.stop_writing()
        elif self.place is not None:
            self.look_at(len(self.ids))
        else:
            return False
        return True

    def on_position(self, position: float) -> None:
        self.view.bars.set_position(position)

    def on_step(self, step: int) -> None:
        self._say()
        super().on_step(step)

    # choices

    @property
    def written(self) -> list[int]:
        """What was written after the prompt."""
        return self.forks.text(self.forks.here)

    @property
    def ids(self) -> list[int]:
        """The whole text."""
        return self.prompt_ids + self.written

    @property
    def looked_at(self) -> int:
        """The place whose token is chosen."""
        return len(self.ids) if self.place is None else min(self.place, len(self.ids))

    def set_settings(self, **changes: Any) -> None:
        """One or more settings of the draft; the drag of a slider is one change."""
        name, value = next(iter(changes.items()))
        if "top_k" in changes:
            changes["top_k"] = int(changes["top_k"])
        draft = replace(self.draft.value, **changes)
        if draft != self.draft.value:
            self.draft.change(asdict(draft), text.change(name, value), name)

    def draw_again(self) -> None:
        """Another seed: other numbers are drawn."""
        self.set_settings(seed=self.draft.value.seed + 1)

    def look_at(self, place: int) -> None:
        """How the token at a place of the text was chosen; after the last one: the next one."""
        self.stop_writing()
        self.place = None if place >= len(self.ids) else max(place, 1)
        self.read()

    def append(self) -> None:
        """The token that is drawn comes."""
        if self.found is not None and self.place is None and not self.reads.running:
            self.force(self.found.chosen.token)

    def force(self, token: int) -> None:
        """This token comes, at the place that is looked at; what was written after it goes."""
        if self.found is None or self.reads.running:
            return
        at = self.looked_at
        if at < len(self.prompt_ids):
            self.statusRequested.emit(text.OF_PROMPT)
            return
        if self.place is not None:
            self.statusRequested.emit(text.FORKED)
        known = np.append(self.found.surprises[:at], self.found.chosen.surprise_of(token))
        written = self.written[: at - len(self.prompt_ids)]
        self.go_on_from(self.forks.add([*written, token]))
        self._surprises = known

    def go_on_from(self, node: int) -> None:
        """The text ends with a node of the forks."""
        self.forks.go(node)
        self._on_written()

    def go_back(self) -> None:
        """As the text was before the last token came, or before the last fork."""
        self.forks.back()
        self._on_written()

    def begin_anew(self) -> None:
        """Nothing is written yet."""
        self.forks = Forks()
        self._on_written()

    def _on_written(self) -> None:
        """The text is another one, from some token on."""
        self.place = None
        known, ids = len(self._surprises), self.ids
        before = self.found.ids if self.found is not None else ()
        pairs = zip(ids, before[:known], strict=False)
        shared = next((at for at, (one, other) in enumerate(pairs) if one != other), len(ids))
        self._surprises = self._surprises[:shared]
        self.read()

    def toggle_writing(self) -> None:
        """Writes token after token, or stops."""
        self.writing = not self.writing and self.found is not None
        if self.writing and self.place is not None:  # from the end of the text on
            self.place = None
            self.read()
        elif self.writing:
            self.append()
        if self.writing:  # nobody reads numbers that change ten times a second
            self.inspection.emit(None)
        self._set_buttons()

    def stop_writing(self) -> None:
        if self.writing:
            self.writing = False
            self._set_buttons()
            self.inspect()

    def go_to(self, step: str) -> None:
        """To a step by its name, where it is."""
        if self.scene is not None:
            names = [stage.name for stage in self.scene.stages]
            if step in names:
                self.player.seek(names.index(step))

    # text and model

    def forget(self) -> None:
        """What was written belongs to another text or model."""
        super().forget()
        self.stop_writing()
        self.forks, self.place = Forks(), None
        self._surprises, self.found = np.zeros(0), None

    def read(self) -> None:
        super().read()
        self._set_buttons()

    async def answer(self) -> compute.Found | Superseded:
        source, draft = self.source, self.draft.value
        await self.encode()
        if max(self.forks.tokens) >= source.config.vocab_size:  # a session may hold anything
            self.forks = Forks()
        ids, place = self.ids, self.looked_at
        most = source.config.block_size
        before = ids[max(0, place - most) : place]
        asks = len(self._surprises) < len(ids) and len(ids) <= most
        told = self._surprises
        if asks and place < len(ids):
            whole = await source.read(ids, True, key="transformer.generate")
            if isinstance(whole, Superseded):
                return whole
            told, asks = whole.surprises, False
        read = await source.read(before, asks, key="transformer.generate")
        if isinstance(read, Superseded):
            return read
        told = read.surprises if asks else told
        came = ids[place] if place < len(ids) else -1
        asked = read, draft, ids, told, place, max(place - len(self.prompt_ids), 0), came
        return await self.engine.call(
            compute.found, *asked, key="transformer.generate.choice", name="choosing a token"
        )

    def show_answer(self, answer: compute.Found) -> None:
        self._surprises = answer.surprises
        self._show(answer)
        if self.writing:
            ended = answer.chosen.token in self.source.tokenizer.special_tokens.values()
            is_full = len(self.ids) >= self.source.config.block_size
            if ended or is_full:
                self.stop_writing()
                self.statusRequested.emit(text.FULL if is_full else text.ENDED)
            if not ended:
                self.append()

    def _on_draft(self, draft: GenerateDraft) -> None:
        self.view.set_draft(draft)
        if self.found is not None:
            self._chooses.call(compute.chosen_again, self.found, draft, name="choosing a token")

    def _on_chosen(self, found: compute.Found) -> None:
        if self.found is not None and found.read is self.found.read:
            self._show(found)

    def clear(self) -> None:
        super().clear()
        self.found = self.scene = None
        self.stop_writing()

    # what is seen

    def _show(self, found: compute.Found) -> None:
        first, self.found = self.scene is None, found
        before = [stage.name for stage in self.scene.stages] if self.scene is not None else []
        self.scene = scene_of(found.chosen, self.piece)
        names = [stage.name for stage in self.scene.stages]
        at = before[min(self.player.step, len(before) - 1)] if before and self.active else ""
        self.view.set_scene(self.scene, self.place is None)
        self.view.set_text([self.piece(one) for one in found.ids], found.surprises, found.place)
        self.view.note.setText(
            text.facts(
                len(found.ids),
                self.source.config.block_size,
                found.chosen.perplexity,
                sum(layer.bytes for layer in found.read.cache),
                found.read.seconds,
            )
        )
        self.view.set_cache(found.cache)
        self.view.set_forks(self._lines())
        self.set_tracks([TraceTrack(found.chosen.trace)], keep_position=names == before)
        if self.active and names != before:
            self.go_to(FIRST.partition(".")[2] if first or at not in names else at)
        self.view.bars.set_position(self.player.position if self.active else 0.0)
        self._set_buttons()
        self._say()
        self.inspect()

    def _lines(self) -> list[BranchLine]:
        """The forks in words."""

        def told(tokens: Sequence[int]) -> str:
            return b"".join(map(self.piece, tokens)).decode("utf-8", "replace")

        here, way = self.forks.here, set(self.forks.path(self.forks.here))
        return [
            BranchLine(told(one.tokens), one.indent, one.end in way, one.end == here,
                       told(self.forks.text(one.end)))
            for one in self.forks.branches()
        ]  # fmt: skip

    def _set_buttons(self) -> None:
        at_end = self.found is not None and self.place is None
        self.view.set_buttons(ready=at_end, writing=self.writing, written=bool(self.forks.past))

    @property
    def quoted(self) -> str:
        """The token that comes, in a sentence."""
        if self.scene is None:
            return ""
        piece = self.scene.pieces[self.scene.came].decode("utf-8", "replace")
        return quoted(piece.strip() or visible(piece))

    def _say(self) -> None:
        if self.scene is not None and self.found is not None:
            step = self.scene.stage(self.player.step if self.active else 0).name
            chosen = self.found.chosen
            nats = None if self.place is None else chosen.surprise_of(chosen.token)
            self.set_headline(text.headline(self.scene, step, self.quoted, nats))

    def inspect(self) -> None:
        track = self.player.track
        if not self.active or self.scene is None or self.found is None or track is None:
            return
        if self.writing:
            return
        if self.player.step < track.length:
            step = track.item(self.player.step)
            token = self.found.chosen.token
            self.inspection.emit(inspection(step, self.scene, token, self.quoted))
