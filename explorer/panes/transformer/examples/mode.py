"""Examples: connects the lines and the model with the bars and the player."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from PySide6.QtCore import QObject
from PySide6.QtWidgets import QWidget

import core
from core.data.few_shot_tasks import FORMS, example_counts, pairs_of
from explorer.engine.jobs import Superseded
from explorer.panes.model_menu import REAL
from explorer.panes.modes import Desk
from explorer.panes.prompt_mode import ModelMode
from explorer.panes.step_inspection import inspection_of
from explorer.panes.transformer.examples import text
from explorer.panes.transformer.examples.draft import ExamplesDraft
from explorer.panes.transformer.examples.view import ExamplesInputs, ExamplesView
from explorer.state.draft import Draft
from explorer.state.tracks import TraceTrack


class ExamplesMode(ModelMode):
    """Asks the question after a growing number of examples; each number is a step."""

    id = "examples"
    title = "Examples"
    teaches = "How examples in the prompt improve the answers, without any training"

    def __init__(self, desk: Desk, parent: QObject) -> None:
        super().__init__(desk, parent, ExamplesInputs())
        self.view = view = ExamplesView()
        self.draft = Draft(self.workspace, "transformer.examples", ExamplesDraft, self)
        self.shots: list[Any] = []  # the results, by growing number of examples
        self.inputs.task.picked.connect(lambda lines: self.set_up(lines=lines))
        self.inputs.form.picked.connect(lambda form: self.set_up(form=form))
        view.lines.rested.connect(lambda: self.set_up(lines=view.lines.text))
        view.bars.picked.connect(self.player.seek)
        view.real.clicked.connect(self.models.open_real)
        self.draft.changed.connect(self.on_draft)
        self.on_draft(self.draft.value)
        self.begin()

    def pictures(self) -> dict[str, QWidget]:
        return {"examples": self.view.bars, "read": self.view.read}

    def beside(self) -> Sequence[QWidget]:
        return (self.view.read,)

    def set_up(self, **changes: str) -> None:
        """Replaces the lines or the form."""
        self.draft.change(changes, text.CHANGE)

    def on_draft(self, draft: ExamplesDraft) -> None:
        self.inputs.set_draft(draft)
        self.view.lines.set_text(draft.lines)
        self.forget()
        self.read()

    def forget(self) -> None:
        super().forget()
        self.view.real.hide()
        self.clear()
        self.view.body.show_loading()

    async def answer(self) -> Any:
        source, draft, shots = self.source, self.draft.value, []
        *examples, asked = pairs_of(draft.lines)
        for count in example_counts(len(examples)):
            given = source.tokenizer, examples, *asked, count, FORMS[draft.form]
            name = f"{source.name} answers after examples"
            one = await source.ask(lambda *all: core.shot(*all), *given, name=name)
            if isinstance(one, Superseded):
                return one
            shots.append(one)
            self.view.show_shots(shots, -1, source.tokenizer)
            self.set_headline(self._told(one, shots))
            self.view.body.set_waiting(name)
        return shots

    def show_answer(self, answer: list[Any]) -> None:
        self.shots = answer
        offers = text.is_hopeless(answer) and self.source.address != REAL
        self.view.real.setText(self.models.real_offer)
        self.view.real.setVisible(offers)
        self.set_tracks([TraceTrack(core.trace_few_shot(answer))])
        if self.active:
            self.player.seek(len(answer) - 1)
        self.inspect()

    def _told(self, shot: Any, shots: list[Any]) -> str:
        """Returns the headline of a result."""
        *examples, asked = pairs_of(self.draft.value.lines)
        is_above = asked in examples[: shot.count]
        return text.headline(shot, shots, self.source.name, is_above)

    def show_step(self, step: Any) -> None:
        at = self.player.step
        self.view.show_shots(self.shots, at, self.source.tokenizer)
        self.set_headline(self._told(self.shots[at], self.shots))
        self.inspection.emit(inspection_of(step))
