"""The scores of the heads over the steps of a run, below its losses."""

from __future__ import annotations

import numpy as np
import pytest

from core.training.reader import RunReader
from core.training.runs import create_run
from core.training.writer import RunWriter
from explorer.panes.training.run.charts import RATES, Charts
from explorer.panes.training.run.draft import TrainingDraft, config_of
from explorer.panes.training.run.head_scores import (
    head_of,
    head_series,
    scores_at,
    sentence,
)
from explorer.runs.run_data import read
from tests.explorer.waiting import until

from .conftest import started, state_of

CONFIG = config_of(TrainingDraft().change({"lessons": "text"})).change(
    {"steps": 60, "probe_every": 10}
)
SHAPE = (CONFIG.model.n_layer, CONFIG.model.n_head)


@pytest.fixture
def scored(tmp_path):
    """A run in which head 2 of layer 1 becomes an induction head between steps 20 and 40."""
    writer = RunWriter(create_run(tmp_path / "run", CONFIG), 0)
    for step in range(0, 61, 10):
        if step:
            writer.step({"step": step, "loss": 4.0 - 0.03 * step, "tokens": 8, "seconds": 0.1})
        scores = np.full(SHAPE, 0.05)
        scores[1, 2] = 0.05 if step < 30 else 0.8
        writer.event("heads", step, {"induction": scores.ravel().tolist()})
    writer.close()
    return read(RunReader(tmp_path / "run"))


def test_every_head_has_a_line_and_the_strongest_have_names(scored):
    lines = head_series(*scored.head_scores["induction"])
    assert {head_of(one.name) for one in lines} == {tuple(one) for one in np.ndindex(SHAPE)}
    named = [one for one in lines if one.named]
    assert len(named) == 4 and all(one.faint != one.named for one in lines)
    assert lines[-1].name == "L1 H2"
    np.testing.assert_allclose(lines[-1].points[:, 0], range(0, 61, 10))
    np.testing.assert_allclose(lines[-1].points[:, 1], [0.05] * 3 + [0.8] * 4, atol=1e-3)
    assert head_series(*scored.head_scores["duplicate"]) == []


def test_scores_at_a_step_are_the_last_ones_recorded_by_then(scored):
    assert [scores_at(scored, "induction", at)[1, 2] for at in (29, 30, 99)] == pytest.approx(
        [0.05, 0.8, 0.8], abs=1e-3
    )
    assert scores_at(scored, "duplicate", 30) is None


def test_a_sentence_says_which_head_does_it_or_that_none_does_yet(scored):
    born = sentence("induction", scores_at(scored, "induction", 30), 30)
    assert born.startswith("Step 30: head 2 of layer 1 spends 80\u2009% of its attention on")
    assert "no head" in sentence("induction", scores_at(scored, "induction", 20), 20)


def test_the_lines_stand_below_the_losses_with_the_same_steps_and_cursor(scored, qtbot):
    charts = Charts()
    charts.tools.setParent(charts)
    qtbot.addWidget(charts)
    charts.set_runs(scored)
    assert not charts.heads.series, "nobody looks at them"
    charts.restore({"below": "induction"})
    charts.set_cursor(30)
    charts.resize(500, 400)
    charts.show()
    loss, heads = charts.loss, charts.heads
    assert heads.limits[:2] == loss.limits[:2] and heads.cursor == loss.cursor == 30
    assert heads.plot_rect().left() == loss.plot_rect().left()
    assert heads.plot_rect().right() == loss.plot_rect().right()
    assert len(heads.displayed()) == np.prod(SHAPE)
    assert charts.state()["below"] == "induction"
    charts.restore({"below": "nothing that there is"})
    assert charts.score == "induction"
    charts.restore({"below": RATES})
    assert charts.score == "" and heads.isHidden()


def test_a_click_on_a_line_opens_that_head_as_it_was_at_that_step(make_pane, run_async):
    async def body():
        pane = make_pane(steps="40", checkpoint_every="20")
        await started(pane, 12)
        await until(lambda: state_of(pane) == "finished", "its end")
        view = pane.view
        view.charts.set_below("previous_token")
        await until(lambda: view.mosaic.displayed().get("scores") is not None, "the scores")
        data = pane.follower.data
        newest = data.head_scores["previous_token"][1][-1]
        np.testing.assert_allclose(view.mosaic.displayed()["scores"], newest)
        view.mosaic.set_shape(1, 1)  # as the heads of another run, shown in between
        pane.snapshots.clear()
        pane.view.charts.looksChanged.emit()
        await until(lambda: view.mosaic.displayed()["maps"].shape[0] == 2, "its heads")
        np.testing.assert_allclose(view.mosaic.displayed()["scores"], newest)
        step = sorted(data.probes)[-5]
        view.charts.heads.lineClicked.emit("L1 H0", step + 0.2)
        await pane.settled()
        source = pane.workspace.model_source
        assert (source.step, source.kept) == (step, data.nearest_checkpoint(step))
        assert pane.workspace.value("attention.scene")["locked"] == [1, 0]

    run_async(body())
