"""A mode that looks at the fine-tuned model that the pane holds."""

from __future__ import annotations

from typing import Any

from explorer.panes.prompt_mode import SourceMode


class TunedMode(SourceMode):
    """Opens the model when it is first shown, and is told of another one: it forgets, then reads.
    Where another one cannot be opened, the one before stays.
    """

    def begin(self) -> None:
        super().begin()
        self.desk.tuned.opened.connect(self._on_model)  # type: ignore[attr-defined]
        self.desk.tuned.failed.connect(self._on_not_opened)  # type: ignore[attr-defined]
        self.view.body.show_loading()

    def shown(self) -> None:
        self._take_model(self.desk.tuned.source)  # type: ignore[attr-defined]
        super().shown()

    def read(self) -> None:
        if self.active and self.source is None:
            self.desk.tuned.open()  # type: ignore[attr-defined]
        super().read()

    def _on_model(self, source: Any) -> None:
        self._take_model(source)
        self.read()

    def _take_model(self, source: Any) -> None:
        if source is not self.source:
            if self.source is not None:  # else a session may have brought what was chosen with it
                self.forget()
            self.source, self.has_read = source, False

    def _on_not_opened(self, message: str) -> None:
        if self.source is None:
            self._on_failed(message)
        elif self.active:
            self.statusRequested.emit(message)
