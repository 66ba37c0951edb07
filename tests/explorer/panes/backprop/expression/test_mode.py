"""Expression: it is played, dragged, pinned, checked, exported, and tells what it shows."""

from __future__ import annotations

import asyncio

import numpy as np
import pytest
from PySide6.QtTest import QTest
from PySide6.QtWidgets import QWidget

from explorer import theme
from explorer.panes.backprop.expression import inspector
from explorer.panes.backprop.expression.draw_legend import HEIGHT
from explorer.panes.backprop.expression.presets import EXAMPLES
from explorer.panes.backprop.expression.view import ExpressionView
from explorer.panes.backprop.expression.viewport import MARGIN
from explorer.shell import export
from explorer.widgets.scroll_area import ScrollArea
from tests.benchmarks.bench_backprop_pane import FORMULAS
from tests.explorer.panes.backprop.expression.conftest import told, value
from tests.explorer.waiting import timer_of


def test_it_begins_with_a_neuron(pane, mode):
    assert mode.computed.result == pytest.approx(0.7071, abs=1e-4)
    assert pane.player.length == len(mode.computed.plan) == 16
    assert "Five" not in pane.headline and "5 inputs" in pane.headline
    assert mode.view.graph.displayed()["value"].shape == (10,)


def test_values_appear_forward_and_gradients_backward(pane, mode):
    graph = mode.view.graph
    pane.player.start()
    shown = graph.displayed()
    assert np.isnan(shown["value"]).sum() == 5 and np.isnan(shown["gradient"]).all()
    mode.seek_backward()
    shown = graph.displayed()
    assert not np.isnan(shown["value"]).any() and (~np.isnan(shown["gradient"])).sum() == 1
    assert "backward pass begins" in pane.headline
    pane.player.end()
    shown = graph.displayed()
    assert not np.isnan(shown["gradient"]).any() and "matters most" in pane.headline
    assert graph.table_labels()["value"][0][-1] == "o = tanh(v4)"


async def test_the_inspector_has_formula_numbers_and_lines_of_core(pane, mode):
    found = told(pane)
    moment = next(
        at
        for at, place in enumerate(mode.computed.plan.places)
        if place is not None and place.phase == "backward"
    )
    pane.player.seek(moment)
    await pane.settled()
    last = found[-1]
    assert last.step.code.endswith("Tanh.grad_a#grad_a") and "1 - o^2" in last.step.formula
    rows = {row.name: row.value for row in last.rows if hasattr(row, "name")}
    assert rows["upstream"] * rows["local"] == pytest.approx(rows["contribution"])
    assert last.cell is not None and "L is o" in last.cell and last.plain


def test_dragging_a_leaf_moves_everything_and_is_one_step_to_undo(pane, mode):
    plan, layout = mode.computed.plan, mode.view.graph.scene.layout
    pane.player.seek(9)
    for turn in range(5):
        mode.view.graph.leafMoved.emit("w1", 0, -2.0 + 0.1 * turn)
    mode.view.graph.leafReleased.emit()
    assert value(mode, "w1") == pytest.approx(-1.6) and pane.player.position == 9
    assert mode.computed.plan is plan and mode.view.graph.scene.layout is layout
    assert mode.view.what_if.value.text() == "\u22121.6"
    pane.workspace.undo()
    assert value(mode, "w1") == -3.0 and mode.computed.result == pytest.approx(0.7071, abs=1e-4)


def test_dragging_what_a_line_gives_rewrites_the_line(pane, mode):
    mode.show_example("micrograd")
    mode.move_leaf("a", 0, -3.5)
    assert mode.view.editor.field.toPlainText().startswith("a = -3.5\nb = 2.0\n")
    assert value(mode, "a") == -3.5


def test_one_number_of_a_tensor_is_moved(pane, mode):
    mode.show_example("matrices")
    mode.move_leaf("W", 3, 2.0)
    assert value(mode, "W").tolist() == [[0.5, -1.0], [1.5, 2.0], [-0.7, 0.8]]
    assert "[1.5, 2]" in mode.computed.text
    mode.try_leaf("b", 2)
    assert mode.view.what_if.leaf.text() == "b[2]" and mode.view.what_if.value.text() == "0.3"


async def test_a_node_is_pinned_and_let_go(pane, mode):
    found = told(pane)
    node = mode.computed.leaves["w1"]
    mode.choose(node, 0)
    await pane.settled()
    assert found[-1].pinned and found[-1].title == "w1"
    assert found[-1].table["gradient"] == pytest.approx(1.0)
    assert pane.cancel() and not mode.cancel()
    await pane.settled()
    assert not found[-1].pinned


async def test_a_settled_pane_tells_the_numbers_that_it_shows(pane, mode):
    mode.show_example("error")
    pane.player.end()  # no formula is left that has to be set
    found = told(pane)
    mode.choose(mode.computed.leaves["w"], 0)
    await pane.settled()
    mode.step_downhill(4)
    await pane.settled()
    assert found[-1].table["value"] == pytest.approx(value(mode, "w"))


async def test_a_fan_out_tells_the_sum_of_its_uses(pane, mode):
    mode.show_example("twice")
    found = told(pane)
    mode.choose(mode.computed.leaves["a"], 0)
    await pane.settled()
    terms = next(row for row in found[-1].rows if hasattr(row, "left"))
    assert sorted((terms.left * terms.right).tolist()) == [3.0, 3.0, 6.0] and terms.result == 12.0


@pytest.mark.parametrize("name", list(FORMULAS))
async def test_a_large_formula_is_worked_out_beside_the_window(pane, mode, name):
    mode.set_text(FORMULAS[name])
    await pane.settled()
    assert len(mode.computed.graph.nodes) > 150
    mode.move_leaf(next(iter(mode.computed.leaves)), 0, 0.25)
    pane.player.end()
    await pane.settled()
    assert mode.trial.what is not None and mode.trial.what.curve is not None


@pytest.mark.parametrize("step", [7.3, pytest.param(0.45, marks=pytest.mark.full)])
async def test_examples_are_drawn_at_their_positions(pane, mode, step):
    for one in EXAMPLES:
        mode.show_example(one.id)
        for position in np.arange(0, pane.player.length - 0.9, step):
            pane.player.seek(float(position))
            assert not mode.view.graph.grab().isNull()
            await asyncio.sleep(0)
        assert mode.view.graph.broken is None, one.id


def test_actions_do_what_they_say(pane, mode):
    by_id = {action.id.removeprefix("backprop.expression."): action for action in pane.actions()}
    by_id["example.twice"].run()
    assert mode.computed.text.startswith("b = a + a")
    assert not by_id["reset"].enabled()
    by_id["step"].run()
    assert by_id["reset"].enabled()
    by_id["reset"].run()
    by_id["fix"].run()
    assert by_id["fix"].checked()
    by_id["check"].run()
    assert by_id["check"].checked()
    by_id["backward"].run()
    assert mode.computed.plan.places[int(pane.player.position)].phase == "seed"
    scale = mode.view.graph.camera.scale
    by_id["larger"].run()
    assert mode.view.graph.camera.scale > scale
    by_id["fit"].run()
    assert mode.view.graph.fits
    by_id["edit"].run()
    assert mode.view.what_if.value.selectedText()


async def test_the_views_of_a_snapshot_can_be_brought(pane):
    for name, bring in pane.views().items():
        await bring()
        assert pane.player.length > 1, name


def test_an_edge_leads_to_its_step(pane, mode):
    mode.show_edge(mode.computed.output, 0)
    place = mode.computed.plan.places[int(pane.player.position)]
    assert (place.phase, place.node) == ("backward", mode.computed.output)


async def test_the_formulas_of_coming_steps_are_set_ahead(pane, mode, monkeypatch):
    ahead = set()
    monkeypatch.setattr(inspector, "set_formulas", lambda latex, plain: ahead.update(latex))
    pane.player.seek(3)
    await pane.settled()
    assert ahead == {mode.computed.step(moment).formula for moment in (3, 4, 5, 6, 7)}


async def test_pictures_are_exported_and_shown_as_tables(pane, mode, tmp_path):
    mode.show_example("error")
    mode.step_downhill(2)
    pictures = pane.pictures()
    assert list(pictures) == ["expression-graph", "expression-curve", "expression-losses"]
    for name, picture in pictures.items():
        for kind in ("png", "svg", "csv"):
            path = tmp_path / f"{name}.{kind}"
            await export.save(pane, picture, kind, path)
            assert path.stat().st_size > 50
    text = (tmp_path / "expression-losses.csv").read_text()
    assert text.splitlines()[0] == "step,loss" and len(text.splitlines()) == 4
    mode.show_example("product")
    await asyncio.sleep(0.05)  # the field for the formula has fewer lines
    await export.save(pane, mode.view.graph, "gif", tmp_path / "graph.gif")
    assert (tmp_path / "graph.gif").read_bytes()[:3] == b"GIF"


async def test_a_pinned_leaf_tells_its_path_to_the_end(pane, mode):
    found = told(pane)
    mode.choose(mode.computed.leaves["w1"], 0)
    await pane.settled()
    rows = [row if isinstance(row, str) else getattr(row, "text", "") for row in found[-1].rows]
    assert any("the path to o" in str(row) for row in rows)
    assert "2 \u00d7 1 \u00d7 1 \u00d7 0.500 = 1.00" in rows
    assert "along w1 \u2192 v1 \u2192 v3 \u2192 v4 \u2192 o" in rows


def test_what_a_step_is_about_stands_out_in_the_formula(pane, mode):
    def marked():
        return [one.cursor.selectedText() for one in mode.view.editor.field.extraSelections()]

    mode.set_text("p = a * b\np + tanh(a)")
    pane.player.start()
    assert marked() == []
    pane.player.seek(1)
    assert marked() == ["a * b"]
    pane.player.seek(2)
    assert marked() == ["tanh(a)"]
    mode.choose(mode.computed.leaves["a"], 0)
    assert marked() == ["a", "a"]
    mode.set_text("p = a * b\np + tan(a)")
    mode.view.graph.setFocus()
    timer_of(mode.view.editor).timeout.emit()
    assert marked() == ["tan(a)"]


async def test_the_line_of_a_step_comes_into_sight(pane, mode):
    mode.view.graph.setFocus()
    mode.show_example("micrograd")
    await asyncio.sleep(0.05)
    bar = mode.view.editor.field.verticalScrollBar()
    pane.player.start()
    assert bar.value() == 0
    mode.seek_backward()
    assert bar.value() > 3


async def test_the_buttons_of_the_view_stand_below_the_graph_of_any_formula(pane, mode):
    view = mode.view
    for name in ("product", "micrograd", "neuron"):
        mode.show_example(name)
        await pane.settled()
        tools = view.tools.geometry()
        assert view.body.rect().contains(tools), name
        bottom = view.graph.height() - theme.current().px(HEIGHT + MARGIN)
        assert tools.top() >= bottom - 1, name


@pytest.mark.parametrize(("zoom", "width", "height"), [(1.0, 900, 200), (2.0, 1200, 514)])
def test_what_is_smaller_than_its_parts_scrolls(qapp, qtbot, zoom, width, height):
    theme.apply(qapp, "light", zoom)
    window = QWidget()  # which is no larger for what is in it
    qtbot.addWidget(window)
    view = ExpressionView(window)
    window.show()
    view.resize(width, height)
    QTest.qWait(1)
    bar = view.findChild(ScrollArea).verticalScrollBar()
    assert bar.maximum() > 0
    for one in (view.editor, view.body, view.what_if, view.learn):
        assert one.isVisibleTo(view) and one.height() >= one.minimumSizeHint().height()
    view.resize(width, height + bar.maximum())
    QTest.qWait(1)
    assert bar.maximum() == 0
