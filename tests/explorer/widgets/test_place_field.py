"""A menu of known names, with what a person chose beside them."""

from __future__ import annotations

from typing import Any

from explorer.widgets.place_field import CHOOSE, PlaceField


def test_a_path_is_in_the_menu_and_choose_asks_for_another(qtbot: Any) -> None:
    field = PlaceField("base", "Base", [("stories", "Bundled")])
    qtbot.addWidget(field)
    asked, changed = [], []
    field.askRequested.connect(lambda: asked.append(field.value))
    field.changed.connect(changed.append)
    field.set_value("/models/mine")
    assert field.value == "/models/mine" and field.box.currentText() == "mine"
    field.box.setCurrentIndex(field.box.findData(CHOOSE))
    field.box.activated.emit(field.box.currentIndex())
    assert asked == ["/models/mine"] and not changed  # until there is another one
    field.box.setCurrentIndex(0)
    field.box.activated.emit(0)
    assert changed == ["stories"]
