"""Fields of a form that are built from what a dataclass says of its settings."""

from dataclasses import dataclass

import pytest
from PySide6.QtWidgets import QWidget

from core.fields import field
from explorer.widgets.boxes import column
from explorer.widgets.setting_fields import TYPED, SettingFields
from tests.explorer.conftest import dispose


@dataclass(frozen=True)
class Race:
    steps: str = field("200", label="Steps", help="How many there are")
    schedule: str = field("cosine", label="Schedule")
    rank: int = field(8, label="Rank")
    fair: bool = field(True, label="Fair")


VALUES = {
    "steps": TYPED,
    "schedule": [("cosine", "Cosine"), ("linear", "Linear")],
    "rank": (4, 8, 16),
    "fair": None,
}


@pytest.fixture
def settings(qapp):
    owner = QWidget()
    settings = SettingFields("race", Race, VALUES, {}, owner)
    column(*settings.widgets.values(), of=owner)
    yield settings
    dispose(owner)


def test_a_form_shows_a_draft_and_tells_what_a_person_changes(settings, qtbot):
    said = []
    settings.changed.connect(lambda name, value: said.append((name, value)))
    settings.show(Race(steps="90", schedule="linear", rank=16, fair=False))
    fields = settings.widgets
    assert (fields["steps"].value, fields["schedule"].value) == ("90", "linear")
    assert (fields["rank"].value, fields["fair"].isChecked()) == (16, False)
    assert said == []
    fields["steps"].editor.clear()
    qtbot.keyClicks(fields["steps"].editor, "7")
    fields["schedule"].box.activated.emit(1)
    fields["rank"].slider.setValue(0)
    fields["fair"].click()
    assert said == [("steps", "7"), ("schedule", "linear"), ("rank", 4), ("fair", True)]


def test_what_is_typed_is_released_when_the_field_is_left(settings):
    said = []
    settings.released.connect(lambda: said.append(True))
    settings.widgets["steps"].editor.editingFinished.emit()
    assert said == [True]


def test_an_error_stands_below_its_field_until_it_is_mended(settings):
    settings.set_errors({"steps": "use a whole number"})
    assert settings.widgets["steps"].error.text == "use a whole number"
    settings.set_errors({})
    assert settings.widgets["steps"].error.text == ""


def test_fields_are_named_and_labeled_by_their_metadata(settings):
    steps = settings.widgets["steps"]
    assert (steps.objectName(), steps.title) == ("race.steps", "Steps")
    assert steps.editor.toolTip() == "How many there are"
