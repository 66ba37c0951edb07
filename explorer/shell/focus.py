"""Keyboard focus: Tab follows the visual order; a widget that disappears hands it to no button."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from itertools import pairwise

import shiboken6
from PySide6.QtCore import QObject, Qt
from PySide6.QtWidgets import QApplication, QSplitter, QWidget

TAB = Qt.FocusPolicy.TabFocus


class FocusKeeper(QObject):
    """When a button is hidden or disabled under the keyboard, Qt passes the focus to the next one
    in the chain, and the next Space presses what nobody has chosen. Here what surrounds the button
    gets it: there Space plays, and Tab goes on from the same place.

    Whoever hides a button and knows its heir sets the focus there; that holds.
    """

    def __init__(self, parent: QObject) -> None:
        """For all windows of the app, its popovers too, as long as `parent` lives."""
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
    """Makes Tab go through the regions one after the other, and through each as it was built. Qt's
    own order is that in which widgets were made: what a pane adds later would come last.

    Nobody asks a widget for the next in Qt's order, or for its focus proxy: PySide takes what these
    return for the widget's child, and all that follows goes invalid, or dies, with the widget.
    """
    every = (stop for region in regions for stop in stops(region))
    for before, after in pairwise(every):
        QWidget.setTabOrder(before, after)


def stops(widget: QWidget) -> Iterator[QWidget]:
    """The widget, if Tab stops there, then those in it."""
    if not widget.isVisible():
        return
    if widget.focusPolicy() & TAB == TAB:
        yield widget
    if isinstance(widget, QSplitter):  # puts the part that came last below the others
        parts: list[QObject] = [widget.widget(place) for place in range(widget.count())]
    else:
        parts = widget.children()
    for part in parts:
        if isinstance(part, QWidget) and not part.isWindow():
            yield from stops(part)
