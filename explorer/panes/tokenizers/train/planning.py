"""Behind the setup: keeps the draft, checks it, surveys the text."""

from __future__ import annotations

from collections.abc import Generator
from typing import Any

from PySide6.QtCore import QObject
from PySide6.QtWidgets import QLineEdit

from core.numbers import format_bytes
from core.tokenization.vocabulary_limits import Limits
from explorer.engine.engine import Engine
from explorer.engine.latest import Latest
from explorer.panes.tokenizers.train.draft import TYPED, Lane, TrainDraft, check
from explorer.panes.tokenizers.train.setup import SetupView
from explorer.panes.tokenizers.train.survey import (
    Beat,
    Survey,
    fitted,
    lane_words,
    survey_steps,
    within,
)
from explorer.state.draft import Draft, named
from explorer.state.typed_numbers import whole_in
from explorer.state.workspace import Workspace

TITLES = {
    "corpus": "Text",
    "kilobytes": "Kilobytes",
    "vocab_size": "Vocabulary",
    "lanes": "The algorithms",
    "sample": "Sample",
    "typed": "Your text",
}


class Planning(QObject):
    """Keeps the draft of a training; the view shows it."""

    def __init__(
        self, engine: Engine, workspace: Workspace, view: SetupView, owner: QObject
    ) -> None:
        super().__init__(owner)
        self._view = view
        self.draft = Draft(workspace, "tokenizers.train", TrainDraft, self)
        self.errors: dict[str, str] = {}
        self.survey = Survey()
        self._surveyed: tuple[Any, ...] | None = None
        self._latest = Latest(engine, self)
        self._latest.progressed.connect(self.show)
        self._latest.failed.connect(self._on_failed)
        self._latest.ended.connect(self.show)
        self._wanted = False  # the setup is on the screen
        self._corpus_error = ""
        self.draft.changed.connect(lambda _: self.plan())
        view.changed.connect(self.change)
        view.lanes.fitRequested.connect(self.fit)
        view.text.rested.connect(workspace.end_merge)
        lines = [field.editor for field in view.fields.values()]
        for line in (*lines, *(row.pieces for row in view.lanes.rows)):
            if isinstance(line, QLineEdit):
                line.editingFinished.connect(workspace.end_merge)

    @property
    def can_start(self) -> bool:
        return not self.errors and not any(self._lane_words(lane)[1] for lane in self._lanes)

    @property
    def _lanes(self) -> tuple[Lane, ...]:
        return self.draft.value.chosen

    def change(self, name: str, value: Any) -> None:
        """A person's change, which can be undone; what is typed into one field is one change."""
        draft = self.draft.value.change({name: value})
        if draft == self.draft.value:
            self.plan()
            return
        typed = name in ("kilobytes", "vocab_size", "sample", "typed") or self._typed(name, value)
        shown = isinstance(value, str) and name != "typed"
        told = named(TITLES[name], value if shown else "")
        self.draft.change(draft, told, name if typed else "")

    def _typed(self, name: str, value: Any) -> bool:
        """Whether it is a size that is being typed into an algorithm's row."""
        lanes = [lane.algorithm for lane in self._lanes]
        return name == "lanes" and [lane.algorithm for lane in value] == lanes

    def fit(self) -> None:
        """Gives each algorithm whose size the text does not allow the nearest that it does."""
        self.change("lanes", self._fit())

    def _fit(self) -> tuple[Lane, ...]:
        return fitted(self.survey, self._lanes, self.draft.value.pieces)

    def limits(self, draft: TrainDraft) -> list[Limits | None]:
        """What its text allows of each lane; None where the survey has not come to its end."""
        whole = self._question(draft) == self._surveyed and not self._latest.running
        known = self.survey.limits if whole else {}
        return [known.get(lane.algorithm) for lane in draft.chosen]

    def set_wanted(self, wanted: bool) -> None:
        """Whether the setup is on the screen: nothing is surveyed behind its back."""
        self._wanted = wanted
        if wanted:
            self.plan()
        else:
            self._end_survey()

    def plan(self) -> None:
        """Shows fields, errors and limits as they are now."""
        draft = self.draft.value
        amount = whole_in(draft.kilobytes)
        errors = check(draft)
        about = self._question(draft)
        if self._wanted and about != self._surveyed:
            self._end_survey()
            self._corpus_error, self.survey = "", Survey()
            if "corpus" not in errors and "kilobytes" not in errors and amount:
                self._surveyed = about
                self._start_survey(draft, 1000 * amount)
        self.show()

    def show(self) -> None:
        self.errors = check(self.draft.value, self._corpus_error)
        words = [self._lane_words(lane) for lane in self._lanes]
        self._view.set_draft(
            self.draft.value,
            self.errors,
            [note for note, _ in words],
            [error for _, error in words],
            self._fit() == within(self.survey, self._lanes, self.draft.value.pieces),
        )
        survey = self.survey
        known = survey.read and not self._corpus_error
        left = "" if survey.whole else "The rest of the text is left out."
        if self.draft.value.corpus == "stories":
            left = "Little stories that we tell ourselves: there is no end of them."
        self._view.set_text(
            format_bytes(survey.size) if known else "\u2013",
            f"{survey.words:,}" if survey.words else "\u2013",
            f"{survey.different:,}" if survey.different else "\u2013",
            left if known else "",
        )
        if self.draft.value.corpus == TYPED:
            self._view.set_typed(self.draft.value.typed)
        else:
            self._view.set_excerpt(survey.beginning if known else "")

    def _lane_words(self, lane: Lane) -> tuple[str, str]:
        if self.errors.get("corpus"):
            return "", ""
        return lane_words(self.survey, lane, self.draft.value.pieces)

    # the survey

    @staticmethod
    def _question(draft: TrainDraft) -> tuple[Any, ...]:
        """What a survey depends on."""
        text = draft.typed if draft.corpus == TYPED else draft.corpus
        lanes = tuple(lane.algorithm for lane in draft.chosen)
        return draft.corpus, text, whole_in(draft.kilobytes), lanes

    def _start_survey(self, draft: TrainDraft, n_bytes: int) -> None:
        lanes = self._lanes

        def begin() -> Generator[Beat, None, None]:
            self._corpus_error, self.survey = "", Survey()
            return survey_steps(self.survey, draft.texts_steps(n_bytes), lanes)

        self._latest.ask(begin, "looking at the text")

    def _end_survey(self) -> None:
        if self._latest.stop():
            self._surveyed = None

    def _on_failed(self, message: str) -> None:
        self._corpus_error = message

    async def settled(self) -> None:
        await self._latest.settled()
