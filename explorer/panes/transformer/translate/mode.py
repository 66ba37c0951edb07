"""Translate: wires the source and the bundled encoder-decoder to the alignment and the player."""

from __future__ import annotations

import math
from typing import Any

from PySide6.QtCore import QObject
from PySide6.QtWidgets import QWidget

from explorer.engine.jobs import SUPERSEDED
from explorer.engine.latest import Latest
from explorer.panes.modes import Desk, Mode
from explorer.panes.step_inspection import inspection_of
from explorer.panes.transformer.translate import compute, text
from explorer.panes.transformer.translate.draft import SHARPEST, TranslateDraft
from explorer.panes.transformer.translate.scene import TranslationScene, scene_of
from explorer.panes.transformer.translate.view import TranslateHeader, TranslateView
from explorer.runs.sources import FolderSource
from explorer.state.draft import Draft
from explorer.state.tracks import TraceTrack

MODEL = "dates"


def create(desk: Desk, parent: QObject) -> Mode:
    return TranslateMode(desk, parent)


class TranslateMode(Mode):
    """It has a model of its own: the others read with a decoder alone."""

    id = "translate"
    title = "Translate"
    teaches = "How a decoder reads from an encoder: cross-attention, token by token"

    def __init__(self, desk: Desk, parent: QObject) -> None:
        super().__init__(desk, parent)
        self.inputs, self.view = TranslateHeader(), TranslateView()
        self.draft = Draft(self.workspace, "transformer.translate", TranslateDraft, self)
        self.source: Any = FolderSource(self.engine, MODEL, self)
        self.scene: TranslationScene | None = None
        self._seed = 0
        self._reads = Latest(self.engine, self)
        line, heads = self.inputs.line, self.view.heads
        line.set_prompt(self.draft.value.text)
        line.promptEdited.connect(
            lambda typed: self.draft.change({"text": typed}, text.CHANGE_TEXT, "text")
        )
        line.rested.connect(self.draft.end_merge)
        self.inputs.another.clicked.connect(self.take_another)
        heads.headClicked.connect(self.show_head)
        heads.headUnlocked.connect(self.show_sharpest)
        self.view.picture.picked.connect(self.go_to)
        self.view.body.retryRequested.connect(self.read)
        self.draft.changed.connect(self._on_draft)
        self._reads.came.connect(self._on_read)
        self._reads.failed.connect(self._on_failed)

    def pictures(self) -> dict[str, QWidget]:
        return {"translation": self.view.picture, "heads": self.view.heads}

    def caption(self) -> str:
        return f"{MODEL}: {self.draft.value.text}"

    def shown(self) -> None:
        if self.scene is None:
            self.read()

    def take_another(self) -> None:
        """A date that the model has never seen."""
        self._seed += 1
        self.draft.change({"text": compute.another(self._seed)}, text.ANOTHER)

    def show_head(self, layer: int, head: int) -> None:
        self.draft.change({"layer": layer, "head": head}, text.CHANGE_HEAD)

    def show_sharpest(self) -> None:
        self.show_head(SHARPEST, SHARPEST)

    def read(self) -> None:
        """Translates what stands in the line, once this is shown."""
        if not self.active:
            self._clear()
        elif self.draft.value.text.strip():
            self._reads.ask(self._read, "translating", is_told=False)
        else:
            self._reads.stop()
            self._clear()
            self.view.body.show_empty(text.NO_TEXT)
            self.set_headline(text.NO_TEXT)

    async def _read(self) -> Any:
        draft, source = self.draft.value, self.source
        if source.tokenizer is None:
            await source.open()
        ids = await self.engine.io(source.tokenizer.encode_ids, draft.text)
        asked = compute.traced, ids, draft.chosen, lambda token: text.name(self.piece(token))
        trace = await source.ask(*asked, key="transformer.translate", name="translating")
        return SUPERSEDED if trace is SUPERSEDED else (ids, trace)

    def piece(self, token: int) -> bytes:
        return self.source.tokenizer.piece_bytes(token)

    def _on_read(self, answer: Any) -> None:
        if answer is SUPERSEDED:
            return
        ids, trace = answer
        before, self.scene = self.scene, scene_of(trace, ids, self.piece)
        stays = before is not None and before.target == self.scene.target
        self.view.set_scene(self.scene)
        self.set_tracks([TraceTrack(trace)], keep_position=stays)
        if self.active and not stays:
            self.player.seek(len(self.scene.target) - 1)
        self._say()
        self.inspect()

    def _on_draft(self, draft: TranslateDraft) -> None:
        self.inputs.line.set_prompt(draft.text)
        self.read()

    def _on_failed(self, message: str) -> None:
        self._clear()
        self.view.body.show_error(message)
        self.set_headline(message)

    def _clear(self) -> None:
        self.scene = None
        self.set_tracks([])

    # what the player does

    def on_position(self, position: float) -> None:
        """Inside of a token's step the picture stays at the token."""
        self.view.picture.set_position(self.player.path[0])

    def on_step(self, step: int) -> None:
        self._say()
        super().on_step(step)

    def go_to(self, place: int) -> None:
        """To a token of the target."""
        if self.scene is not None and place < len(self.scene.target):
            while self.player.leave():
                pass
            self.player.seek(place)

    def _place(self, scene: TranslationScene) -> int:
        """The token of the target that the cursor is at."""
        return min(math.ceil(self.player.path[0]), len(scene.target) - 1)

    def _say(self) -> None:
        if self.scene is not None and self.active:
            place = self._place(self.scene)
            self.view.show_place(self.scene, place)
            self.set_headline(text.headline(self.scene, place))

    def inspect(self) -> None:
        """The line with the numbers of the token that came, or of the one that was read most."""
        track, scene = self.player.track, self.scene
        if not self.active or scene is None or track is None or self.player.step >= track.length:
            return
        step = track.item(self.player.step)
        read = int(scene.weights[self._place(scene)].argmax())
        cells = {"cross.read": 0}  # a dimension of what was read
        if step.name == "translation.write":
            cells[step.name] = int(step.value("scaled").argmax())
        self.inspection.emit(inspection_of(step, cells.get(step.name, read)))
