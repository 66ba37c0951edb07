"""The setup: what it shows before a run, and what it says about bad input."""

from __future__ import annotations

import numpy as np
import pytest
from PySide6.QtCore import Qt
from PySide6.QtWidgets import QLineEdit, QPushButton

from core.optimization.schedules import learning_rate_at
from core.training.sizes import estimate
from explorer import theme
from explorer.panes.training.options import config_of
from explorer.widgets.toggle import SegmentedControl

from .conftest import until


def test_few_controls_one_primary_button_and_names_for_all(make_pane, run_async):
    async def story():
        pane = make_pane()
        pane.show()
        await pane.settled()
        kinds = (QLineEdit, SegmentedControl, QPushButton)
        shown = [w for kind in kinds for w in pane.setup.findChildren(kind) if w.isVisible()]
        more = [w for w in shown if w is not pane.setup.more]
        assert len(more) <= 7
        assert all(w.accessibleName() or w.text() for w in shown)
        primary = [w for w in shown if w.property("look") == "primary"]
        assert [w.text() for w in primary] == ["Start training"]
        pane.setup.more.click()
        assert pane.setup.fields["n_embd"].isVisible()

    run_async(story())


def test_cost_and_schedule_are_those_of_core(make_pane, run_async):
    async def story():
        pane = make_pane()
        await until(lambda: pane.setup.facts["parameters"]._number.text()[:1].isdigit(), "a cost")
        config = config_of(pane.planning.options)
        text = theme.format_count(estimate(config).parameters)
        assert pane.setup.facts["parameters"].accessibleName().endswith(text)
        shown = pane.setup.plot.displayed()["rate"]
        for step, rate in shown[::20]:
            expected = learning_rate_at(
                int(step),
                schedule="cosine",
                learning_rate=2e-3,
                min_learning_rate=2e-4,
                warmup_steps=60,
                steps=1500,
            )
            assert np.isclose(rate, expected)
        assert shown[:, 1].max() == pytest.approx(2e-3)
        await pane.settled()

    run_async(story())


def test_a_bad_value_disables_start_and_says_why_beside_the_field(make_pane, run_async, qtbot):
    async def story():
        pane = make_pane()
        field = pane.setup.fields["steps"]
        field.editor.setText("")
        qtbot.keyClicks(field.editor, "ten")
        assert "whole number" in field.error.text
        assert not pane.setup.start.isEnabled()
        assert "whole number" in pane.setup.start.toolTip()
        field.editor.clear()
        qtbot.keyClicks(field.editor, "10")
        assert pane.setup.start.isEnabled(), "the warm-up went with the steps"
        assert pane.planning.options.warmup_steps == "0"
        pane.planning.change("warmup_steps", "10")
        assert "warm-up" in pane.setup.fields["warmup_steps"].error.text
        assert pane.setup.more.isChecked(), "a field with an error is shown"
        await pane.settled()

    run_async(story())


@pytest.mark.parametrize(
    ("content", "says"),
    [
        (b"", "is empty"),
        (b"\x00\x01\x02" * 100, "not a UTF-8 text"),
        (b"\xff\xfe" * 100, "not a UTF-8 text"),
        (b"too short", "Choose a longer text"),
        (None, "there is no file"),
    ],
)
def test_a_text_that_cannot_be_learned_says_the_remedy(
    make_pane, run_async, tmp_path, content, says
):
    path = tmp_path / "text.txt"
    if content is not None:
        path.write_bytes(content)

    async def story():
        pane = make_pane()
        pane.choose_text(str(path))
        await until(lambda: pane.setup.fields["corpus"].error.text, "an error")
        assert says in pane.setup.fields["corpus"].error.text
        assert not pane.setup.start.isEnabled()
        pane.planning.change("corpus", "stories")
        assert pane.setup.start.isEnabled()
        await pane.settled()

    run_async(story())


def test_a_dropped_text_is_chosen_and_its_beginning_shown(make_pane, run_async, tmp_path):
    path = tmp_path / "sea.txt"
    path.write_text("The sea was calm that day. " * 100)

    async def story():
        pane = make_pane()
        pane.setup.fileDropped.emit(str(path))
        await until(lambda: "calm" in pane.setup._excerpt.toPlainText(), "the excerpt")
        assert pane.planning.options.tokenizer == "characters"
        assert pane.setup.start.isEnabled()
        await pane.settled()

    run_async(story())


def test_enter_in_a_field_starts_the_run(make_pane, run_async, qtbot):
    async def story():
        pane = make_pane()
        asked = []
        pane.setup.startRequested.disconnect()
        pane.setup.startRequested.connect(lambda: asked.append(True))
        qtbot.keyClick(pane.setup.fields["steps"].editor, Qt.Key.Key_Return)
        assert asked == [True]
        await pane.settled()

    run_async(story())
