"""A model that learns: which step of it is explained, how far it is now, and how to get there."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from PySide6.QtCore import QObject

from explorer.panes.backprop.gpt import text

if TYPE_CHECKING:
    from explorer.panes.backprop.gpt.mode import GPTMode


class Following(QObject):
    """What is explained stays until a person asks for the newer model: nothing replaces it."""

    def __init__(self, mode: GPTMode) -> None:
        super().__init__(mode)
        self._mode = mode
        self._source: Any = None
        mode.view.newer.clicked.connect(self.update)
        self.show()

    def set_source(self, source: Any) -> None:
        if source is self._source:
            return
        if self._source is not None:
            self._source.changed.disconnect(self.show)
        self._source = source
        if source is not None:
            source.changed.connect(self.show)
        self.show()

    @property
    def is_live(self) -> bool:
        return bool(self._source is not None and self._source.is_live)

    def show(self) -> None:
        """The step that is explained, and the one that the run has reached."""
        view, worked = self._mode.view, self._mode.worked
        view.newer.setVisible(self.is_live)
        sentence = "" if worked is None else text.example(worked)
        if worked is not None and worked.step is not None:
            sentence = f"Model of step {worked.step:,}"
            if self.is_live and self._source.step > worked.step:
                sentence += f"; the run is at step {self._source.step:,}"
            sentence += f"; {worked.example.count}"
        view.note.set_text(sentence)

    def update(self) -> None:
        """Has the run write down its model as it is now, and explains that one."""
        if self.is_live:
            prompt = self._mode.workspace.prompt
            self._mode.computing.ask(prompt, self._source, newer=True)
