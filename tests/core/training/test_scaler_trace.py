"""A change of the loss scale as a Trace: the steps that changed it, and what is told of them."""

from __future__ import annotations

import numpy as np
import pytest

from core.substitution import arithmetic
from core.training.config import TrainingConfig
from core.training.records import STEP_DTYPE
from core.training.scaler import LossScaler, scale_text
from core.training.scaler_trace import scale_changes, trace_scale_change
from core.transformer.config import ModelConfig

MODEL = ModelConfig(vocab_size=1, block_size=16, n_layer=2, n_head=2, n_embd=16)
CONFIG = TrainingConfig(model=MODEL, precision="fp16", loss_scale_growth_interval=20)


def record(scale: float, skipped: int) -> dict[str, float]:
    told = {"step": 46, "loss": 2.5, "learning_rate": 3e-4}
    return {**told, "loss_scale": scale, "skipped": skipped}


def test_the_steps_that_changed_the_scale_are_those_after_which_the_scaler_has_another() -> None:
    rng = np.random.default_rng(0)
    scaler, changed = LossScaler(2.0**20, growth_interval=5), []
    steps = np.zeros(200, STEP_DTYPE)
    for at, row in enumerate(steps):
        row["loss_scale"], row["skipped"] = scaler.loss_scale, rng.random() < 0.1
        scaler.stepped(not row["skipped"])
        if scaler.loss_scale != row["loss_scale"] and at < len(steps) - 1:
            changed.append(at)
    assert len(changed) > 20
    assert scale_changes(steps[:-1])[: len(changed) - 1].tolist() == changed[:-1]
    assert scale_changes(steps[:0]).tolist() == []


def test_records_that_no_scaler_made_tell_of_no_change() -> None:
    older = np.zeros(3, [("step", "<i8"), ("loss", "<f8")])
    assert not len(scale_changes(older))
    damaged = np.zeros(4, STEP_DTYPE)
    damaged["loss_scale"], damaged["skipped"] = [np.nan, 0.0, np.inf, 4.0], 1
    assert scale_changes(damaged).tolist() == [3]


def test_a_skipped_step_halves_the_scale() -> None:
    trace = trace_scale_change(CONFIG, record(2.0**18, 1), "the gradient of wte.weight")
    assert [step.name for step in trace] == [
        *("training.scale", "training.unscale", "training.optimizer", "scaler.shrink")
    ]
    titles = [step.title for step in trace]
    assert titles[0] == "Scaled: the loss of step 46 is multiplied by 2\u00b9\u2078 = 262,144"
    assert titles[1] == "Unscaled: the gradient of wte.weight overflowed"
    assert titles[3] == "Halved: step 47 tries 2\u00b9\u2077 = 131,072"
    assert arithmetic(trace[0]).result == "655,360"
    assert arithmetic(trace[3]).expression == "262,144 \u00d7 0.5"
    assert dict(trace.about) == {"step": 46, "scale": 2.0**18, "next": 2.0**17}


def test_enough_steps_without_an_overflow_double_it() -> None:
    trace = trace_scale_change(CONFIG, record(2.0**17, 0))
    assert [step.name for step in trace][2:] == [
        *("training.optimizer", "scaler.count", "scaler.grow")
    ]
    assert trace[1].title.endswith("every gradient is finite")
    assert trace[3].title.startswith("Counted: 20 steps in a row")
    assert arithmetic(trace[3]).result == "20" and arithmetic(trace[4]).result == "262,144"
    assert trace.about["next"] == 2.0**18


def test_at_its_floor_it_is_halved_no_further() -> None:
    last = trace_scale_change(CONFIG, record(1.0, 1))[3]
    assert last.title == "Halved, but never below 1: step 47 tries 1"


@pytest.mark.parametrize(
    ("scale", "told"), [(1.0, "1"), (1024.0, "2\u00b9\u2070 = 1,024"), (1000.0, "1,000")]
)
def test_a_scale_is_told_as_a_power_of_two_where_it_is_one(scale: float, told: str) -> None:
    assert scale_text(scale) == told
