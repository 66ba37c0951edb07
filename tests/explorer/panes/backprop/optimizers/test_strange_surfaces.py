"""Surfaces that a person types: such as cannot be read, have no height, or are strange."""

from __future__ import annotations

import pytest

from core.optimization.optimizers import OPTIMIZERS
from explorer.panes.backprop.optimizers.draft import (
    TYPED,
    OptimizersDraft,
)
from tests.explorer.panes.backprop.conftest import drawn


def test_a_typed_surface_that_cannot_be_read_is_marked_and_the_last_race_stays(mode, change):
    change(OptimizersDraft(surface=TYPED, text="x**2 + y**2", steps=10))
    lanes = mode.recording.lanes
    change(mode.draft.value.with_text("x**2 + 3*z"))
    assert "The name z is unknown" in mode.view.editor.error.text
    (mark,) = mode.view.editor.field.extraSelections()
    assert (mark.cursor.selectionStart(), mark.cursor.selectedText()) == (9, "z")
    assert mode.recording.lanes == lanes


def test_while_a_surface_cannot_be_read_the_race_is_told_to_be_another_ones(
    mode, change, run_async
):
    def faded() -> list[bool]:
        return [not fade.isHidden() for fade in mode.view.fades] + [mode.view.map.stale]

    change(OptimizersDraft(surface=TYPED, text="x**2 + y**2", steps=10))
    mode.player.seek(10)
    mode.tell()
    before = mode.headline
    change(mode.draft.value.with_text("x**2 + z"))
    for _ in range(2):
        assert mode.headline.startswith("The formula cannot be read yet")
        assert faded() == [True, True, True]
        mode.player.seek(4)
        mode.tell()
    mode.set_start(-0.5, 0.75)
    assert tuple(mode.view.map.start) == (-0.5, 0.75)  # it goes where it is put
    mode.workspace.undo()
    mode.workspace.undo()
    run_async(mode.settled())
    mode.player.seek(10)
    mode.tell()
    assert mode.headline == before and faded() == [False, False, False]
    change(mode.draft.value.with_text("x**2 + z"))
    change(mode.draft.value.with_text("x**2 + 2*y**2"))
    assert "cannot be read" not in mode.headline and faded() == [False, False, False]


def test_a_formula_that_cannot_be_read_is_shown_however_it_came(mode, change, run_async):
    change(OptimizersDraft(surface=TYPED, text="x**2 + y**2", racers=("sgd", "adam"), steps=10))
    change(mode.draft.value.with_text("x**2 +"))
    change(mode.draft.value.with_surface("bowl"))
    assert mode.view.editor.isHidden()
    change(mode.draft.value.with_surface(TYPED))
    assert not mode.view.editor.isHidden() and mode.view.editor.field.toPlainText() == "x**2 +"
    assert "not a complete formula" in mode.view.editor.error.text
    change(mode.draft.value.with_text("x**2 + y"))
    mode.workspace.undo()
    run_async(mode.settled())
    assert mode.view.editor.field.toPlainText() == "x**2 +"
    mode.draft.change(mode.draft.value.with_racer("sgd", False), "Test")
    mode.tell()
    assert mode.view.racers.rows["sgd"].height_label.text() == ""


def test_a_surface_without_a_height_at_the_start_says_so_and_keeps_no_other_race(mode, change):
    """Under the formula; nobody is asked to choose one who is chosen."""
    editor, inspected = mode.view.editor, []
    mode.inspection.connect(inspected.append)
    for text in ("log(x)", "1/0*x", "sqrt(x - 10)"):
        change(OptimizersDraft(surface=TYPED, text=text, steps=10))
        told = "no finite height"
        assert told in mode.view.trouble.text
        assert drawn(mode.view).width()
        assert "There is no race" in mode.headline and told in mode.headline
        assert mode.view.map.displayed().keys() == {"step"} and mode.view.moments.displayed() == {}
        assert all(row.height_label.text() == "" for row in mode.view.racers.rows.values())
        assert inspected[-1].rows == ["There is no race."]
        assert "There is no race" in mode.view.moments.empty_text
        assert editor.geometry().bottom() < mode.view.trouble.y() < mode.view.body.y()
    change(OptimizersDraft(surface=TYPED, text="x**2 + y**2", racers=(), steps=10))
    assert mode.view.moments.empty_text.startswith("Tick an optimizer")
    change(OptimizersDraft(surface=TYPED, text="x**2 + y**2", steps=10))
    assert mode.view.trouble.text == "" and mode.recording.lanes
    assert "no race" not in mode.headline


def test_a_formula_that_cannot_be_read_says_so_alone_also_after_a_surface_without_a_height(
    mode, change
):
    """What was wrong with the one before is told neither beside it nor forgotten."""
    shown = []
    mode.inspection.connect(shown.append)
    change(OptimizersDraft(surface=TYPED, text="sqrt(-1 - x**2)", steps=10))
    before = mode.headline
    assert "no finite height" in before and shown[-1].rows == ["There is no race."]
    for text in ("sqrt(-1 - x**2", "sqrt(-1 - z**2)"):
        change(mode.draft.value.with_text(text))
        assert mode.headline == "The formula cannot be read yet."
        assert mode.view.editor.error.text and mode.view.trouble.text == ""
        assert not shown[-1].rows
    change(mode.draft.value.with_text("sqrt(-1 - x**2)"))
    assert mode.headline == before and "no finite height" in mode.view.trouble.text
    assert mode.view.editor.error.text == ""
    change(mode.draft.value.with_text("x**2 + y**2"))
    assert mode.view.trouble.text == ""


STRANGE = ("3", "x**2 + 1/y", "1e300*x**2")
MORE = ("x", "-x**2 - y**2", "abs(x) + abs(y)", "exp(x*y)", "1e200*x**2 + y**2")
NO_FORMULA = (
    *("__import__('os').system('x')", "x.__class__", "[x for x in y]", "9**9**9**9"),
    *("x**2 +", "", "("),
)


@pytest.mark.parametrize("texts", [STRANGE, pytest.param(MORE, marks=pytest.mark.full)])
def test_strange_surfaces_are_drawn_and_raced_on(mode, change, run_async, texts):
    view = mode.view
    for text in texts:
        change(OptimizersDraft(surface=TYPED, text=text, racers=tuple(OPTIMIZERS), steps=20))
        for step in (0, 7.5, 20):
            mode.player.seek(step)
            mode.tell()
            assert not drawn(view).isNull() and mode.headline
        view.map.fit_paths()
        run_async(mode.settled())
        assert not drawn(view).isNull() and view.body.state == "ready"
        for picture in (view.map, view.moments, view.loss):
            assert picture.broken is None, text


def test_what_is_no_formula_is_refused_with_a_reason(mode, change):
    change(OptimizersDraft(surface=TYPED, text="x**2 + y**2", steps=5))
    before = mode.recording
    for text in NO_FORMULA:
        change(mode.draft.value.with_text(text))
        assert mode.view.editor.error.text or mode.view.trouble.text
        assert mode.recording is before or mode.recording.trouble
    change(mode.draft.value.with_text("x**2 + y**2"))
    assert mode.view.editor.error.text == "" and not mode.view.map.stale


def test_the_view_stays_while_a_formula_is_typed(mode, change):
    change(OptimizersDraft(surface=TYPED, text="x**2 + y**2", steps=5))
    mode.view.map.zoom_by(2.0)
    plane = mode.view.map.viewport
    change(mode.draft.value.with_text("x**2 + 2*y**2"))
    assert mode.view.map.viewport == plane
    change(mode.draft.value.with_surface("bowl"))
    assert mode.view.map.viewport != plane and mode.view.map.fits
