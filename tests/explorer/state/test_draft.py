"""What a person has set up at a path: JSON in the workspace, a dataclass here."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from PySide6.QtCore import QObject

from core.fields import check, field
from explorer.state.draft import Draft, named
from explorer.state.json_values import checked, is_same, written
from explorer.state.workspace import Workspace


@dataclass(frozen=True)
class Race:
    steps: int = field(200, least=1, most=2000)
    rate: float = 0.1
    start: tuple[float, float] | None = None
    racers: tuple[str, ...] = ("sgd",)
    values: Mapping[str, Any] = field(factory=dict, reader=dict)

    def __post_init__(self) -> None:
        check(self)


@pytest.fixture
def workspace(qapp):
    return Workspace()


@pytest.fixture
def draft(workspace):
    return Draft(workspace, "race", Race, workspace)


def test_it_lies_in_the_workspace_as_json(draft, workspace):
    told = []
    draft.changed.connect(told.append)
    draft.change({"start": (0.5, -0.0)}, "Move the start")
    assert workspace.value("race")["start"] == [0.5, -0.0]
    assert told == [draft.value] == [replace(Race(), start=(0.5, -0.0))]
    workspace.undo()
    assert draft.value == told[-1] == Race()
    workspace.redo()
    assert np.signbit(draft.value.start[1])


def test_what_is_dragged_is_one_change_and_another_field_is_another(draft, workspace):
    for steps in (3, 4, 5):
        draft.change({"steps": steps}, f"Steps {steps}", "steps")
    for rate in (0.2, 0.3):
        draft.change({"rate": rate}, named("Rate", rate), "rate")
    draft.end_merge()
    draft.change({"rate": 0.4}, named("Rate", 0.4), "rate")
    for text, one in (("Rate 0.4", (5, 0.3)), ("Rate 0.3", (5, 0.1)), ("Steps 5", (200, 0.1))):
        assert workspace.undo_text == text
        workspace.undo()
        assert (draft.value.steps, draft.value.rate) == one
    assert workspace.undo_text == ""


def test_what_comes_from_elsewhere_is_read_field_by_field(draft, workspace):
    workspace.change("race", {"steps": 0, "rate": 1, "start": [1], "no": 3}, "Show this")
    assert draft.value == Race(rate=1.0)
    assert workspace.value("race") == {
        "steps": 200, "rate": 1.0, "start": None, "racers": ["sgd"], "values": {}
    }  # fmt: skip
    workspace.undo()
    assert draft.value == Race()


def test_what_waits_at_the_path_is_taken(workspace):
    workspace.restore({"race": {"steps": 7}})
    owner = QObject()
    assert Draft(workspace, "race", Race, owner, Race(steps=9)).value == Race(steps=7)
    assert Draft(workspace, "other", Race, owner, Race(steps=9)).value == Race(steps=9)


def test_what_was_changed_before_anybody_held_the_path_is_undone_to_what_it_begins_with(workspace):
    workspace.change("race", {"steps": 7}, "Show this")
    draft = Draft(workspace, "race", Race, workspace)
    workspace.undo()
    assert draft.value == Race() and workspace.value("race")["steps"] == 200
    workspace.redo()
    assert draft.value == Race(steps=7) and workspace.value("race")["rate"] == 0.1


def test_fields_that_the_dataclass_refuses_change_nothing(draft, workspace):
    with pytest.raises(ValueError, match="steps must be"):
        draft.change({"steps": 0}, "Steps 0")
    assert draft.value == Race() and workspace.undo_text == ""


def test_what_json_has_not_is_written_as_text_or_refused(draft, workspace):
    draft.change({"values": {"a": float("inf")}}, "Change it")
    assert workspace.value("race")["values"] == {"a": "inf"}
    for value in ((1, 2), {1: 2}, [float("nan")], np.zeros(2), np.float64(1.0), Race(), {"a": {1}}):
        with pytest.raises(ValueError, match="race holds"):
            workspace.change("race", value, "Change it")


def test_a_change_is_named_with_what_is_short():
    assert named("Learning rate", 0.00342) == "Learning rate 0.00342"
    assert named("Steps", 120) == "Steps 120"
    assert named("Text", "a" * 99) == "Change text" == named("Text", "")
    assert named("Learn from", "a" * 99, "what it learns from") == "Change what it learns from"


JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False, allow_infinity=False)
    | st.text(max_size=4),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=3), inner),
    max_leaves=9,
)  # fmt: skip


@given(JSON)
def test_json_is_copied_as_it_is(value):
    copy = checked(value, "it")
    assert is_same(copy, value) and is_same(written(value), value)


def test_equal_is_not_the_same():
    for one, other in ((0.0, -0.0), (1, 1.0), (True, 1), ([0.0], [-0.0]), ({"a": 1}, {"a": 1.0})):
        assert one == other and not is_same(one, other)
