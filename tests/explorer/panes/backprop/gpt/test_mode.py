"""The mode in its pane: list, stage, highway, player and inspector tell the same."""

from __future__ import annotations

import json

import numpy as np
import pytest
from PySide6.QtCore import QEvent, Qt
from PySide6.QtGui import QKeyEvent
from PySide6.QtTest import QTest

from explorer.engine import errors
from explorer.panes.backprop.gpt.operation_list import NUMBER, SHAPE
from explorer.panes.backprop.gpt.operations import kind_of
from explorer.widgets.live_numbers import Equation, Terms
from tests.explorer.panes.backprop.gpt.conftest import TEXT, small_model


def press(widget, key, modifiers=Qt.KeyboardModifier.NoModifier, text=""):
    widget.keyPressEvent(QKeyEvent(QEvent.Type.KeyPress, key, modifiers, text))


def seek_to(mode, kind, which=0, backward=True):
    worked = mode.worked
    nodes = [n for n in range(len(worked.graph.nodes)) if kind_of(worked.graph, n) == kind]
    operation = worked.operation_of(nodes[which])
    mode.player.seek(worked.first_played(operation.number, backward))
    return nodes[which]


def test_an_example_is_played_forward_and_back(make_mode):
    mode = make_mode().mode
    worked = mode.worked
    assert mode.view.body.state == "ready" and mode.player.length == len(worked.timeline)
    assert "PyTorch" in mode.view.agreement.text()
    node = seek_to(mode, "Softmax", backward=False)
    name = "contribution to \u2202L/\u2202masked"
    shown = mode.view.stage.displayed()
    assert np.array_equal(shown["weights, value"], worked.value(node)[0, 0])
    assert name not in shown
    seek_to(mode, "Softmax")
    shown = mode.view.stage.displayed()
    assert np.array_equal(shown["\u2202L/\u2202weights"], worked.gradient(node)[0, 0])
    assert np.array_equal(shown[name], worked.flow((node, 0))[0, 0])
    assert "block 0, softmax" in mode.headline


def test_another_head_shows_its_numbers_and_the_scale_stays(make_mode):
    mode = make_mode().mode
    node = seek_to(mode, "Softmax")
    limit = mode.worked.limit(("gradient", node))
    mode.view.head.turn(1)
    assert mode.workspace.selection.head == 1
    shown = mode.view.stage.displayed()
    assert np.array_equal(shown["\u2202L/\u2202weights"], mode.worked.gradient(node)[0, 1])
    assert mode.worked.limit(("gradient", node)) == limit
    assert limit == np.abs(mode.worked.gradient(node)).max()


def test_enter_goes_into_an_operation_and_backspace_out(make_mode):
    mode = make_mode().mode
    seek_to(mode, "MatMul", 1)
    place = mode.player.position
    button = mode.view.inside
    assert button.text().endswith(" steps") and button.isEnabled()
    button.click()
    assert mode.player.depth == 1 and button.text() == "Close steps"
    button.click()
    assert mode.player.position == place
    assert mode.player.enter() and mode.player.length == len(mode.worked.timeline[int(place)].inner)
    mode.player.end()
    assert mode.played.phase in ("backward", "copies", "accumulate")
    assert mode.player.leave() and mode.player.position == place


def test_a_pinned_number_is_told_until_it_is_let_go(make_mode):
    pane = make_mode()
    mode, told = pane.mode, []
    pane.inspection.connect(told.append)
    seek_to(mode, "Softmax")
    stage = mode.view.stage
    stage.setFocus()
    press(stage, Qt.Key.Key_Right)
    press(stage, Qt.Key.Key_Return)
    assert mode.pinned is not None and told[-1].pinned and told[-1].cell
    assert stage.accessibleDescription()
    assert pane.cancel() and mode.pinned is None and not told[-1].pinned


@pytest.mark.parametrize("point", ["mouse", "keys"])
def test_a_cell_that_another_picture_has_not_is_not_chosen(make_mode, run_async, point):
    """Enter asked for the strongest number of a block beyond the matrix."""
    pane = make_mode()
    mode, stage = pane.mode, pane.mode.view.stage
    seek_to(mode, "Softmax")
    number = next(n for n, one in enumerate(stage.placed) if one.cells[0] > 1)
    rows, columns = stage.placed[number].cells
    if point == "mouse":
        last = stage.placed[number].cell_rect(rows - 1, columns - 1).center()
        QTest.mouseClick(stage, Qt.MouseButton.LeftButton, pos=last.toPoint())
    else:
        for key in (Qt.Key.Key_Down, Qt.Key.Key_Right):
            for _ in range(60):
                press(stage, key)
    mode.pin(None)

    async def shorten():
        mode.workspace.set_prompt("The cat")
        await pane.settled()

    run_async(shorten())
    press(stage, Qt.Key.Key_Return)
    assert mode.pinned is None
    stage.resize(stage.minimumSizeHint())
    assert not stage.grab().isNull() and stage.broken is None
    assert not errors.reports().problems


def test_a_pinned_number_that_a_shorter_text_has_not_is_let_go(make_mode, run_async):
    pane = make_mode()
    mode = pane.mode
    seek_to(mode, "Softmax")
    stage = mode.view.stage
    number, last = next(
        (number, (one.cells[0] - 1, one.cells[1] - 1))
        for number, one in enumerate(stage.placed)
        if one.cells[0] > 1
    )
    stage.cellClicked.emit(stage.cell((number, *last)))
    pinned = mode.pinned

    async def change(text):
        mode.workspace.set_prompt(text)
        await pane.settled()

    for text, kept in ((TEXT + " The end.", pinned), ("The cat sat.", None)):
        run_async(change(text))
        assert mode.pinned == kept
        assert not stage.grab().isNull() and stage.broken is None
    assert not errors.reports().problems


def test_the_list_is_searched_and_leads_to_an_operation(make_mode):
    mode = make_mode().mode
    operations = mode.view.operations
    rows = operations.tree.findItems("*", Qt.MatchFlag.MatchWildcard | Qt.MatchFlag.MatchRecursive)
    shapes = {row.text(0): row.data(0, SHAPE) for row in rows if row.data(0, NUMBER) is not None}
    assert all(shapes.values()) and shapes["cross-entropy loss"] == "1"
    operations.search.setText("block 1 softmax")
    found = operations.found()
    assert len(found) == 1
    operations.search.returnPressed.emit()
    assert mode.played.operation == found[0] and mode.played.phase == "forward"
    operations.search.clear()
    assert len(operations.found()) == len(mode.worked.operations)
    assert operations.nothing.isHidden()
    operations.search.setText("zzzz")
    assert not operations.nothing.isHidden() and "zzzz" in operations.nothing.text()
    operations.search.setText("softmax")
    assert operations.nothing.isHidden()


def test_the_highway_leads_to_its_place_and_shows_how_far_backward_is(make_mode):
    mode = make_mode().mode
    highway = mode.view.highway
    assert highway.reached == 3  # nothing yet
    highway.placeClicked.emit(1, 2)
    worked = mode.worked
    assert worked.graph.nodes[mode.played.node].label == "residual.1"
    assert mode.played.phase == "backward" and highway.reached == 1
    assert np.array_equal(highway.displayed()["length of dL/d(residual)"], worked.highway)
    assert mode.workspace.selection.token == 2


def test_a_session_finds_step_and_pinned_cell_again(make_mode, run_async):
    pane = make_mode()
    mode = pane.mode
    seek_to(mode, "MatMul", 1)
    stage = mode.view.stage
    stage.cellClicked.emit(stage.cell((1, 2, 1)))
    assert mode.player.enter()
    mode.player.seek(1)
    saved = json.loads(json.dumps(pane.workspace.state()))
    pinned, position = mode.pinned, mode.outer_step
    mode.pin(pinned)
    mode.player.leave()
    mode.player.start()
    mode.view.set_folded(True)
    pane.workspace.restore(saved)
    run_async(pane.settled())
    assert mode.pinned == pinned
    assert mode.outer_step == position and mode.player.position == 1
    assert not mode.view.folded


@pytest.mark.parametrize(
    "changes",
    [
        {},
        {"bias": False, "mlp": "relu", "n_layer": 1},
        {"norm_placement": "post", "tie_weights": False, "n_layer": 1},
        {"n_head": 1, "window": (None, 2)},
    ],
)
def test_every_number_can_be_shown_and_told(make_mode, changes):
    """No operation lacks words, arrays or arithmetic, whichever number is looked at; what is told
    of a number ends in that number."""
    pane = make_mode(small_model(**changes))
    mode, told = pane.mode, []
    pane.inspection.connect(told.append)
    worked, stage = mode.worked, mode.view.stage
    for step in range(mode.player.length):
        mode.player.seek(step)
        assert mode.headline and mode.player.track.title(step)
        mode.inspect()
        assert told[-1].rows and told[-1].step.formula
        for number, one in enumerate(stage.placed):
            if one.pooled is None:
                continue
            rows, columns = one.cells
            cell = stage.cell((number, rows // 2, columns // 2))
            stage.cellHovered.emit(cell)
            mode.inspect()
            said = told[-1]
            assert said.rows and said.cell
            plane = worked.plane(cell.what, cell.head)
            value = worked.array(cell.what)[plane.index(cell.row, cell.column)]
            numbers = [result_of(row) for row in said.rows]
            assert any(result == pytest.approx(value, rel=1e-9, abs=1e-15) for result in numbers)
        stage.cellHovered.emit(None)


def result_of(row):
    """What a row of live numbers ends in."""
    if isinstance(row, Terms):
        return float((np.asarray(row.left) * np.asarray(row.right)).sum())
    return row.value if isinstance(row, Equation) else None


def test_every_edge_can_be_entered_and_told(make_mode):
    pane = make_mode()
    mode, told = pane.mode, []
    pane.inspection.connect(told.append)
    phases = set()
    for step in range(mode.player.length):
        mode.player.seek(step)
        if mode.player.enter():
            for inner in range(mode.player.length):
                mode.player.seek(inner)
                phases.add(mode.played.phase)
                mode.inspect()
                assert mode.headline and told[-1].rows and mode.view.stage.displayed()
            mode.player.leave()
    assert phases == {"forward", "backward", "copies", "accumulate"}


def test_the_loss_of_each_token_is_told_and_leads_to_the_loss(make_mode):
    mode = make_mode().mode
    highway, worked = mode.view.highway, mode.worked
    thing = highway.thing_at(highway.losses_rect().center())
    assert highway.place_of(thing)[0] is None
    said = highway.describe_loss(1)
    assert f"\u201c{worked.example.labels[2].strip()}" in said.replace("\u2423", "")
    for place, token in np.ndindex(worked.highway.shape):
        said = highway.describe(place, token).replace("\u2212", "-")
        moves, _, length = said.partition("at most ")[2].rstrip(")").partition(" (gradient length ")
        assert float(moves) == pytest.approx(0.01 * float(length), rel=0.01)
    highway.lossClicked.emit()
    assert worked.graph.nodes[mode.played.node].label == "loss"


def test_the_words_of_an_exported_drawing_are_no_pixels(make_mode):
    from explorer.widgets.rendering import svg

    mode = make_mode().mode
    seek_to(mode, "Softmax")
    mode.view.stage.resize(600, 380)
    drawn = svg(mode.view.stage)
    assert b">weights</text>" in drawn and b"contribution to" in drawn


@pytest.mark.parametrize("bad", ["", "a"])
def test_a_text_that_cannot_be_explained_loses_neither_step_nor_pinned_number(
    make_mode, run_async, bad
):
    pane = make_mode()
    mode = pane.mode
    seek_to(mode, "MatMul", 1)
    stage = mode.view.stage
    stage.cellClicked.emit(stage.cell((1, 2, 1)))
    pinned, position, text = mode.pinned, mode.player.position, mode.workspace.prompt

    async def type_both():
        mode.workspace.set_prompt(bad)
        await pane.settled()
        assert mode.worked is None and mode.pinned is None
        mode.workspace.set_prompt(text)
        await pane.settled()

    run_async(type_both())
    assert mode.player.position == position and mode.pinned == pinned
