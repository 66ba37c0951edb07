"""Moments, their track, and the phases inside one optimizer step."""

from __future__ import annotations

import tracemalloc
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from numpy.lib.recfunctions import drop_fields

from core.optimization import OPTIMIZERS
from core.optimization.schedules import SCHEDULES
from core.trace import source
from core.training.config import TrainingConfig
from core.training.estimates.flops import flops_per_token
from core.training.phases import PHASES
from core.training.reader import EVALUATION_DTYPE
from core.training.records import STEP_DTYPE
from core.training.this_machine import Machine
from core.transformer.config import ModelConfig
from explorer.panes.training.phases import CODE, phase_inspection
from explorer.panes.training.run.card_text import card_text, why_no_branch
from explorer.panes.training.run.cursor import Cursor
from explorer.panes.training.run.head_snapshots import around
from explorer.panes.training.run.inspector import (
    arithmetic_row,
    moment_inspection,
    moment_rows,
    plan_inspection,
)
from explorer.panes.training.run.track import (
    Moment,
    MomentTrack,
    PhaseTrack,
    moments_of,
    nearest,
)
from explorer.runs.run_data import RunData, RunNumbers
from explorer.state.player import Player
from explorer.widgets.run_card import RunCard
from tests.core.optimization.invented import add_to_the_list

CONFIG = TrainingConfig(
    model=ModelConfig(vocab_size=64, block_size=8, n_layer=1, n_head=1, n_embd=8), steps=50
)


def numbers(count: int = 20) -> RunNumbers:
    steps = np.zeros(count, STEP_DTYPE)
    steps["step"] = steps["applied"] = np.arange(1, count + 1)
    steps["loss"] = np.linspace(4, 2, count)
    steps["grad_norm"], steps["learning_rate"] = 2.5, 1e-3
    steps["tokens"], steps["targets"], steps["seconds"] = 128, 100, 0.02
    return RunNumbers(CONFIG, steps, 1234, 64, 0)


def test_the_share_of_a_peak_is_told_or_what_to_do_for_it():
    here = Machine(cores=2, speed=1e9, threads=1)
    on_cpu = replace(numbers(), threads=1)
    flops = flops_per_token(replace(CONFIG.model, vocab_size=64))
    speed = 0.25e9 / flops  # tokens a second

    def told(machine: Machine | None = here, **changes: object) -> str:
        return arithmetic_row(replace(on_cpu, **changes), speed, machine)

    assert "25\u2009% (0.250 GFLOP/s of the 1 GFLOP/s measured on this machine" in told()
    assert "12\u2009% (0.250 GFLOP/s of the 2 GFLOP/s measured on this machine" in told(threads=2)
    assert "still being measured" in told(None)
    assert "and bf16 has another" in told(config=CONFIG.change({"precision": "bf16"}))
    assert "the CPU of node7 was not measured" in told(host="node7")
    unknown = told(device="NVIDIA GeForce RTX 5050")
    assert "RTX 5050 is not in the table" in unknown and "add its peak" in unknown
    assert "<1\u2009% of the peak" in told(device="NVIDIA A100-SXM4-80GB")


def test_of_a_log_no_share_of_a_peak_is_told():
    """It does not tell the model's shape."""
    rows = [str(row) for row in moment_rows(replace(numbers(), log="a TensorBoard log"), 3)]
    assert any("tokens/s" in row for row in rows) and not any("MFU" in row for row in rows)


def probes(*steps: int) -> dict[int, Path]:
    return {step: Path(f"step-{step:06d}.safetensors") for step in steps}


def test_moments_are_probes_and_checkpoints_and_the_edge():
    found = moments_of(20, probes(0, 10, 20), {10: Path("c"), 15: Path("d")})
    assert [one.step for one in found] == [0, 10, 15, 20]
    assert [one.checkpoint is not None for one in found] == [False, True, True, False]
    assert [one.edge for one in found] == [False, False, False, True]
    assert found[-1].probe is not None


def test_a_finished_run_has_no_edge_and_an_empty_one_has_nothing_but_it():
    assert [one.edge for one in moments_of(20, probes(0, 20), {}, live=False)] == [False, False]
    assert [one.edge for one in moments_of(0, {}, {})] == [True]


def test_later_moments_of_an_older_attempt_are_left_out():
    assert [one.step for one in moments_of(10, probes(0, 10, 20), {30: Path("c")})] == [0, 10]


def test_heads_are_blended_between_two_pictures_and_skip_moments_without_one():
    found = moments_of(20, probes(0, 20), {10: Path("c")})
    before, after, share = around(found, 1.5)
    assert (before.step, after.step, share) == (0, 20, 0.5)
    before, after, share = around(found, 0.5)
    assert (before.step, after, share) == (0, None, 0.0)
    assert nearest(found, 13) == 1


@pytest.mark.parametrize("name", PHASES)
def test_every_phase_leads_to_the_line_of_core_that_does_it(name):
    inspection = phase_inspection(name, numbers(), 7)
    where = source(inspection.step.code)
    assert inspection.step.code in CODE.values(), "loaded before it is shown"
    assert where.lines[where.marked].strip()
    assert inspection.rows


def test_the_live_numbers_are_those_of_the_record():
    clip = phase_inspection("clip", numbers(), 7)
    assert clip.step.value("norm") == 2.5
    assert "by 0.400" in clip.rows[-1]
    moment = moment_inspection(numbers(), 20)
    assert moment.step.value("loss") == 2.0
    assert "6,400 tokens/s" in " ".join(map(str, moment.rows))


def rows_of(phase: str, run: RunNumbers, step: int = 7) -> str:
    return "; ".join(map(str, phase_inspection(phase, run, step).rows))


def test_what_was_read_and_what_was_to_predict_are_told_apart_where_a_run_tells():
    run = numbers()
    assert "N = 100 tokens to predict in this step" in rows_of("data", run)
    assert "V = 64 tokens gives a loss of ln V = 4.159" in rows_of("forward", run)
    older = drop_fields(run.steps, "targets", usemask=False)
    run = RunNumbers(CONFIG, older)
    assert "128 tokens read in this step" in rows_of("data", run)
    assert "N =" not in rows_of("data", run)
    assert "guess among V tokens gives a loss of ln V" in rows_of("forward", run)


def test_a_branch_has_read_what_its_parent_had_before():
    run = numbers()
    later = run.steps.copy()
    later["step"] += 8
    branch = RunNumbers(CONFIG, later, before=4000)
    assert f"{4000 + 2 * 128:,} tokens read so far" in rows_of("data", branch, 10)
    guessed = RunNumbers(CONFIG, later)  # of an older version: as many a step as now
    told = f"{8 * CONFIG.tokens_per_step + 2 * 128:,} tokens read so far"
    assert told in rows_of("data", guessed, 10)
    assert f"{7 * 128:,} tokens read so far" in rows_of("data", run)


def test_the_optimizer_shows_the_line_that_ran_and_says_which_rule_it_computes():
    inspection = phase_inspection("optimizer", numbers(), 7)
    where = source(inspection.step.code)
    assert where.lines[where.marked].strip().startswith("optimizer.step()")
    said = " ".join(map(str, inspection.rows))
    assert "PyTorch's AdamW" in said and "core/optimization/adamw.py" in said
    for name in OPTIMIZERS:
        run = RunNumbers(CONFIG.change({"optimizer": name}), numbers().steps)
        assert f"core/optimization/{name}.py" in rows_of("optimizer", run)
        assert ("PyTorch's" in rows_of("optimizer", run)) == (name not in ("lion", "muon"))


def test_of_a_new_optimizer_the_rule_itself_runs(monkeypatch):
    rule = add_to_the_list(monkeypatch)
    run = RunNumbers(CONFIG.change({"optimizer": rule.name}), numbers().steps)
    assert "The rule runs" in rows_of("optimizer", run)


@pytest.mark.parametrize(
    ("name", "letters"),
    [
        ("sgd", "λ = 0.1"),
        ("momentum", "λ = 0.1, μ = 0.8"),
        ("nesterov", "λ = 0.1, μ = 0.8"),
        ("adagrad", "λ = 0.1, ε = 1e\u221210"),
        ("rmsprop", "λ = 0.1, β = 0.95, ε = 1e\u22128"),
        ("adam", "λ = 0.1, β₁ = 0.8, β₂ = 0.95, ε = 1e\u22128"),
        ("adamw", "λ = 0.1, β₁ = 0.8, β₂ = 0.95, ε = 1e\u22128"),
        ("lion", "λ = 0.1, β₁ = 0.8, β₂ = 0.95"),
        ("muon", "λ = 0.1, μ = 0.8"),
    ],
)
def test_the_optimizer_tells_its_own_settings_by_their_letters_and_no_others(name, letters):
    config = CONFIG.change({"optimizer": name, "betas": (0.8, 0.95)})
    rows = phase_inspection("optimizer", RunNumbers(config, numbers().steps), 7).rows
    assert letters in rows and not any("β =" in str(row) for row in rows if row != letters)


@pytest.mark.parametrize(
    ("changes", "step", "branch"),
    [
        ({}, 5, "warmup"),
        ({}, 6, "cosine"),
        ({}, 50, "cosine"),
        ({"schedule": "constant"}, 5, "warmup"),
        ({"schedule": "constant"}, 6, "constant"),
        ({"schedule": "noam"}, 5, "noam"),
        ({"schedule": "one-cycle"}, 5, "rise"),
        ({"schedule": "linear"}, 6, "linear"),
    ],
)
def test_the_schedule_shows_the_branch_that_gave_this_step_its_rate(changes, step, branch):
    config = CONFIG.change({"warmup_steps": 5, **changes})
    run = RunNumbers(config, numbers(50).steps, 1234)
    shown = phase_inspection("schedule", run, step)
    assert shown.step.code == f"core.optimization.schedules:{branch}#{branch}"
    assert shown.step.value("rate") == config.planned_rate(step - 1)
    by_hand = any("set by hand" in str(row) for row in shown.rows)
    assert by_hand == (config.planned_rate(step - 1) != 1e-3), "1e-3 is what was recorded"
    plan = plan_inspection(config).step
    assert plan.code == SCHEDULES[config.schedule].main.code


@pytest.mark.parametrize(
    ("schedule", "warmup", "expected"),
    [
        ("cosine", 5, ["η min = 0.0001", "w = 5", "1–5: warm-up", "6–50: p rises from 0 toward 1"]),
        ("constant", 5, ["w = 5", "1–5: warm-up", "6–50: the peak"]),
        ("constant", 0, ["1–50: the peak"]),
        ("linear", 0, ["η min = 0.0001", "1–50: p rises from 0 toward 1"]),
        ("step", 0, ["η min = 0.0001", "1–50: k drops so far"]),
        (
            "wsd",
            5,
            ["η min = 0.0001", "w = 5", "1–5: warm-up", "6–40: the peak", "41–50: p rises"],
        ),
        ("noam", 5, ["w = 5", "1–50: up for w steps"]),
        ("noam", 0, ["w = 1", "1–50: up for w steps"]),
        ("one-cycle", 5, ["η min = 0.0001", "1–5: p rises from 0", "6–50: p rises from 0"]),
        ("cosine", 60, ["w = 60", "1–50: warm-up"]),
    ],
)
def test_the_plan_shows_every_part_of_its_schedule_and_no_letter_of_another(
    schedule, warmup, expected
):
    config = CONFIG.change({"schedule": schedule, "warmup_steps": warmup})
    shown = plan_inspection(config)
    rows = [str(getattr(row, "text", row)) for row in shown.rows]
    expected = ["η max = 0.001", *expected]
    rows.remove("t: number of steps done so far")
    assert [row for row, said in zip(rows, expected, strict=True) if said not in row] == []
    parts = [said for said in expected if "–" in said and "η" not in said]
    assert shown.step.formula.count(r"\eta_t =") == len(parts)
    assert (r"\eta_{min}" in shown.step.formula) == any("η min" in row for row in rows)


def test_the_schedule_of_a_step_explains_its_letters():
    for schedule, step, said in (
        ("step", 40, "k drops so far"),
        ("cosine", 40, "p rises from 0 toward 1"),
        ("wsd", 20, "steps 6–40: the peak"),
    ):
        config = CONFIG.change({"schedule": schedule, "warmup_steps": 5})
        assert said in rows_of("schedule", RunNumbers(config, numbers(50).steps), step)


def run_data(checkpoints: dict[int, Path], step: int = 20) -> RunData:
    recorded = numbers(step)
    return RunData(
        folder=Path("runs/one"),
        name="one",
        state="running",
        message="",
        config=CONFIG.change({"checkpoint_every": 15}),
        step=step,
        steps=recorded.steps,
        evaluations=np.zeros(0, EVALUATION_DTYPE),
        samples=(),
        probes=probes(0, 10, 20),
        checkpoints=checkpoints,
        parent=None,
        parameters=0,
    )


def test_resuming_is_offered_where_a_checkpoint_lies_and_elsewhere_says_where_it_is(qapp):
    kept = {15: Path("c"), 18: Path("d")}
    for place, why in (
        (0, "first checkpoint is at step 15"),
        (15, ""),
        (20, "the nearest is at step 18"),
    ):
        moment = next(m for m in moments_of(20, probes(0, 20), kept) if m.step == place)
        text = card_text(run_data(kept), "running", moment, True)
        assert "branch" in text.buttons
        assert why in dict(text.refusals).get("branch", "")
        assert bool(why) == ("branch" in dict(text.refusals))
        card = RunCard("training.view")
        card.set_text(text)
        assert card.buttons["branch"].isEnabled() == (not why)
        assert (why or "continues from this checkpoint") in card.buttons["branch"].toolTip()
        card.deleteLater()
    early = why_no_branch(run_data({}, 3), Moment(0))
    assert early == "No checkpoint yet: the first comes at step 15"


def test_the_cursor_goes_from_checkpoint_to_checkpoint(qapp):
    player = Player()
    no = lambda: None  # noqa: E731
    track = MomentTrack(playing=lambda: False, play=no, pause=no, step=no)
    cursor = Cursor(player, track, player.set_tracks)
    cursor.clear(fresh=True)
    cursor.renew(run_data({5: Path("c"), 15: Path("d")}))
    assert cursor.track.marks == {1: "checkpoint, step 5", 3: "checkpoint, step 15"}
    steps = []
    for way in (-1, -1, -1, 1, 1):
        cursor.seek_checkpoint(way)
        steps.append(cursor.moment.step)
    assert steps == [15, 5, 5, 15, 15], "beyond the last one there is nowhere to go"
    assert cursor.checkpoint_beside(1) is None
    cursor.enter(0)
    cursor.seek_checkpoint(-1)
    assert cursor.inside is None and cursor.moment.step == 5


def test_out_of_a_step_is_back_at_its_moment_though_others_were_thinned_meanwhile(qapp):
    """An index of then may be the live edge of now, where Space steers the run."""
    player = Player()
    no = lambda: None  # noqa: E731
    track = MomentTrack(playing=lambda: True, play=no, pause=no, step=no)
    cursor = Cursor(player, track, player.set_tracks)
    cursor.clear(fresh=True)
    every = replace(run_data({}, 100), probes=probes(*range(0, 101, 10)))
    for go_out in (player.leave, cursor.leave):
        cursor.renew(every)
        cursor.seek_step(60)
        assert cursor.enter(2)
        cursor.renew(replace(run_data({}, 110), probes=probes(*range(0, 111, 40))))
        go_out()
        assert (cursor.inside, cursor.moment.step) == (None, 40)
        assert cursor.replaying and not player.at_live_edge


def test_a_long_run_is_taken_in_without_copying_its_records(qapp):
    """A search in one field of the records would copy all of it, at every moment of the run."""
    run = numbers(100_000)
    track = MomentTrack(
        playing=lambda: False, play=lambda: None, pause=lambda: None, step=lambda: None
    )
    moments = moments_of(100_000, probes(*range(200, 100_001, 200)), {600: Path("c")})
    assert run.index.tolist() == list(range(1, 100_001))
    tracemalloc.start()
    track.set_moments(moments, True, run)
    titles = [track.title(at) for at in range(track.length)]
    _, most = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    assert most < run.index.nbytes / 2
    assert titles[0] == f"step 200, loss {run.steps['loss'][199]:.3f}"
    assert titles[2] == f"step 600, loss {run.steps['loss'][599]:.3f}, checkpoint"
    assert track.item(2) is moments[2] and track.length == 500


def test_enter_goes_into_the_step_of_a_moment_and_out_again(qapp):
    track = MomentTrack(
        playing=lambda: False, play=lambda: None, pause=lambda: None, step=lambda: None
    )
    track.set_moments(moments_of(20, probes(0, 10), {}), True, numbers())
    player = Player()
    player.set_track(track)
    player.seek(1)
    assert player.enter()
    assert isinstance(player.track, PhaseTrack)
    assert (player.track.step, player.length) == (10, len(PHASES))
    assert player.leave() and player.position == 1
    player.seek(0)
    assert not player.enter(), "there is no step before the first"
