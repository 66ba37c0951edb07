"""A line that changes with every frame, and what it costs the window around it."""

from PySide6.QtCore import QEvent, QObject
from PySide6.QtWidgets import QHBoxLayout, QWidget

from explorer.widgets.live_text import LiveText
from tests.explorer.waiting import turn


class Layouts(QObject):
    """Counts how often the widget that it watches is laid out anew."""

    def __init__(self, watched):
        super().__init__(watched)
        self.count = 0
        watched.installEventFilter(self)

    def eventFilter(self, watched, event):
        self.count += event.type() == QEvent.Type.LayoutRequest
        return False


def shown(qtbot, **look):
    window = QWidget()
    qtbot.addWidget(window)
    text = LiveText("Steps", **look)
    row = QHBoxLayout(window)
    row.addWidget(text)
    row.addStretch(1)
    text.set_text("step 1 of 10")
    window.resize(400, 60)
    window.show()
    turn()
    return window, text, Layouts(window)


def test_another_number_of_as_many_digits_lays_nothing_out(qtbot):
    _window, text, layouts = shown(qtbot)
    wide = text.width()
    text.set_text("step 7 of 10")
    turn()
    assert layouts.count == 0
    assert text.text() == text.accessibleDescription() == "step 7 of 10"
    text.set_text("step 10 of 10")
    turn()
    assert layouts.count > 0
    assert text.width() > wide


def test_a_text_goes_on_in_further_lines_and_is_cut_after_a_whole_word(qtbot, monkeypatch):
    drawn = []
    monkeypatch.setattr(
        "explorer.widgets.live_text.put_text", lambda painter, room, text, *_: drawn.append(text)
    )
    _window, text, _ = shown(qtbot, elastic=True)
    text.set_text("after 12 steps: loss 0.693")
    told = {}
    for width, lines in ((300, 1), (105, 2), (105, 1), (75, 2)):
        text.setFixedSize(width, lines * text.line_height)
        turn()
        drawn.clear()
        text.grab()
        told[width, lines] = list(drawn)
        assert text.toolTip() == ("" if " ".join(drawn) == text.text() else text.text())
    assert told == {
        (300, 1): ["after 12 steps: loss 0.693"],
        (105, 2): ["after 12 steps:", "loss 0.693"],
        (105, 1): ["after 12 steps: \u2026"],
        (75, 2): ["after 12", "steps: \u2026"],
    }


def test_an_elastic_text_asks_for_no_room_and_tells_what_does_not_fit(qtbot):
    _window, text, layouts = shown(qtbot, elastic=True)
    text.setFixedWidth(60)
    turn()
    before = layouts.count
    text.set_text("Scores: the product of the query with each key")
    turn()
    assert layouts.count == before
    text.grab()
    assert text.toolTip() == text.text()
    text.set_text("q")
    text.grab()
    assert text.toolTip() == ""
