"""The rows of numbers in the inspector."""

import numpy as np
from PySide6.QtGui import QImage
from PySide6.QtWidgets import QScrollArea

from explorer import theme
from explorer.widgets import live_numbers
from explorer.widgets.live_numbers import Equation, LiveNumbers, Terms, broken_up


def pixels(widget) -> np.ndarray:
    image = widget.grab().toImage().convertToFormat(QImage.Format.Format_RGB32)
    whole = np.frombuffer(image.constBits(), np.uint8)
    return whole.reshape(image.height(), image.width(), 4)[..., :3].copy()


def test_rows_out_of_sight_are_not_drawn_and_those_in_sight_as_ever(qtbot, monkeypatch):
    rows = [
        Terms("total", np.array([1.0, 2.0]), np.array([3.0, 4.0])),
        *(Equation(f"x{number}", float(number)) for number in range(60)),
    ]
    numbers, area = LiveNumbers(), QScrollArea()
    numbers.set_rows(rows)
    whole = pixels(numbers)
    area.setWidget(numbers)
    area.resize(numbers.width() + 30, 150)
    qtbot.addWidget(area)
    area.show()
    written: list[str] = []
    put = live_numbers.put_text

    def noted(painter, rect, text, *look):
        written.append(text)
        put(painter, rect, text, *look)

    monkeypatch.setattr(live_numbers, "put_text", noted)
    for place in (0, 333, area.verticalScrollBar().maximum()):
        area.verticalScrollBar().setValue(place)
        written.clear()
        found = pixels(area.viewport())
        assert 3 <= sum(text.startswith("x") for text in written) <= 12
        wanted = whole[place : place + found.shape[0]]
        np.testing.assert_array_equal(found[: wanted.shape[0], : whole.shape[1]], wanted)


def test_a_text_goes_on_in_the_next_line_where_it_has_no_room(qtbot):
    told = "The surface has no height anywhere that is drawn; change the formula."
    numbers = LiveNumbers()
    qtbot.addWidget(numbers)
    numbers.resize(1000, 40)
    numbers.show()
    numbers.set_rows(["short", told, Equation("x", 1.0)])
    line, three = theme.current().px(20), numbers.height()
    advance = theme.current().metrics("body").horizontalAdvance
    for width in (advance(told) - 1, 220, 120):
        numbers.resize(width, numbers.height())
        lines = broken_up(told, advance, numbers.width())
        assert " ".join(lines) == told and len(lines) > 1
        assert all(advance(one) <= numbers.width() for one in lines)
        assert numbers.height() == three + (len(lines) - 1) * line
        numbers.grab()
        assert numbers.broken is None
    numbers.resize(1000, numbers.height())
    assert numbers.height() == three


def test_a_word_that_has_no_room_stays_one(qtbot):
    assert broken_up("one incomprehensible word", lambda text: 7 * len(text), 50.0) == [
        "one",
        "incomprehensible",
        "word",
    ]
    assert broken_up("", len, 10) == [""]
