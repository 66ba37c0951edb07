"""Runs whose loss is scaled: a step that overflows is skipped, told, and no error."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
import torch

from core.files import read_json
from core.tensor_files import read_tensors
from core.training.config import TrainingConfig
from core.training.health import NotFiniteError
from core.training.language_modelling import LanguageModelling
from core.training.loop import train_steps
from core.training.parallel import Single
from core.training.phases import SCALED_PHASES, phase_step
from core.training.precision import build_scaler
from core.training.program import train
from core.training.runs import RunReader, branch
from core.training.scaler import LossScaler
from core.training.scaler_trace import scale_changes, trace_scale_change
from tests.core.test_trace import MarkedLines
from tests.core.training.small import fingerprint, finish, losses, moments, small_config


class Overflowing(LanguageModelling):
    """Gradients overflow where the loss is scaled by more than a limit, as they do in fp16."""

    limit = 2.0**10

    def loss(self, model, batch):  # type: ignore[no-untyped-def]
        total, targets = super().loss(model, batch), self.targets(batch)
        if total.requires_grad:
            total.register_hook(
                lambda slope: torch.where(slope.abs() * targets > self.limit, torch.inf, slope)
            )
        return total


def _scaled(config: TrainingConfig, folder: Path, scale: float, resume: bool = False):  # type: ignore[no-untyped-def]
    task = Overflowing(config, folder.parent / "cache")
    scaler = LossScaler(scale, growth_interval=3)
    return train_steps(config, folder, resume, task, Single(scaler=scaler))


def test_a_skipped_step_is_told_and_moves_nothing(tmp_path: Path) -> None:
    """The schedule waits for it; the data do not."""
    config = small_config(tmp_path, steps=10, warmup_steps=10)
    phases = [(m.step, m.phase) for m in _scaled(config, tmp_path / "run", 2.0**12)]
    assert phases.count((1, "unscale")) == 1
    order = [phase for step, phase in phases if step == 1][:6]
    assert order == ["data", "forward", "loss", "backward", "unscale", "clip"]
    run = RunReader(tmp_path / "run")
    assert run.state == "finished" and run.step == 10
    skipped = [1, 2, 6, 10]  # 2^12 and 2^11 are too much; tried again after three good steps
    assert run.steps["step"][run.steps["skipped"] > 0].tolist() == skipped
    events = [event for event in run.events if event["event"] == "skip"]
    assert {e["where"] for e in events} == {"the gradient of ln_f.bias"}
    scales = [(e["step"], e["loss_scale"], e["after"]["loss_scale"]) for e in events]
    assert scales == [
        (1, 2.0**12, 2.0**11),
        (2, 2.0**11, 2.0**10),
        (6, 2.0**11, 2.0**10),
        (10, 2.0**11, 2.0**10),
    ]
    assert next(e for e in run.events if e["event"] == "model")["scales"] is True
    told = run.steps["loss_scale"]
    assert told[:7].tolist() == [2.0**12, 2.0**11, *[2.0**10] * 3, 2.0**11, 2.0**10]
    applied = run.steps["applied"]
    assert applied.tolist() == [0, 0, 1, 2, 3, 3, 4, 5, 6, 6]
    before = applied - 1 + run.steps["skipped"]
    assert run.steps["learning_rate"].tolist() == [config.planned_rate(int(n)) for n in before]
    assert run.evaluations["validation"][0] == pytest.approx(losses(run)[0], rel=0.1)
    assert not np.isfinite(run.steps["grad_norm"][run.steps["skipped"] > 0]).any()
    assert np.isfinite(run.steps["loss"]).all()
    last = read_json(run.checkpoints[-1].folder / "training.json")
    assert (last["step"], last["skipped"]) == (10, 4) and last["scaler"]["loss_scale"] == 2.0**10


def test_the_marked_lines_computed_the_values_of_a_scaled_step(tmp_path: Path) -> None:
    """Whether it was skipped or not."""
    config = small_config(tmp_path, steps=3)
    with MarkedLines() as watched:
        for _ in _scaled(config, tmp_path / "run", 2.0**12):
            pass
    run = RunReader(tmp_path / "run")
    assert run.steps["skipped"].tolist() == [1, 1, 0]
    for record in run.steps:
        named = {name: float(record[name]) for name in run.steps.dtype.names}
        for phase in (*SCALED_PHASES, "scale"):
            step = phase_step(phase, config, int(record["step"]), named)
            watched.left(step)
            if phase in ("scale", "unscale"):
                assert step.value("scale") == 2.0 ** (13 - record["step"])


def test_the_marked_lines_computed_the_values_of_a_change_of_scale(tmp_path: Path) -> None:
    """Each line of the scaler, at a step that was skipped and at one after which it grew."""
    config = small_config(tmp_path, steps=6, loss_scale_growth_interval=3)
    with MarkedLines() as watched:
        for _ in _scaled(config, tmp_path / "run", 2.0**12):
            pass
    steps = RunReader(tmp_path / "run").steps
    changes = scale_changes(steps)
    assert steps["step"][changes].tolist() == [1, 2, 5, 6]
    for record in steps[changes]:
        named = {name: float(record[name]) for name in steps.dtype.names}
        trace = trace_scale_change(config, named)
        for step in trace:
            watched.left(step)
        after = steps["loss_scale"][steps["step"] == record["step"] + 1]
        assert after.size == 0 or after[0] == trace.about["next"]


@pytest.mark.parametrize("step", [1, 4, 6])
def test_a_scaled_run_resumes_exactly(tmp_path: Path, step: int) -> None:
    """Even before a first step was applied, when the optimizer remembers nothing."""
    config = small_config(tmp_path, steps=10)
    for _ in _scaled(config, tmp_path / "plain", 2.0**12):
        pass
    moments = _scaled(config, tmp_path / "run", 2.0**12)
    next(m for m in moments if m.phase == "optimizer" and m.step == step)
    moments.close()
    for _ in _scaled(config, tmp_path / "run", 2.0**12, resume=True):
        pass
    plain, run = RunReader(tmp_path / "plain"), RunReader(tmp_path / "run")
    assert losses(run) == losses(plain)
    assert run.steps["applied"].tolist() == plain.steps["applied"].tolist()
    assert fingerprint(run.checkpoints[-1].folder) == fingerprint(plain.checkpoints[-1].folder)


def test_a_scaler_at_its_floor_stops_the_run_as_any_number_does(tmp_path: Path) -> None:
    """Down to 1 by two skips, two more there, and the third is an error."""
    config = small_config(tmp_path)
    task = Overflowing(config, tmp_path / "cache")
    task.limit = 0.0
    scaling = Single(scaler=LossScaler(4.0))
    with pytest.raises(NotFiniteError, match=r"step 5: .* is not finite"):
        for _ in train_steps(config, tmp_path / "run", task=task, parallel=scaling):
            pass
    run = RunReader(tmp_path / "run")
    assert run.state == "failed" and run.steps["skipped"].tolist() == [1, 1, 1, 1]
    assert run.steps["loss_scale"].tolist() == [4, 2, 1, 1]


def test_a_checkpoint_with_a_loss_scale_needs_a_strategy_that_scales(tmp_path: Path) -> None:
    config = small_config(tmp_path)
    moments = _scaled(config, tmp_path / "run", 1.0)
    next(m for m in moments if m.phase == "schedule" and m.step == 2)
    moments.close()
    with pytest.raises(ValueError, match="scaled its loss; continue it with its own precision"):
        finish(config, tmp_path / "run", resume=True)


# -- fp16


def _half(folder: Path, **changes: object) -> TrainingConfig:
    given = {"precision": "fp16", "loss_scale": 2.0**24, "loss_scale_growth_interval": 3}
    return small_config(folder, **{**given, **changes})


def test_a_run_in_fp16_finds_its_scale_and_learns_as_in_fp32(tmp_path: Path) -> None:
    run = finish(_half(tmp_path, steps=30), tmp_path / "half")
    skipped = run.steps["skipped"] > 0
    assert 3 <= skipped.sum() <= 15 and not skipped[-3:].all()
    first, *_ = [event for event in run.events if event["event"] == "skip"]
    assert first["loss_scale"] == 2.0**24 and first["where"].startswith("the gradient of ")
    assert any("times slower than fp32" in e["message"] for e in run.events if e["event"] == "note")
    plain = finish(small_config(tmp_path, steps=int((~skipped).sum())), tmp_path / "plain")
    np.testing.assert_allclose(run.steps["loss"][0], losses(plain)[0], rtol=1e-3)
    assert run.evaluations["validation"][-1] == pytest.approx(
        plain.evaluations["validation"][-1], rel=0.05
    )
    weights = read_tensors(run.checkpoints[-1].folder / "model.safetensors")
    assert {array.dtype for array in weights.values()} == {np.dtype(np.float32)}


def test_a_run_in_fp16_resumes_exactly(tmp_path: Path) -> None:
    config = _half(tmp_path)
    plain = finish(config, tmp_path / "plain")
    steps = moments(config, tmp_path / "run")
    next(moment for moment in steps if moment.phase == "optimizer" and moment.step == 7)
    steps.close()
    run = finish(config, tmp_path / "run", resume=True)
    assert losses(run) == losses(plain)
    assert run.steps["loss_scale"].tolist() == plain.steps["loss_scale"].tolist()
    assert fingerprint(run.checkpoints[-1].folder) == fingerprint(plain.checkpoints[-1].folder)


@pytest.mark.parametrize(
    ("start", "changes", "scale"),
    [
        ("fp16", {"precision": "fp32"}, 1.0),
        ("fp32", {"precision": "fp16", "loss_scale": 512.0}, 512.0),
        ("fp16", {"loss_scale": 256.0}, 256.0),
    ],
)
def test_a_branch_may_change_precision_and_loss_scale(
    tmp_path: Path, start: str, changes: dict[str, object], scale: float
) -> None:
    run = finish(_half(tmp_path, precision=start, steps=4), tmp_path / "run")
    folder = branch(run.folder, 4, {"steps": 6, **changes})
    after = finish(RunReader(folder).config, folder, resume=True)
    assert after.state == "finished" and after.steps["loss_scale"][0] == scale


@pytest.mark.gpu
@pytest.mark.parametrize("precision", ["tf32", "bf16", "fp16"])
def test_a_gpu_learns_in_each_precision(precision: str, tmp_path: Path) -> None:
    config = _half(tmp_path, precision=precision, steps=30)
    strategy = Single("cuda", build_scaler(config))
    task = LanguageModelling(config, tmp_path / "cache")
    for _ in train_steps(config, tmp_path / "run", task=task, parallel=strategy):
        pass
    run, plain = (
        RunReader(tmp_path / "run"),
        finish(_half(tmp_path, precision="fp32"), tmp_path / "plain"),
    )
    assert run.steps["loss"][0] == pytest.approx(losses(plain)[0], rel=2e-2)
    assert losses(run)[-1] < losses(run)[0]
    assert (run.steps["skipped"].sum() > 0) == (precision == "fp16")


def test_fp16_is_refused_where_nobody_scales_the_loss(tmp_path: Path) -> None:
    with pytest.raises(ValueError, match="fp16 needs a loss scaler"):
        next(train_steps(_half(tmp_path), tmp_path / "run", parallel=Single()))


@pytest.mark.parametrize("kind", ["ddp", "fsdp2"])
def test_ranks_skip_together(kind: str, tmp_path: Path) -> None:
    """Whichever rank's gradients overflow. Each adds up fewer rows in fp16 than one process does,
    so that they come by with a scale of up to twice as much.
    """
    changes = {"batch_size": 6, "sample_every": 0, "probe_every": 10, "ranks": 2, "parallel": kind}
    config = _half(tmp_path, **changes)
    run = train(config, tmp_path / "run")
    other = RunReader(tmp_path / "run", rank=1)
    for name in ("skipped", "applied", "loss_scale"):
        assert run.steps[name].tolist() == other.steps[name].tolist()
    alone = finish(config.change({"ranks": 1}), tmp_path / "alone")
    first, single = (one.steps["skipped"].tolist().index(0) for one in (run, alone))
    assert first in (single - 1, single) and first > 0
    told = [[e["where"] for e in one.events if e["event"] == "skip"] for one in (run, other)]
    assert told[0] == told[1] and "" not in told[0]
    assert [one.step for one in run.exponents] == [0, 10, 12] and other.exponents == []
    assert set(run.exponents[-1].histograms()) >= {"weights", "activations", "gradients"}
    for name, histogram in alone.exponents[0].histograms().items():
        found = run.exponents[0].histograms()[name]
        shares, theirs = (one.counts / one.total for one in (found, histogram))
        assert np.abs(shares - theirs).max() < 0.02, name
