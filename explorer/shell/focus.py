"""Keyboard focus: Tab follows the visual order; a widget that disappears hands it to no button."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from itertools import pairwise

import shiboken6
from PySide6.QtCore import QObject, Qt
from PySide6.QtWidgets import QApplication, QSplitter, QWidget

TAB = Qt.FocusPolicy.TabFocus


class FocusKeeper(QObject):
    """Moves the focus of a button that is hidden or disabled to the widget around it. Qt would pass
    it to the next widget in the chain, and Space would press a button that nobody chose. There
    Space plays instead, and Tab continues from the same place.

    Code that hides a button can choose another target by setting the focus itself.
    """

    def __init__(self, parent: QObject) -> None:
        """Works for all windows of the app, popovers included, during the lifetime of `parent`."""
        super().__init__(parent)
        app = QApplication.instance()
        assert isinstance(app, QApplication)
        app.focusChanged.connect(self._on_focus_changed)

    def _on_focus_changed(self, old: QWidget | None, new: QWidget | None) -> None:
        if old is None or new is None or not shiboken6.isValid(old):
            return
        window = old.window()
        if new.window() is not window or not window.isVisible():
            return
        if old.isVisible() and old.isEnabled():
            return
        heir = old.parentWidget()
        while heir is not None and not (heir.isVisible() and heir.isEnabled()):
            heir = heir.parentWidget()
        if heir is not None and not (heir is new or new.isAncestorOf(heir)):
            heir.setFocus()


def order_regions(regions: Sequence[QWidget]) -> None:
    """Makes Tab visit the regions in order, and each one's widgets in the order of their layout.
    Qt's own order is that of creation: widgets that a pane adds later would come last.

    Never ask a widget for Qt's next in the chain or for its focus proxy: PySide takes the result
    for the widget's child, and the rest of the chain becomes invalid, or is deleted, with the
    widget.
    """
    every = (stop for region in regions for stop in stops(region))
    for before, after in pairwise(every):
        QWidget.setTabOrder(before, after)


def stops(widget: QWidget) -> Iterator[QWidget]:
    """Yields the widget, if Tab stops at it, then those inside it."""
    if not widget.isVisible():
        return
    if widget.focusPolicy() & TAB == TAB:
        yield widget
    if isinstance(widget, QSplitter):  # its children are not in the order of layout
        parts: list[QObject] = [widget.widget(place) for place in range(widget.count())]
    else:
        parts = widget.children()
    for part in parts:
        if isinstance(part, QWidget) and not part.isWindow():
            yield from stops(part)
