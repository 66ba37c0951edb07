"""Modes that run the workspace's model, some of them on the workspace's prompt."""

from __future__ import annotations

import sys
from abc import abstractmethod
from collections.abc import Awaitable, Callable, Iterable, Mapping, Sequence
from functools import partial
from typing import Any

from PySide6.QtCore import QObject
from PySide6.QtWidgets import QWidget

from core.fields import fields_of
from explorer.engine.latest import Latest
from explorer.panes.freshness import Freshness
from explorer.panes.model_menu import ModelMenu
from explorer.panes.modes import Desk, Mode
from explorer.panes.prompt_inputs import ModelInputs, PromptInputs
from explorer.state.actions import Action
from explorer.state.draft import Draft
from explorer.widgets.prompt_line import PromptLine

TOO_LONG = "At most {:,} characters fit here (you typed {:,})."


class SourceMode(Mode):
    """A mode that runs the model of a `source`.

    A subclass builds its `view`, whose `body` is a StatefulPicture, and then calls `begin`.
    `answer` runs the model and `show_answer` shows the result; `forget` drops results of another
    model, `clear` empties the view. `has_read` is True if the results are up to date.
    """

    has_read = False
    draft: Any  # the Draft, if the mode has settings
    freshness: Freshness
    _of_buttons: Sequence[Action] = ()
    _of_answer: Sequence[QWidget] = ()  # buttons

    def __init__(self, desk: Desk, parent: QObject, inputs: QWidget) -> None:
        super().__init__(desk, parent)
        self.inputs: Any = inputs
        self.source: Any = None
        self.reads = Latest(self.engine, self)
        self._lines: list[PromptLine] = []  # those of settings

    def begin(self) -> None:
        """Connects the view, which must exist, and shows the current state."""
        self.view.setObjectName(self.objectName())
        self.reads.came.connect(self.show_answer)
        self.reads.failed.connect(self._on_failed)
        self.view.body.retryRequested.connect(self.read)
        self.show_one_answer(self.view.body, beside=self.beside(), stop=self.stop)
        self.freshness.controls += self._of_answer

    def beside(self) -> Sequence[QWidget]:
        """Returns widgets outside the view's body that show parts of the answer."""
        return ()

    def connect_draft(self, kind: type) -> None:
        """Connects the view's `settings` and the mode's draft; each change runs the model again."""
        self.draft = Draft(self.workspace, self.objectName(), kind, self)
        settings = self.view.settings
        settings.changed.connect(lambda name, value: self.set_settings(**{name: value}))
        settings.released.connect(self.draft.end_merge)
        settings.show(self.draft.value)
        self.draft.changed.connect(settings.show)
        self.draft.changed.connect(self.on_draft)

    def on_draft(self, _: Any) -> None:
        """Called when the setup changes."""
        self.read()

    def connect_line(self, line: PromptLine, name: str, title: str) -> None:
        """Connects a line of text with a setting; `title` is the name of the change for Undo. A
        text that is too long stays in the line, which says so, until another one replaces it.
        """
        most = fields_of(type(self.draft.value))[name].longest

        def change(typed: str) -> None:
            was_refused = bool(line.error)
            line.set_error(TOO_LONG.format(most, len(typed)) if len(typed) > most else "")
            if line.error:
                self.read()
            elif typed != getattr(self.draft.value, name):
                self.draft.change({name: typed}, title, name)
            elif was_refused:
                self.read()

        def show(draft: Any) -> None:
            value = getattr(draft, name)
            if not line.error or value != shown[0]:
                line.set_error("")
                line.set_prompt(value)
            shown[0] = value

        shown = [getattr(self.draft.value, name)]
        self._lines.append(line)
        line.set_prompt(shown[0])
        line.promptEdited.connect(change)
        line.rested.connect(self.draft.end_merge)
        self.draft.changed.connect(show)

    def connect_buttons(
        self,
        titles: Mapping[str, tuple[str, str]],
        deeds: Mapping[str, Callable[[], object]],
        keys: Mapping[str, str] | None = None,
        of_answer: Sequence[str] = (),
    ) -> None:
        """Connects the view's `buttons` with their functions, and adds them to the actions. Those
        `of_answer` use what is shown: they do nothing while it belongs to earlier inputs.
        """
        buttons, keys = self.view.buttons, keys or {}
        self._of_answer = [buttons[name] for name in of_answer if name in buttons]
        deeds = {
            name: self.of_answer(deed) if name in of_answer else deed
            for name, deed in deeds.items()
        }
        for name, button in buttons.items():
            button.clicked.connect(deeds[name])
        self._of_buttons = [
            self.action(
                name, title, deeds[name], keys.get(name, ""), help,
                (lambda: self.is_current) if name in of_answer else (lambda: True),
            )
            for name, (title, help) in titles.items()
        ]  # fmt: skip

    def of_answer(self, deed: Callable[[], object]) -> Callable[[], None]:
        """Returns `deed` so that it acts on no answer to earlier inputs."""

        def act() -> None:
            if self.is_current:
                deed()

        return act

    def actions(self) -> list[Action]:
        """Returns the actions of the buttons, then those of `commands.py`."""
        return [*self._of_buttons, *super().actions()]

    def brought(self, draft: Any, then: Callable[[], object]) -> Callable[[], Awaitable[None]]:
        """Returns a state for a snapshot: sets the draft, then calls `then`."""

        async def bring() -> None:
            self.draft.begin(draft)
            await self.settled()
            then()
            await self.settled()

        return bring

    def set_settings(self, **changes: Any) -> None:
        """Changes settings of the draft; a slider's drag or typing is one change for Undo."""
        name, value = next(iter(changes.items()))
        label = fields_of(type(self.draft.value))[name].label
        words = self.view.settings.words(name, value)
        self.draft.change(changes, f"{label} {words}", name)

    @abstractmethod
    async def answer(self) -> Any:
        """Runs the model and returns the result, which may be SUPERSEDED."""

    @abstractmethod
    def show_answer(self, answer: Any) -> None:
        """Shows the result of `answer`."""

    def inspect(self) -> None:
        if (step := self.step_shown) is not None:
            self.show_step(step)

    def show_step(self, step: Any) -> None:
        """Called when the cursor is at a step of the answer."""

    def why_empty(self) -> str:
        """Returns why there is nothing to run, or ""."""
        return ""

    def offer(self) -> str:
        """Returns the title of a button with a remedy, or ""."""
        return ""

    def clear(self) -> None:
        """Empties the view if there is nothing to read or reading failed."""
        self.set_tracks([])
        self.inspection.emit(None)

    def forget(self) -> None:
        """Drops results of another text or another model."""
        self.has_read = False

    def take_model(self, source: Any) -> None:
        """Takes another model; results that a session restored belong to the first one."""
        if source is not self.source:
            if self.source is not None:
                self.forget()
            self.source, self.has_read = source, False

    def shown(self) -> None:
        if not self.has_read:
            self.read()

    def read(self) -> None:
        """Runs the model if this mode is shown, else as soon as it is."""
        self.has_read = False
        if self.source is None or not self.active:
            return
        refused = next((line.error for line in self._lines if line.error), "")
        if not (why := refused or self.why_empty()):
            self.has_read = True
            name = f"{self.source.name} reads the text"
            self.show_wait(name)
            self.reads.ask(self.answer, name, is_told=False)
            return
        self.reads.stop()
        self.clear()
        self.view.body.show_empty(why, *(("", "warning") if refused else (self.offer(),)))
        self.set_headline(why)

    def show_wait(self, reason: str) -> None:
        """Shows that the model runs for the present inputs."""
        self.view.body.show_loading(reason)

    def stop(self) -> None:
        """Ends the work on the answer, and drops the old one, when the user cancels the wait."""
        self.reads.stop()
        self.has_read = False
        self.clear()

    @property
    def piece(self) -> Callable[[int], bytes]:
        """Returns the bytes of a token, or its number if the tokenizer does not know it. An answer
        keeps it, so that its tokens are still spelled by its own model after a change of models.
        """
        return partial(_piece, self.source.tokenizer)

    def text_of(self, tokens: Iterable[int]) -> str:
        """Returns the text of tokens."""
        return b"".join(map(self.piece, tokens)).decode("utf-8", "replace")

    def _on_failed(self, message: str) -> None:
        self.has_read = False
        self.clear()
        self.view.body.show_error(message)
        self.set_headline(self.teaches)


def _piece(tokenizer: Any, token: int) -> bytes:
    known = token < tokenizer.vocab_size
    return tokenizer.piece_bytes(token) if known else f"<{token}>".encode()


class ModelMode(SourceMode):
    """A mode with a menu of models; if the model changes, it drops its results and reads again."""

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
        if self.source is not None:  # results restored by a session belong to the first
            self.forget()
        self.source = source
        self.read()


class PromptMode(ModelMode):
    """A mode that reads the prompt; it is updated if the prompt or the model changes."""

    no_text = "Type some text for the model to read"
    longest = sys.maxsize  # most tokens of a text that the mode has room for

    def __init__(self, desk: Desk, parent: QObject) -> None:
        super().__init__(desk, parent, PromptInputs(desk.pane))
        self.prompt_ids: list[int] = []  # token ids of the prompt, once encoded

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
        """The number of tokens of a text that are read at most, from its end."""
        return min(self.longest, self.source.config.block_size)

    def tell_length(self, headline: str, count: int) -> str:
        """Returns a headline, which also says how many tokens are read if not all of them are."""
        most = self.most_read
        told = f"{headline}; the model reads only the last {most:,} of {count:,} tokens"
        return told if count > most else headline

    async def encode(self) -> list[int]:
        """Returns the token ids of the prompt."""
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
