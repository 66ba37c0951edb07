"""A mode that reads the workspace's prompt with its model: the header, and what is read."""

from __future__ import annotations

from abc import abstractmethod
from typing import Any

from PySide6.QtCore import QObject

from explorer.panes.model_menu import ModelMenu
from explorer.panes.modes import Desk, Mode
from explorer.panes.prompt_header import PromptHeader


class PromptMode(Mode):
    """Has the header, and is told of another prompt or model: it forgets, then reads.

    A subclass builds its view and then calls `begin`; `read` asks for what it shows, `forget` drops
    what belongs to another text or model.
    """

    def __init__(self, desk: Desk, parent: QObject) -> None:
        super().__init__(desk, parent)
        self.inputs = PromptHeader(desk.pane)
        self.source: Any = None
        self.prompt_ids: list[int] = []  # of the prompt, once it is encoded
        self.models = ModelMenu(desk.context, self.inputs.menu, "The live model", self)

    def begin(self) -> None:
        """The view is there: shows what the workspace holds, now and whenever it changes."""
        inputs, workspace = self.inputs, self.workspace
        inputs.promptEdited.connect(
            lambda typed: workspace.change("prompt", typed, "Change prompt", merging="prompt")
        )
        inputs.prompt.rested.connect(workspace.end_merge)
        inputs.prompt.set_prompt(workspace.prompt)
        self.models.named.connect(inputs.set_model)
        self.models.refresh()
        workspace.promptChanged.connect(self._on_prompt)
        workspace.modelChanged.connect(self._on_model)
        self._on_model(workspace.model_source)

    @abstractmethod
    def read(self) -> None:
        """Asks for what is shown of the prompt."""

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

    def _on_model(self, source: Any) -> None:
        self.source = source
        self.forget()
        self.read()
