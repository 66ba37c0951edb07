"""While the window's thread works, learning rests: both would wait for each other at every call."""

from __future__ import annotations

from collections.abc import Callable

from PySide6.QtCore import QAbstractEventDispatcher, QObject


class Courtesy(QObject):
    """Tells by `tell(busy)` when the thread that it lives in wakes up, and when it goes to sleep."""

    def __init__(self, tell: Callable[[bool], None], parent: QObject) -> None:
        super().__init__(parent)
        self._tell = tell
        self._on = False

    def set_on(self, on: bool) -> None:
        dispatcher = QAbstractEventDispatcher.instance()
        if on == self._on or dispatcher is None:
            return
        self._on = on
        if on:
            dispatcher.awake.connect(self._on_awake)
            dispatcher.aboutToBlock.connect(self._on_sleep)
        else:
            dispatcher.awake.disconnect(self._on_awake)
            dispatcher.aboutToBlock.disconnect(self._on_sleep)
            self._tell(False)

    def _on_awake(self) -> None:
        self._tell(True)

    def _on_sleep(self) -> None:
        self._tell(False)
