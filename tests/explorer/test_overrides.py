"""An error in what Python overrides of Qt ends no program, whoever wrote the class."""

from __future__ import annotations

import importlib
import inspect
import pkgutil

import pytest
import shiboken6
from PySide6.QtCore import QEvent, QObject, QSize, Qt
from PySide6.QtGui import QKeyEvent
from PySide6.QtWidgets import QPushButton, QVBoxLayout, QWidget

import explorer
from explorer import overrides
from explorer.overrides import is_whole, overridden
from explorer.widgets.base import Picture

KEY = (QEvent.Type.KeyPress, Qt.Key.Key_A, Qt.KeyboardModifier.NoModifier)


def classes() -> list[type]:
    """Every class of the app that derives from one of Qt's."""
    found = []
    for module in pkgutil.walk_packages(explorer.__path__, "explorer."):
        if module.name != "explorer.__main__":
            for one in vars(importlib.import_module(module.name)).values():
                ours = inspect.isclass(one) and one.__module__ == module.name
                if ours and issubclass(one, shiboken6.Object):
                    found.append(one)
    return found


def test_every_override_of_the_app_is_whole():
    found = {
        (one, name): function for one in classes() for name, function in overridden(one).items()
    }
    assert [key for key, function in found.items() if not is_whole(function)] == []
    names = {name for _, name in found}
    assert {"event", "eventFilter", "keyPressEvent", "dropEvent", "sizeHint", "data"} <= names
    assert len(found) > 300


class Careful(QPushButton):
    def keyPressEvent(self, event: QKeyEvent) -> None: ...


class Careless(Careful):
    """Inherits what is whole and adds what is not."""

    def sizeHint(self) -> QSize:
        return QSize(1 // 0, 1)

    def keyPressEvent(self, event: QKeyEvent) -> None:
        [][1]


class CarelessMixin:
    def keyPressEvent(self, event: QKeyEvent) -> None:
        {}["there"]


class Mixed(CarelessMixin, QWidget): ...


class CarelessPicture(Picture):
    def keyPressEvent(self, event: QKeyEvent) -> None:
        int("x")


@pytest.mark.parametrize(
    ("widget", "error"),
    [(Careless, IndexError), (Mixed, KeyError), (lambda: CarelessPicture("one"), ValueError)],
)
def test_an_error_of_c_code_in_a_handler_is_an_error_and_no_crash(qtbot, widget, error):
    """Handed to PySide as it is, it would end the program."""
    one = widget()
    qtbot.addWidget(one)
    with pytest.raises(error):
        one.event(QKeyEvent(*KEY))


def test_it_is_one_in_a_layout_and_in_a_filter_too(qtbot):
    row = QVBoxLayout()
    row.addWidget(Careless())
    outer = QWidget()
    outer.setLayout(row)
    qtbot.addWidget(outer)
    with pytest.raises(ZeroDivisionError):
        row.sizeHint()

    class Filter(QObject):
        def eventFilter(self, watched: QObject, event: QEvent) -> bool:
            return bool(1 / 0)

    watched, catcher = QWidget(), Filter()
    qtbot.addWidget(watched)
    watched.installEventFilter(catcher)
    with pytest.raises(ZeroDivisionError):
        watched.setEnabled(False)
    watched.removeEventFilter(catcher)


def test_a_class_that_overrides_nothing_is_left_alone():
    class Plain(QWidget):
        def own(self) -> int:
            return 1

    assert overridden(Plain) == {} and not is_whole(Plain.own)
    assert overrides.is_qt(QWidget) and not overrides.is_qt(Plain)
