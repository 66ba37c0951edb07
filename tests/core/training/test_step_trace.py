"""A recorded step as a Trace: its lines left its values, and it is read from any folder."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pytest

from core.optimization.optimizers import OPTIMIZERS
from core.tensor_files import read_tensors, write_tensors
from core.training.records import recording_folder
from core.training.step_trace import (
    open_recording,
    optimizer_trace,
    parameters_of,
    recorded_ranks,
    recorded_steps,
    step_trace,
)
from tests.core.test_trace import MarkedLines
from tests.core.training.small import finish, small_config

QUIET = {"sample_every": 0, "probe_every": 0, "evaluate_every": 0, "checkpoint_every": 0}


def test_the_marked_lines_left_the_values(tmp_path: Path) -> None:
    config = small_config(tmp_path, steps=2, **QUIET)
    with MarkedLines() as watched:
        finish(config, tmp_path / "run")
    assert recorded_steps(tmp_path / "run") == [1, 2]
    trace = step_trace(open_recording(tmp_path / "run", 2), config)
    with_values = [step for step in trace if step.values]
    assert len(with_values) == 10  # seven phases, two blocks, the head
    for step in with_values:
        watched.left(step)
    names = [step.name for step in trace]
    assert names[:2] == ["training.data", "training.forward"]
    inside = [step for step in trace if step.parent is not None]
    assert [s.name for s in inside if s.parent == 1][-4:] == [
        "training.forward.h.0",
        "training.forward.h.1",
        "training.forward.ln_f",
        "training.forward.lm_head",
    ]
    assert trace[names.index("training.forward.h.1")].values["x"].shape == (4, 16, 16)
    back = [s.name for s in inside if names[s.parent or 0] == "training.backward"]
    assert back[:4] == [f"training.backward.{part}" for part in ("lm_head", "ln_f", "h.1", "h.0")]
    assert all(step.start is not None and step.lane == "rank 0" for step in inside)


@pytest.mark.parametrize("name", OPTIMIZERS)
def test_the_rule_takes_the_kept_weights_where_the_run_took_them(tmp_path: Path, name: str) -> None:
    config = small_config(tmp_path, steps=3, optimizer=name, **QUIET)
    run = finish(config, tmp_path / "run")
    recording = open_recording(run.folder, 3)
    names = parameters_of(recording)
    assert len(names) == len(recording.facts.parameters) > 10
    assert names[0] == "wte.weight" and names[-1].startswith("ln_f."), "the model's order"
    assert list(recorded_ranks(run.folder, 3)) == [0] and not recorded_ranks(run.folder, 2)
    for parameter in ("wte.weight", "h.1.ln_2.bias", "h.0.attn.c_attn.weight"):
        trace = optimizer_trace(recording, config, parameter)
        if OPTIMIZERS[name].matrices_only:
            assert trace is None
            continue
        assert trace is not None
        after = recording.arrays[f"weights.{parameter}.after"]
        moved = np.abs(after - recording.arrays[f"weights.{parameter}.before"]).max()
        np.testing.assert_allclose(trace.about["new"], after, atol=1e-3 * moved + 1e-7)
    if not OPTIMIZERS[name].matrices_only:
        with pytest.raises(ValueError, match="no numbers of 'other'; choose another parameter"):
            optimizer_trace(recording, config, "other")


def test_the_lines_of_the_rule_are_inside_the_optimizer(tmp_path: Path) -> None:
    config = small_config(tmp_path, steps=2, **QUIET)
    finish(config, tmp_path / "run")
    recording = open_recording(tmp_path / "run", 2)
    trace = step_trace(recording, config, parameter="wte.weight")
    phases = [trace[index].name for index in trace.children()]
    assert phases == [step.name for step in step_trace(recording, config) if step.parent is None]
    optimizer = trace.children()[phases.index("training.optimizer")]
    rule = optimizer_trace(recording, config, "wte.weight")
    assert rule is not None
    assert [trace[at].name for at in trace.children(optimizer)] == [step.name for step in rule]


@pytest.mark.parametrize(
    "damage",
    [
        "[]",
        '{"format": 1}',
        '{"format": 99, "step": 1, "loss": 1, "learning_rate": 1, "grad_norm": 1}',
        '{"step": 1, "loss": 1, "learning_rate": 1, "grad_norm": 1, "events": [1]}',
    ],
)
def test_a_damaged_recording_is_refused(tmp_path: Path, damage: str) -> None:
    folder = recording_folder(tmp_path, 1)
    folder.mkdir(parents=True)
    (folder / "rank0.json").write_text(damage)
    assert recorded_steps(tmp_path) == [1]
    with pytest.raises(ValueError):
        open_recording(tmp_path, 1)
    facts = {"format": 1, "step": 1, "loss": 1, "learning_rate": 1, "grad_norm": 1}
    (folder / "rank0.json").write_text(json.dumps(facts))
    (folder / "rank0.safetensors").write_bytes(b"1234")
    with pytest.raises(ValueError):
        open_recording(tmp_path, 1)
    assert recorded_steps(tmp_path / "none") == []


def test_arrays_that_do_not_fit_are_refused(tmp_path: Path) -> None:
    run = tmp_path / "run"
    finish(small_config(tmp_path, steps=1, **QUIET), run)
    path = recording_folder(run, 1) / "rank0.safetensors"
    arrays = read_tensors(path)
    for name, shape in {
        "batch.0.losses": (4, 15),
        "batch.0.ids": (4,),
        "batch.0.probabilities": (4, 16, 4),
        "batch.0.piece_ends": (1,),
        "weights.wte.weight.gradient": (63,),
        "weights.wte.weight.exp_avg.after": (64, 1),
        "memory.bytes": (3,),
        "updates": (1, 49),
    }.items():
        write_tensors(path, {**arrays, name: np.zeros(shape, arrays[name].dtype)})
        with pytest.raises(ValueError, match="does not fit its other arrays; record a step anew"):
            open_recording(run, 1)
    write_tensors(path, arrays)
    assert open_recording(run, 1).micro_batches == 1
