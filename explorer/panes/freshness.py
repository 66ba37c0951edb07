"""Whether the answer that a pane or mode shows belongs to its present inputs."""

from __future__ import annotations

from collections.abc import Callable, Sequence

from PySide6.QtCore import QObject, Signal
from PySide6.QtWidgets import QWidget

from explorer.widgets.fade import Fade
from explorer.widgets.stateful import StatefulPicture

WAITING = "Updating: {}"  # the headline while an old answer is shown
UNNAMED = "the picture still shows the previous inputs"  # if nobody says what is waited for
OLD_STEPS = "Updating; these steps still belong to the previous inputs"
CANCELED = "You canceled this. Retry starts again."


class Freshness(QObject):
    """Follows the pictures of one answer. A picture turns stale when its inputs have moved on
    (`StatefulPicture.show_loading`), and current when the answer to them is shown. Widgets
    `beside` the pictures, which show parts of the answer, are dimmed with them.

    changed()   `is_stale` or `reason` is another
    canceled()  the user has canceled the wait; the pictures say so and offer Retry
    """

    changed = Signal()
    canceled = Signal()

    def __init__(
        self, *bodies: StatefulPicture, beside: Sequence[QWidget] = (), parent: QObject
    ) -> None:
        super().__init__(parent)
        self._bodies = bodies
        self._fades = [Fade(one) for one in beside]
        self._known = (False, "")
        self._controls: dict[QWidget, bool] = {}  # those disabled now; True: to be enabled again
        self.controls: list[QWidget] = []  # act on the answer, so an old one disables them
        for body in bodies:
            body.waitChanged.connect(self._on_wait)

    def offer_cancel(self, stop: Callable[[], object]) -> None:
        """Offers Cancel in a long wait; `stop` ends the work and drops the old answer, or returns
        True if it has returned to earlier inputs.
        """

        def cancel() -> None:
            if stop() is True:
                return
            for body in self._bodies:
                body.show_error(CANCELED)
            self.canceled.emit()

        for body in self._bodies:
            body.set_cancellable(True)
            body.cancelRequested.connect(cancel)

    @property
    def is_current(self) -> bool:
        """False as soon as newer inputs wait for their answer."""
        return all(body.is_current for body in self._bodies)

    @property
    def is_stale(self) -> bool:
        """True while a picture is dimmed, or gone because another answer is waited for."""
        return any(body.is_outdated for body in self._bodies)

    @property
    def headline(self) -> str:
        """What is waited for, as the headline while the answer is stale."""
        reasons = (body.message for body in self._bodies if body.is_outdated)
        return WAITING.format(next(filter(None, reasons), UNNAMED))

    def _on_wait(self) -> None:
        now = self.is_stale, self.headline
        if now == self._known:
            return
        self._known = now
        if self.is_stale:
            new = [one for one in self.controls if one not in self._controls]
            self._controls |= {one: one.isEnabled() for one in new}
        for control, was_enabled in self._controls.items():
            control.setEnabled(was_enabled and not self.is_stale)
        if not self.is_stale:
            self._controls.clear()
        for fade in self._fades:
            fade.show_stale(self.is_stale)
        self.changed.emit()
