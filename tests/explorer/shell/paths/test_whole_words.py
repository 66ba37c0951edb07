"""At every zoom and in every pane the words and numbers of controls and pictures are whole."""

from __future__ import annotations

import asyncio
import re
from collections.abc import Iterator
from typing import Any

import pytest
from PySide6.QtCore import QRect, QRectF, Qt
from PySide6.QtGui import QFontMetricsF, QPainter
from PySide6.QtWidgets import QAbstractButton, QComboBox, QLabel, QWidget

from core.training import new_run_folder, train_steps
from explorer import theme
from explorer.widgets.cut_label import CutLabel
from explorer.widgets.live_text import LiveText
from explorer.widgets.toggle import SegmentedControl
from tests.explorer.demo import tiny_training

ARROW = 34  # px of a combo box beside its text
LARGEST = 2.0
CUT_NUMBER = re.compile("[0-9]\u2026|\u2026[.,]?[0-9]")  # "0.5…", "…69"


@pytest.mark.parametrize(
    "zooms", [(1.0, LARGEST), pytest.param((0.8, 1.25, 1.5, 1.77), marks=pytest.mark.full)]
)
def test_no_word_and_no_number_is_cut_at_any_zoom(sit, qapp, tmp_path, painted, zooms):
    config = tiny_training()
    run = new_run_folder(tmp_path / "runs", "a-run", config)
    for _ in train_steps(config, run):
        pass

    async def body(session):
        window, cut = session.window, []
        panes = {spec.id: window.show_pane(spec.id) for spec in session.specs}
        session.open_run(run)
        await window.pane.settled()
        for zoom in zooms:
            theme.apply(qapp, "light", zoom, "off")
            for pane in panes.values():
                window.show_pane(pane.objectName())
                for mode in getattr(pane, "modes", None) or {"": None}:
                    if mode:
                        pane.show_mode(mode)
                    await pane.settled()
                    for state in states(pane, mode):
                        await asyncio.sleep(0)  # layouts follow
                        await pane.settled()
                        painted.clear()
                        window.grab()
                        place = f"{zoom} {pane.objectName()} {mode} {state}"
                        cut += [f"{place}: {fault}" for fault in (*faults(window), *painted)]
        return cut

    cut = sit(body)
    assert not cut, "\n".join(cut)


@pytest.fixture
def painted(monkeypatch) -> list[str]:
    """What a picture has painted in less room than it takes, or with a number that is cut."""
    found: list[str] = []
    paint = QPainter.drawText

    def draw_text(painter: QPainter, *given: Any) -> Any:
        text = next((one for one in given if isinstance(one, str)), "")
        free = Qt.TextFlag.TextWordWrap | Qt.TextFlag.TextDontClip  # it may leave its rectangle
        if isinstance(given[0], QRect | QRectF) and not int(given[1]) & free:
            wide, room = QFontMetricsF(painter.font()).horizontalAdvance(text), given[0].width()
            if wide > room + 2:
                found.append(f"{text!r} is painted in {room:.0f} px of {wide:.0f}")
        if CUT_NUMBER.search(text):
            found.append(f"{text!r} is painted")
        return paint(painter, *given)

    monkeypatch.setattr(QPainter, "drawText", draw_text)
    return found


def states(pane: Any, mode: str) -> Iterator[str]:
    """What else its controls may look like."""
    yield ""
    if mode == "network":
        one = pane.modes[mode]
        one.view.tools.set_tool("add")
        one.inputs.set_diverged(True)
        yield "after it diverged, while points are added"
        assert one.inputs.presets.text() == "Presets"
        assert one.inputs.slower.text() == "Reset with a lower rate"
        one.inputs.set_diverged(False)
        one.view.tools.set_tool("inspect")
        one.inputs.set_sample(True)
        yield "on a point's way"
        one.inputs.set_sample(False)
    elif mode == "run":
        card = pane.modes[mode].view.card
        card.buttons["continue"].show()
        card.buttons["anew"].show()
        yield "with long offers"


def faults(window: QWidget) -> Iterator[str]:
    kinds = (QLabel, QAbstractButton, QComboBox, SegmentedControl, LiveText)
    for widget in window.findChildren(QWidget):
        if not widget.isVisible() or not isinstance(widget, kinds):
            continue
        words, wide = words_of(widget)
        said = f"{type(widget).__name__} {widget.objectName()} {words!r}"
        if CUT_NUMBER.search(words):
            yield f"{said} cuts a number"
        if not words or isinstance(widget, CutLabel):
            continue
        if wide > widget.width() + 1:
            yield f"{said} has {widget.width()} px of {wide}"
        if isinstance(widget, QLabel):
            tall = widget.heightForWidth(widget.width())
            tall = tall if widget.wordWrap() else widget.sizeHint().height()
            if tall > widget.height() + 1:
                yield f"{said} is {widget.height()} px high, not {tall}"
        parent = widget.parentWidget()
        if parent is not None and not parent.rect().contains(widget.geometry()):
            yield f"{said} lies outside of {parent.objectName() or type(parent).__name__}"


def words_of(widget: QWidget) -> tuple[str, int]:
    """What a widget says, and how wide that is."""
    if isinstance(widget, SegmentedControl):
        return widget.accessibleName(), widget.minimumSizeHint().width()
    if isinstance(widget, LiveText):
        shown = " ".join(widget.lines(max(1, widget.height() // widget.line_height)))
        return shown, 0 if shown == widget.text() else widget.width() + 2
    if isinstance(widget, QComboBox):
        words = widget.currentText()
        wide = widget.fontMetrics().horizontalAdvance(words) + theme.current().px(ARROW)
        return words, wide
    assert isinstance(widget, QLabel | QAbstractButton)
    if isinstance(widget, QLabel) and widget.wordWrap():
        return widget.text(), 0
    return widget.text(), widget.sizeHint().width()
