"""The keyboard focus: Tab follows the eye; what goes away passes the focus on to no button."""

from __future__ import annotations

from collections.abc import Sequence
from itertools import pairwise

import shiboken6
from PySide6.QtCore import QObject, Qt
from PySide6.QtWidgets import QApplication, QWidget


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


def order_regions(window: QWidget, regions: Sequence[QWidget]) -> None:
    """Makes Tab go through the regions one after the other, and through each as it was built. Qt's
    own order is that in which widgets were made: what a pane adds later would come last.
    """
    chain = [window]
    while (following := chain[-1].nextInFocusChain()) is not window:
        chain.append(following)
    stops = [one for one in chain if one.isVisible() and _takes_tab(one)]
    inside = [[one for one in stops if _lies_in(one, region)] for region in regions]
    wanted = [one for region in inside for one in region]
    if wanted != [one for one in stops if one in set(wanted)]:
        for before, after in pairwise(wanted):
            QWidget.setTabOrder(before, after)


def _takes_tab(widget: QWidget) -> bool:
    tab = Qt.FocusPolicy.TabFocus
    return widget.focusPolicy() & tab == tab and widget.focusProxy() is None


def _lies_in(widget: QWidget, region: QWidget) -> bool:
    return widget is region or region.isAncestorOf(widget)
