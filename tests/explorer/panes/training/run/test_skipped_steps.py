"""Steps that a loss scaler skipped: usual, so that they have a place and break nothing."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from core.trace import source
from core.training.phases import PHASES, SCALED_PHASES
from core.training.reader import RunReader
from core.training.runs import create_run
from core.training.writer import RunWriter
from explorer.panes.training.phases import phase_inspection
from explorer.panes.training.run import text
from explorer.panes.training.run.ancestry import read_past
from explorer.panes.training.run.card_text import card_text
from explorer.panes.training.run.charts import Charts
from explorer.panes.training.run.draft import TrainingDraft, config_of
from explorer.panes.training.run.inspector import moment_inspection
from explorer.panes.training.run.track import Moment, PhaseTrack
from explorer.runs.run_data import RunData, read
from explorer.shell.follow import see
from tests.explorer.waiting import until

CONFIG = config_of(TrainingDraft().change({"lessons": "text"})).change(
    {"steps": 40, "warmup_steps": 5}
)


def recorded(folder: Path, skips: tuple[int, ...], last: int = 12) -> RunData:
    """A run of `last` steps: those of `skips` overflowed, every second one even in its loss."""
    writer = RunWriter(create_run(folder, CONFIG))
    writer.event("model", 0, {"parameters": 10, "vocab_size": 32, "tokens": 0, "scales": True})
    applied, scale = 0, 65536.0
    for step in range(1, last + 1):
        skipped = step in skips
        rate = CONFIG.planned_rate(applied)
        applied += not skipped
        loss = np.nan if skipped and skips.index(step) % 2 == 0 else 4.0 - 0.1 * step
        if skipped:
            after = {"loss_scale": scale / 2, "good": 0.0}
            writer.event("skip", step, {"loss_scale": scale, "good": 3.0, "after": after})
            scale /= 2
        record = {"step": step, "loss": loss, "learning_rate": rate, "applied": applied}
        told = 2 * scale if skipped else scale  # after a skip it is already the next one
        record |= {"grad_norm": np.inf if skipped else 1.5, "skipped": skipped, "loss_scale": told}
        writer.step(record | {"tokens": 8, "targets": 8, "seconds": 0.1})
    writer.event("end", last, {"reason": "stopped"})
    writer.close()
    return read(RunReader(folder))


def rows_of(inspection) -> str:  # type: ignore[no-untyped-def]
    return "; ".join(str(getattr(row, "text", row)) for row in inspection.rows)


def test_a_skipped_step_has_a_mark_and_leaves_no_gap_in_any_line(tmp_path, qtbot):
    data = recorded(tmp_path / "run", (3, 7))
    charts = Charts()
    charts.tools.setParent(charts)
    qtbot.addWidget(charts)
    charts.set_runs(data)
    crosses = [(mark.x, mark.text) for mark in charts.loss.marks if mark.cross]
    assert crosses == [(3, "step 3 was skipped"), (7, "step 7 was skipped")]
    train = charts.loss.displayed()["train"]
    assert train[:, 0].tolist() == [1, 2, *range(4, 13)], "a skipped batch's own loss stays"
    assert np.isfinite(train).all()
    norms = charts.small["norm"].displayed()["gradient norm"]
    assert norms[:, 0].tolist() == [1, 2, 4, 5, 6, *range(8, 13)] and np.isfinite(norms).all()
    rates = charts.small["rate"].displayed()["learning rate"]
    assert len(rates) == 12
    past = read_past({"run": str(data.folder), "step": 12})
    assert all(np.isfinite(past.series(name)[1]).all() for name in ("loss", "grad_norm"))


def test_where_a_step_was_skipped_one_sentence_says_why_and_what_comes_of_it(tmp_path):
    data = recorded(tmp_path / "run", (3, 7))
    sentence = text.headline(data, data.state, Moment(7), replaying=True)
    assert sentence == (
        "Step 7 was skipped: its gradients overflowed, so no weight moved. The loss scale is "
        "halved, from 32,768 to 16,384."
    )
    assert rows_of(moment_inspection(data.numbers, 7)).startswith(sentence)
    assert "was skipped" not in rows_of(moment_inspection(data.numbers, 8))
    assert "was skipped" not in text.headline(data, data.state, Moment(8), replaying=True)
    card = card_text(data, data.state, Moment(3), replaying=True)
    assert ("loss of its batch", "skipped") in card.numbers


@pytest.mark.parametrize("skips", [(12,), (1,), (1, 12), (11, 12)], ids=str)
def test_headline_and_status_tell_the_loss_of_a_step_that_has_one(tmp_path, skips):
    data = recorded(tmp_path / "run", skips)
    said = text.headline(data, "running", None, replaying=False)
    assert "not finite" not in said and "nan" not in said
    status = see(RunReader(data.folder), 0).status
    assert status.loss == data.last("loss") and np.isfinite(status.loss)


def test_a_run_that_begins_with_skipped_steps_says_so(tmp_path):
    data = recorded(tmp_path / "run", (1,), last=1)
    said = text.headline(data, "running", None, replaying=False)
    assert said == "The run begins: 1 step was skipped while the loss scale came down."
    assert see(RunReader(data.folder), 0).status.loss is None


def test_the_phases_of_a_scaled_step_have_the_unscaling_among_them(tmp_path):
    numbers = recorded(tmp_path / "run", (3,)).numbers
    assert PhaseTrack(numbers, 3).names == SCALED_PHASES and "unscale" not in PHASES
    overflowed, finite = (phase_inspection("unscale", numbers, step) for step in (3, 4))
    assert "overflowed" in rows_of(overflowed) and overflowed.step.value("scale") == 65536
    assert "65,536" in rows_of(overflowed)
    assert "finite" in rows_of(finite) and finite.step.value("scale") == 32768
    skipped = phase_inspection("optimizer", numbers, 3)
    where = source(skipped.step.code)
    assert 'event("skip"' in where.lines[where.marked]
    assert "no weight moved" in rows_of(skipped)
    for step in (3, 4):
        track = PhaseTrack(numbers, step)
        for index, name in enumerate(track.names):
            assert "nan" not in rows_of(phase_inspection(name, numbers, step))
            headline = text.phase_headline(track.names, index, step, track.skipped)
            assert headline.startswith(f"Inside step {step}, phase {index + 1} of 8: ")


def test_what_is_infinite_or_no_number_is_told_as_not_finite(tmp_path):
    numbers = recorded(tmp_path / "run", (3,)).numbers
    assert "|g| is not finite" in rows_of(phase_inspection("clip", numbers, 3)), "it is infinite"
    told = rows_of(phase_inspection("loss", numbers, 3))
    assert told == "L is not finite, so the step is skipped"
    assert "loss L is not finite;" in rows_of(moment_inspection(numbers, 3))


def test_the_schedule_counts_applied_steps_alone(tmp_path):
    numbers = recorded(tmp_path / "run", (3, 7)).numbers
    for step, applied in ((3, 2), (4, 2), (8, 5), (12, 9)):
        shown = rows_of(phase_inspection("schedule", numbers, step))
        assert f"t = {applied}" in shown and "the schedule planned" in shown


def test_a_click_on_the_mark_leads_to_the_skipped_step(make_pane, run_async, tmp_path):
    async def story():
        folder = recorded(tmp_path / "runs" / "scaled", (3, 7)).folder
        pane = make_pane()
        pane.open_run(str(folder))
        await until(lambda: pane.follower.data is not None and pane.cursor.moments, "the run")
        pane.view.charts.clicked.emit(7.0)
        assert pane.moment.step == 7 and pane.player.track.title(pane.player.step) == (
            "step 7, skipped"
        )
        assert "Step 7 was skipped" in pane.headline
        pane.enter_phase(SCALED_PHASES.index("unscale"))
        assert "not every gradient is finite" in pane.headline
        pane.enter_phase(len(SCALED_PHASES) - 1)
        assert pane.headline.startswith("Inside step 7, phase 8 of 8:")
        await pane.settled()

    run_async(story())
