"""The inspector: math, code and numbers of one step."""

import sys
import time
from types import SimpleNamespace

import numpy as np
import pytest
from PySide6.QtCore import QPoint, Qt
from PySide6.QtGui import QGuiApplication

from core.trace import Source
from explorer import theme
from explorer.widgets.code_view import CodePage, CodeView
from explorer.widgets.formula import FormulaView, formula_svg
from explorer.widgets.inspector import Inspector
from explorer.widgets.scroll_area import ScrollArea


def step() -> SimpleNamespace:
    return SimpleNamespace(
        title="Add up",
        formula=r"s = q \cdot k",
        code="core.trace:source#nothing",
        values={"scores": np.arange(6.0).reshape(1, 6), "lazy": lambda: 1},
    )


def test_math_and_the_lines_that_computed_it_are_seen_at_once_where_there_is_room(qtbot):
    inspector = Inspector()
    qtbot.addWidget(inspector)
    inspector.resize(400, 700)
    inspector.show()
    computed = step()
    computed.code = "core.transformer.attention:attend#softmax"
    inspector.set_inspection(SimpleNamespace(step=computed, rows=[], table={}, cell=""))
    below = inspector.math_page.code
    assert inspector.math.isVisible() and below.isVisible()
    assert below.marked_text == "weights = torch.softmax(masked, dim=-1)"
    inspector.set_tab("code")
    assert inspector.code.marked_text == below.marked_text
    inspector.set_tab("math")
    inspector.resize(400, 300)
    assert inspector.math.isVisible() and not below.isVisible()
    inspector.resize(400, 700)
    inspector.set_inspection(SimpleNamespace(step=None, rows=["one = 1"], table={}, cell=""))
    assert not below.isVisible()


def test_the_inspector_shows_math_code_and_numbers(qtbot):
    inspector = Inspector()
    qtbot.addWidget(inspector)
    shown = SimpleNamespace(step=step(), rows=["one = 1"], table={}, cell="a", pinned=True)
    inspector.set_inspection(shown)
    assert inspector.math.formula.latex == r"s = q \cdot k"
    assert inspector.math.rows.text == "one = 1"
    assert inspector.displayed()["scores"].shape == (1, 6)
    told = []
    inspector.tabChanged.connect(told.append)
    inspector.set_tab("numbers")
    inspector.set_tab("numbers")
    assert told == ["numbers"]
    inspector.set_collapsed(True)
    assert inspector.maximumWidth() == 36
    inspector.set_tab("code")
    assert not inspector.collapsed and inspector.tab == "code"
    inspector.set_inspection(None)
    with pytest.raises(ValueError, match="no inspector tab"):
        inspector.set_tab("poetry")


def test_code_is_shown_without_markers_and_copied(qtbot):
    view = CodeView()
    qtbot.addWidget(view)
    lines = ("    def f(q):", "        x = q  # step: copy", "        return x")
    view.set_source(Source("a:f#copy", "/some/where/core/a.py", "f", 10, lines, 1))
    assert view.marked_text == "x = q"
    assert view.caption.text() == "core/a.py:11"
    view.copy()
    assert QGuiApplication.clipboard().text() == "def f(q):\n    x = q\n    return x"
    view.set_source(None)
    assert view.marked_text == ""


def test_where_there_is_little_room_the_file_and_its_line_are_whole(qtbot):
    view = CodeView()
    qtbot.addWidget(view)
    view.show()
    lines = ("def f(q):", "    x = q  # step: copy")
    path = "core/tokenization/sentencepiece/score_merging.py"
    view.set_source(Source("a:f#copy", f"/some/where/{path}", "f", 10, lines, 1))
    seen = set()
    for width in (700, 330, 260, 120):
        view.resize(width, 300)
        shown = view.caption.text()
        assert shown.endswith("score_merging.py:11") and view.width() == width
        assert (shown == f"{path}:11") == (not view.caption.toolTip())
        seen.add(shown)
    assert {f"{path}:11", "\u2026/score_merging.py:11"} < seen
    both = Source("a:f#copy", f"/some/where/{path}", "f", 10, lines, 1)
    view.set_source(both, both)
    for width, rows in ((700, 1), (260, 2)):  # the switch goes into a row of its own
        view.resize(width, 300)
        assert view.caption.text().endswith("score_merging.py:11")
        assert view.versions.width() >= view.versions.sizeHint().width()
        assert (view.versions.mapTo(view, QPoint()).y() > view.caption.geometry().bottom()) == (
            rows == 2
        )
    view.set_source(None)
    assert view.caption.text() == ""


def test_the_marked_line_stands_in_the_middle_third(qtbot):
    view = CodeView()
    qtbot.addWidget(view)
    view.resize(400, 300)
    view.show()
    lines = tuple(f"line_{i} = {i}" for i in range(200))
    view.set_source(Source("a:f#x", "a.py", "f", 1, lines, 120))
    page, area = view.findChild(CodePage), view.findChild(ScrollArea)
    scrolled, room = area.verticalScrollBar().value(), area.viewport().height()
    assert room / 3 <= page.marked_rect().y() - scrolled <= room * 2 / 3
    assert scrolled == page.row_top(scrolled) > 0, "the first line in view is a whole one"


def test_formulas_color_q_k_v_but_not_an_index():
    svg = formula_svg(r"\frac{q k}{\sqrt{d_k}}", 18, "light").decode()
    from explorer.theme.colors import LIGHT

    assert svg.count(LIGHT["q"]) == 1 and svg.count(LIGHT["k"]) == 1
    for palette in ("light", "dark"):  # the bar of a mean is as bright as its letter
        assert '"black"' not in formula_svg(r"\overline{g}", 18, palette).decode()
    assert formula_svg("q", 18, "dark") != formula_svg("q", 18, "light")
    with pytest.raises(ValueError, match="no palette 'pink'; choose one of"):
        formula_svg("q", 18, "pink")


def test_another_theme_or_zoom_sets_no_formula_anew(qapp, qtbot, monkeypatch):
    """One with matrices held the window for 0.3 s."""
    theme.apply(qapp, "light", 1.0)
    view = FormulaView("x_1 + 0.125")
    qtbot.addWidget(view)
    small = view.sizeHint()
    monkeypatch.setattr("ziamath.Math", lambda *_, **__: pytest.fail("set anew"))
    theme.apply(qapp, "dark", 2.0)
    assert view.sizeHint().width() == pytest.approx(2 * small.width(), abs=2)
    svg = formula_svg("x_1 + 0.125", 18, "dark").decode()
    assert theme.current().palette.roles["text"] in svg


def test_a_formula_that_cannot_be_set_is_shown_as_its_source(qtbot):
    view = FormulaView(r"\frac{a")
    qtbot.addWidget(view)
    view.resize(200, 40)
    view.grab()
    assert view.broken is None
    view.set_formula("q")
    assert view.sizeHint().height() > 10


def test_formulas_are_set_one_at_a_time(monkeypatch):
    """Two threads in ziamath's font at once made letters vanish, and it kept them so."""
    from concurrent.futures import ThreadPoolExecutor

    from explorer.widgets import formula

    inside, most = [], []
    formula.formula_svg("q", 18, "light")
    math = sys.modules["ziamath"].Math  # which came with the first formula

    class Slow:
        def __init__(self, markup: str, size: float) -> None:
            inside.append(1)
            most.append(len(inside))
            time.sleep(0.01)
            self.math = math(markup, size=size)

        def svg(self) -> str:
            time.sleep(0.01)
            svg = self.math.svg()
            inside.pop()
            return svg

    monkeypatch.setattr("ziamath.Math", Slow)
    with ThreadPoolExecutor(3) as pool:
        work = [pool.submit(formula.formula_svg, f"x_{n} + 7.25", 18, "light") for n in range(4)]
        assert all(b"<path" in one.result() for one in work)
    assert max(most) == 1


def inspected(code: str) -> SimpleNamespace:
    shown = step()
    shown.code = code
    return SimpleNamespace(step=shown, rows=[], table={}, cell="")


def test_where_a_step_has_a_plain_twin_a_switch_shows_either_line(qtbot):
    inspector = Inspector()
    qtbot.addWidget(inspector)
    inspector.resize(400, 700)
    inspector.show()
    inspector.set_tab("code")
    inspector.set_inspection(inspected("core.tokenization.bpe.merging:merge_short#choose"))
    switch, told = inspector.code.versions, []
    inspector.codeVersionChanged.connect(told.append)
    assert switch.isVisible() and inspector.code_version == "plain"
    assert "/bpe/plain.py:" in inspector.code.caption.text()
    plain = "rank, token = min(learned)"
    assert inspector.code.marked_text == plain
    qtbot.keyClick(switch, Qt.Key.Key_Right)
    assert told == ["running"] and inspector.code_version == "running"
    assert inspector.code.marked_text == "rank, token = min(found)"
    inspector.set_tab("math")
    assert inspector.math_page.code.marked_text == "rank, token = min(found)"
    qtbot.keyClick(inspector.math_page.code.versions, Qt.Key.Key_Left)
    inspector.set_tab("code")
    assert told == ["running", "plain"] and inspector.code.marked_text == plain
    inspector.set_inspection(inspected("core.transformer.attention:attend#softmax"))
    assert not switch.isVisible()
    assert inspector.code.marked_text == "weights = torch.softmax(masked, dim=-1)"
    with pytest.raises(ValueError, match="no version 'short' of the code: use plain, running"):
        inspector.set_code_version("short")
