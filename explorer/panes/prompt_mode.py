"""Modes that ask the workspace's model, and those of them that read the workspace's prompt."""

from __future__ import annotations

import sys
from abc import abstractmethod
from collections.abc import Awaitable, Callable, Iterable, Mapping, Sequence
from typing import Any

from PySide6.QtCore import QObject
from PySide6.QtWidgets import QWidget

from core.fields import fields_of
from explorer.engine.latest import Latest
from explorer.panes.model_menu import ModelMenu
from explorer.panes.modes import Desk, Mode
from explorer.panes.prompt_inputs import ModelInputs, PromptInputs
from explorer.state.actions import Action
from explorer.state.draft import Draft
from explorer.widgets.prompt_line import PromptLine


class SourceMode(Mode):
    """Asks the model of a `source`.

    A subclass builds its `view`, whose `body` is a StatefulPicture, and then calls `begin`.
    `answer` asks the model, `show_answer` takes what came; `forget` drops what belongs to another
    model, `clear` what is shown. `has_read` says whether what is shown is up to date.
    """

    has_read = False
    draft: Any  # the Draft of those that have settings
    _of_buttons: Sequence[Action] = ()

    def __init__(self, desk: Desk, parent: QObject, inputs: QWidget) -> None:
        super().__init__(desk, parent)
        self.inputs: Any = inputs
        self.source: Any = None
        self.reads = Latest(self.engine, self)

    def begin(self) -> None:
        """The view is there: shows what is to be seen, now and whenever it changes."""
        self.view.setObjectName(self.objectName())
        self.reads.came.connect(self.show_answer)
        self.reads.failed.connect(self._on_failed)
        self.view.body.retryRequested.connect(self.read)

    def connect_draft(self, kind: type) -> None:
        """The view's `settings` show the mode's draft and change it: then all is read anew."""
        self.draft = Draft(self.workspace, self.objectName(), kind, self)
        settings = self.view.settings
        settings.changed.connect(lambda name, value: self.set_settings(**{name: value}))
        settings.released.connect(self.draft.end_merge)
        settings.show(self.draft.value)
        self.draft.changed.connect(settings.show)
        self.draft.changed.connect(self.on_draft)

    def on_draft(self, _: Any) -> None:
        """Something else is set up."""
        self.read()

    def connect_line(self, line: PromptLine, name: str, title: str) -> None:
        """A line of text shows a setting and changes it; `title`: what Undo calls the change."""

        def change(typed: str) -> None:
            self.draft.change({name: typed}, title, name)

        line.set_prompt(getattr(self.draft.value, name))
        line.promptEdited.connect(change)
        line.rested.connect(self.draft.end_merge)
        self.draft.changed.connect(lambda draft: line.set_prompt(getattr(draft, name)))

    def connect_buttons(
        self,
        titles: Mapping[str, tuple[str, str]],
        deeds: Mapping[str, Callable[[], object]],
        keys: Mapping[str, str] | None = None,
    ) -> None:
        """The view's `buttons` have their deeds, titles and help; the actions are the same."""
        for name, button in self.view.buttons.items():
            button.clicked.connect(deeds[name])
        self._of_buttons = [
            self.action(name, title, deeds[name], (keys or {}).get(name, ""), help)
            for name, (title, help) in titles.items()
        ]

    def actions(self) -> list[Action]:
        """Those of its buttons, then those of `commands.py`."""
        return [*self._of_buttons, *super().actions()]

    def brought(self, draft: Any, then: Callable[[], object]) -> Callable[[], Awaitable[None]]:
        """A state for a snapshot: this draft, and then what follows."""

        async def bring() -> None:
            self.draft.begin(draft)
            await self.settled()
            then()
            await self.settled()

        return bring

    def set_settings(self, **changes: Any) -> None:
        """One or more settings of the draft; a slider's drag is one change, and so is typing."""
        name, value = next(iter(changes.items()))
        label = fields_of(type(self.draft.value))[name].label
        words = self.view.settings.words(name, value)
        self.draft.change(changes, f"{label} {words}", name)

    @abstractmethod
    async def answer(self) -> Any:
        """What the model makes of what it reads; it may be SUPERSEDED."""

    @abstractmethod
    def show_answer(self, answer: Any) -> None:
        """It came."""

    def inspect(self) -> None:
        if (step := self.step_shown) is not None:
            self.show_step(step)

    def show_step(self, step: Any) -> None:
        """The cursor is at a step of what was answered."""

    def why_empty(self) -> str:
        """Why there is nothing to ask; "" where there is."""
        return ""

    def offer(self) -> str:
        """What can be done about it, on a button; "" for nothing."""
        return ""

    def clear(self) -> None:
        """Nothing is shown: there is nothing to read, or it could not be read."""
        self.set_tracks([])
        self.inspection.emit(None)

    def forget(self) -> None:
        """Nothing that was read of another text or by another model counts any more."""
        self.has_read = False

    def take_model(self, source: Any) -> None:
        """Another model; with the first one a session may have brought what was read."""
        if source is not self.source:
            if self.source is not None:
                self.forget()
            self.source, self.has_read = source, False

    def shown(self) -> None:
        if not self.has_read:
            self.read()

    def read(self) -> None:
        """Asks the model, once this is shown."""
        self.has_read = False
        if self.source is None or not self.active:
            return
        if not (why := self.why_empty()):
            self.has_read = True
            name = f"{self.source.name} reads the text"
            self.view.body.set_waiting(name)
            self.reads.ask(self.answer, name, is_told=False)
            return
        self.reads.stop()
        self.clear()
        self.view.body.show_empty(why, self.offer())
        self.set_headline(why)

    def piece(self, token: int) -> bytes:
        """The bytes of a token; of one that the tokenizer does not have, its number."""
        tokenizer = self.source.tokenizer
        known = token < tokenizer.vocab_size
        return tokenizer.piece_bytes(token) if known else f"<{token}>".encode()

    def text_of(self, tokens: Iterable[int]) -> str:
        """What tokens say."""
        return b"".join(map(self.piece, tokens)).decode("utf-8", "replace")

    def _on_failed(self, message: str) -> None:
        self.has_read = False
        self.clear()
        self.view.body.show_error(message)
        self.set_headline(self.teaches)


class ModelMode(SourceMode):
    """Has a menu of models among its inputs, and is told of another one: it forgets, then reads."""

    def __init__(self, desk: Desk, parent: QObject, inputs: ModelInputs | PromptInputs) -> None:
        super().__init__(desk, parent, inputs)
        self.models = ModelMenu(desk.context, inputs.menu, "The live model", self)

    def begin(self) -> None:
        super().begin()
        self.models.named.connect(self.inputs.set_model)
        self.models.refresh()
        self.workspace.modelChanged.connect(self._on_model)
        self._on_model(self.workspace.model_source)

    def _on_model(self, source: Any) -> None:
        if self.source is not None:  # else a session may have brought what was read with this one
            self.forget()
        self.source = source
        self.read()


class PromptMode(ModelMode):
    """Has the prompt among its inputs, and is told of another prompt as of another model."""

    no_text = "Type some text for the model to read"
    longest = sys.maxsize  # tokens of a text that the mode has room for

    def __init__(self, desk: Desk, parent: QObject) -> None:
        super().__init__(desk, parent, PromptInputs(desk.pane))
        self.prompt_ids: list[int] = []  # of the prompt, once it is encoded

    def begin(self) -> None:
        inputs, workspace = self.inputs, self.workspace
        inputs.promptEdited.connect(
            lambda typed: workspace.change("prompt", typed, "Change prompt", merging="prompt")
        )
        inputs.prompt.rested.connect(workspace.end_merge)
        inputs.prompt.set_prompt(workspace.prompt)
        workspace.promptChanged.connect(self._on_prompt)
        super().begin()

    def why_empty(self) -> str:
        return "" if self.workspace.prompt else self.no_text

    def forget(self) -> None:
        self.prompt_ids = []
        super().forget()

    @property
    def most_read(self) -> int:
        """So many tokens of a text are read at most, its last ones."""
        return min(self.longest, self.source.config.block_size)

    def tell_length(self, headline: str, count: int) -> str:
        """A headline; of a text with more tokens than are read it also tells how many are."""
        most = self.most_read
        told = f"{headline}; the model reads only the last {most:,} of {count:,} tokens"
        return told if count > most else headline

    async def encode(self) -> list[int]:
        """The prompt's tokens."""
        if not self.prompt_ids:
            encode = self.source.tokenizer.encode_ids
            self.prompt_ids = await self.engine.io(encode, self.workspace.prompt)
        return self.prompt_ids

    def caption(self) -> str:
        return f"{getattr(self.source, 'name', '')}: {self.workspace.prompt}"

    def _on_prompt(self, prompt: str) -> None:
        self.inputs.prompt.set_prompt(prompt)
        self.forget()
        self.read()
