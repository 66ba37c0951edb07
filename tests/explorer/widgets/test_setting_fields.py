"""Settings of a dataclass as fields: what is shown, changed and refused."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import pytest
from PySide6.QtTest import QTest
from PySide6.QtWidgets import QWidget

from core.fields import Field, field
from explorer.widgets.boxes import row
from explorer.widgets.setting_fields import SettingFields

STEPS = Field("steps", int, label="Steps", help="How many", least=1)


@dataclass(frozen=True)
class Settings:
    steps: str = "20"
    rank: int = field(8, label="Rank")


@pytest.fixture
def fields(qtbot: Any) -> Iterator[SettingFields]:
    form = QWidget()
    qtbot.addWidget(form)
    found = SettingFields("demo", Settings, {"steps": STEPS, "rank": (4, 8, 16)}, {}, form)
    row(*found.widgets.values(), of=form)
    yield found


def test_a_number_is_shown_told_and_refused_as_it_was_typed(fields: SettingFields) -> None:
    steps: Any = fields.widgets["steps"]
    changes: list[Any] = []
    fields.changed.connect(lambda *change: changes.append(change))
    fields.show(Settings("many"))
    assert steps.value == "many" and not changes
    fields.set_errors({"steps": "Use a number", "rank": "of a slider nothing is wrong"})
    assert steps.error.text == "Use a number"
    steps.editor.clear()
    QTest.keyClicks(steps.editor, "3")
    assert changes == [("steps", "3")]
    fields.set_errors({})
    assert not steps.error.text
