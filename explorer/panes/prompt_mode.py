"""Modes that ask the workspace's model, and those of them that read the workspace's prompt."""

from __future__ import annotations

from abc import abstractmethod
from typing import Any

from PySide6.QtCore import QObject

from explorer.panes.model_menu import ModelMenu
from explorer.panes.modes import Desk, Mode
from explorer.panes.prompt_header import ModelHeader, PromptHeader


class ModelMode(Mode):
    """Has a header with a menu of models, and is told of another model: it forgets, then reads.

    A subclass builds its view and then calls `begin`; `read` asks for what it shows, `forget` drops
    what belongs to another model.
    """

    def __init__(self, desk: Desk, parent: QObject, inputs: ModelHeader | PromptHeader) -> None:
        super().__init__(desk, parent)
        self.inputs = inputs
        self.source: Any = None
        self.models = ModelMenu(desk.context, inputs.menu, "The live model", self)

    def begin(self) -> None:
        """The view is there: shows what the workspace holds, now and whenever it changes."""
        self.models.named.connect(self.inputs.set_model)
        self.models.refresh()
        self.workspace.modelChanged.connect(self._on_model)
        self._on_model(self.workspace.model_source)

    @abstractmethod
    def read(self) -> None:
        """Asks for what is shown."""

    @abstractmethod
    def forget(self) -> None:
        """Another model: nothing that was read by the last one counts any more."""

    def _on_model(self, source: Any) -> None:
        self.source = source
        self.forget()
        self.read()


class PromptMode(ModelMode):
    """Has the prompt in its header, and is told of another prompt as of another model."""

    inputs: PromptHeader

    def __init__(self, desk: Desk, parent: QObject) -> None:
        super().__init__(desk, parent, PromptHeader(desk.pane))
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

    def forget(self) -> None:
        """Another prompt or model: nothing that was read of the last one counts any more."""
        self.prompt_ids = []

    async def encode(self) -> list[int]:
        """The prompt's tokens."""
        if not self.prompt_ids:
            encode = self.source.tokenizer.encode_ids
            self.prompt_ids = await self.engine.io(encode, self.workspace.prompt)
        return self.prompt_ids

    def piece(self, token: int) -> bytes:
        """The bytes of a token; of one that the tokenizer does not have, its number."""
        tokenizer = self.source.tokenizer
        known = token < tokenizer.vocab_size
        return tokenizer.piece_bytes(token) if known else f"<{token}>".encode()

    def caption(self) -> str:
        return f"{getattr(self.source, 'name', '')}: {self.workspace.prompt}"

    def _on_prompt(self, prompt: str) -> None:
        self.inputs.prompt.set_prompt(prompt)
        self.forget()
        self.read()
