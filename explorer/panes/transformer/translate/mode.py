"""Translate: connects the source and the bundled encoder-decoder with the alignment and player."""

from __future__ import annotations

from typing import Any

import numpy as np
from PySide6.QtCore import QObject
from PySide6.QtWidgets import QWidget

import core
from core.data.dates import Dates
from core.marked_line import marked_line
from core.trace import Step, Trace
from explorer.panes.modes import Desk
from explorer.panes.prompt_mode import SourceMode
from explorer.panes.step_inspection import inspection_of
from explorer.panes.transformer.translate import text
from explorer.panes.transformer.translate.draft import TranslateDraft
from explorer.panes.transformer.translate.scene import TranslationScene
from explorer.panes.transformer.translate.view import TranslateInputs, TranslateView
from explorer.runs.sources import FolderSource
from explorer.state.draft import Draft
from explorer.state.tracks import TraceTrack

MODEL = "dates"


class TranslateMode(SourceMode):
    """Has a model of its own, because the models of the other modes have only a decoder."""

    id = "translate"
    title = "Translate"
    teaches = "How a decoder reads from an encoder through cross-attention, token by token"

    def __init__(self, desk: Desk, parent: QObject) -> None:
        view = TranslateView()
        super().__init__(desk, parent, TranslateInputs(view.buttons["another"]))
        self.view = view
        self.draft = Draft(self.workspace, "transformer.translate", TranslateDraft, self)
        self.source = FolderSource(self.engine, MODEL, self)
        self.scene: TranslationScene | None = None
        self._seed = 0
        self.connect_line(self.inputs.line, "text", text.CHANGE_TEXT)
        deeds = {"another": self.take_another, "sharpest": lambda: self.show_head()}
        self.connect_buttons(text.BUTTONS, deeds)
        view.heads.headClicked.connect(self.show_head)
        view.heads.headUnlocked.connect(self.show_head)
        view.picture.picked.connect(self.go_to)
        self.draft.changed.connect(self.read)
        self.begin()

    def pictures(self) -> dict[str, QWidget]:
        return {"translation": self.view.picture, "heads": self.view.heads}

    def caption(self) -> str:
        return f"{MODEL}: {self.draft.value.text}"

    def take_another(self) -> None:
        """Replaces the source by a date that the model has not seen in training."""
        self._seed += 1
        date = Dates().pair("validation", np.random.default_rng(self._seed))
        self.draft.change({"text": date.source}, text.BUTTONS["another"][0])

    def show_head(self, *head: int) -> None:
        """Shows a head by layer and index; without arguments, the sharpest."""
        self.draft.change({"head": head}, text.CHANGE_HEAD)

    # model

    def why_empty(self) -> str:
        return "" if self.draft.value.text.strip() else text.NO_TEXT

    async def answer(self) -> Any:
        draft, source = self.draft.value, self.source
        if source.tokenizer is None:
            await source.open()
        try:
            ids = await self.engine.io(source.tokenizer.encode_ids, draft.text)
        except ValueError as error:
            raise ValueError(text.not_read(error)) from error

        def name(token: int) -> str:
            return text.name(self.piece(token))

        asked = core.trace_translation, ids, draft.head or None, name
        return await source.ask(*asked, key="transformer.translate", name="translating")

    def show_answer(self, answer: Trace) -> None:
        before, self.scene = self.scene, TranslationScene(answer, self.piece)
        stays = before is not None and before.target == self.scene.target
        self.view.set_scene(self.scene)
        self.set_tracks([TraceTrack(answer)], keep_position=stays)
        if self.active and not stays:
            self.player.seek(len(self.scene.target) - 1)
        self.inspect()

    def clear(self) -> None:
        super().clear()
        self.scene = None

    # player

    def on_position(self, position: float) -> None:
        """Updates the picture; it stays at the token while a step inside is played."""
        self.view.picture.set_position(self.player.path[0])

    def go_to(self, place: int) -> None:
        """Moves to a token of the target."""
        if self.scene is not None and place < len(self.scene.target):
            while self.player.leave():
                pass
            self.player.seek(place)

    def show_step(self, step: Step) -> None:
        """Inspects the largest number of the step's result: the chosen token's, or that of the
        source token with the largest weight.
        """
        scene = self.scene
        if scene is None:
            return
        place = self.view.picture.place
        self.view.show_place(scene, place)
        self.set_headline(text.headline(scene, place))
        made = step.value(marked_line(step.code).made)
        self.inspection.emit(inspection_of(step, int(made.argmax())))
