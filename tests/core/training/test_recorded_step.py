"""A recorded step, opened: what it says of its parts, its text, its weights and its times."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from core.trace import Trace
from core.training.lanes import lanes_of
from core.training.recorded_step import RecordedStep, open_recorded_step
from core.training.spans import KINDS
from tests.core.training.small import finish, small_config
from tests.core.training.test_lanes import spans

QUIET = {"sample_every": 0, "probe_every": 0, "evaluate_every": 0, "checkpoint_every": 0}


@pytest.fixture(scope="module")
def step(tmp_path_factory: pytest.TempPathFactory) -> RecordedStep:
    folder = tmp_path_factory.mktemp("recorded")
    config = small_config(folder, steps=4, clip=0.25, **QUIET)
    finish(config, folder / "run")
    return open_recorded_step(folder / "run", 4, config)


def test_a_step_is_opened_with_a_matrix_of_a_block_unless_another_is_asked_for(
    tmp_path: Path,
) -> None:
    config = small_config(tmp_path, steps=1, micro_batches=2, **QUIET)
    finish(config, tmp_path / "run")
    step = open_recorded_step(tmp_path / "run", 1, config, parameter="nothing")
    assert step.parameter == "h.0.attn.c_attn.weight"
    assert open_recorded_step(tmp_path / "run", 1, config, 0, "ln_f.bias").kept.shape == (16,)
    (tmp_path / "run" / "rank0.spans").unlink()
    bare = open_recorded_step(tmp_path / "run", 1, config)
    assert bare.lane is None and not len(bare.exchanges) and bare.trace[0].start is None


def test_parts_come_in_the_order_in_which_they_ran(step: RecordedStep) -> None:
    forward, backward = step.parts("forward"), step.parts("backward")
    names = ["embedding", "positions", "block 0", "block 1", "final norm", "head"]
    assert [part.label for part in forward] == names
    assert [part.label for part in backward][:4] == ["head", "final norm", "block 1", "block 0"]
    assert step.parts("unscale") == backward and step.parts("clip") == ()
    came = [part.came for part in backward]
    assert came == sorted(came) and came[0] >= 0
    assert forward[3].sizes.shape == (4, 16) and forward[3].output.shape == (4, 16, 16)
    size = np.sqrt(np.square(forward[3].output).mean())
    assert forward[3].size == pytest.approx(size, rel=1e-5) and not backward[2].output.size
    assert {len(part.norms) for part in backward if "block" in part.label} == {12}
    assert sum(len(part.norms) for part in backward) == len(step.recording.facts.parameters)
    told = step.recording.facts.parameters["h.1.ln_1.bias"].gradient
    assert backward[2].norms["ln_1.bias"] == told


def test_the_squares_of_all_parts_make_the_gradient_s_length(step: RecordedStep) -> None:
    assert sum(share for _, share in step.gradient_shares) == pytest.approx(1)
    squares = [n**2 for part in step.parts("backward") for n in part.norms.values()]
    assert sum(squares) ** 0.5 == pytest.approx(step.recording.facts.grad_norm, rel=1e-4)
    label, largest = step.gradient_shares[0]
    assert largest == max(share for _, share in step.gradient_shares)
    part = next(part for part in step.parts("backward") if part.label == label)
    assert largest == pytest.approx(sum(n**2 for n in part.norms.values()) / sum(squares))


def test_the_rows_of_the_optimizer_lead_from_the_weight_to_the_weight(step: RecordedStep) -> None:
    assert [row.name for row in step.rows][:2] == ["param", "grad"]
    assert step.rows[-1].name == "new"
    lines = [row.line for row in step.rows if row.line >= 0]
    assert lines == list(range(len(step.steps("optimizer"))))
    np.testing.assert_array_equal(step.rows[0].values, step.kept)
    after = step.recording.arrays[f"weights.{step.parameter}.after"]
    np.testing.assert_allclose(step.rows[-1].values, after, rtol=1e-4, atol=1e-7)
    names = [row.name for row in replace(step, trace=Trace().finish()).rows]
    assert names[:2] == ["param", "grad"] and names[-1] == "new", "a rule without lines"
    assert {"exp_avg.before", "exp_avg.after"} < set(names)
    first, counts = step.updates
    assert counts[0] and counts[-1] and first >= -40
    assert counts.sum() == step.recording.arrays["updates"].sum()


def test_every_phase_has_its_time_in_the_step(step: RecordedStep) -> None:
    phases = [step.trace[at] for at in step.trace.children()]
    assert [phase.name.partition(".")[2] for phase in phases] == step.phases
    times = [time for phase in phases for time in (phase.start, phase.end)]
    assert None not in times and times == sorted(times)
    assert {phase.lane for phase in step.trace} == {"rank 0"}
    for name in ("forward", "backward"):
        phase = phases[step.phases.index(name)]
        for inner in step.steps(name):
            assert phase.start <= inner.start <= inner.end <= phase.end
    seconds, kept = step.memory
    assert kept.max() > 0 and kept[-1] == 0 and seconds[0] >= 0


def test_exchanges_stand_beside_backward(step: RecordedStep) -> None:
    assert not len(step.exchanges)
    quick = spans(
        ("forward", 0, 2, 0),
        ("all-gather", 0.5, 1, 800),
        ("backward", 2, 4, 0),
        ("sum", 2.5, 2.6, 8),
        ("all-reduce", 3, 3.5, 800),
        ("all-reduce", 3.25, 4, 400),
    )
    slow = quick.copy()
    slow["start"] += 0.25
    first, second = replace(step, lane=lanes_of([quick, slow])[0]).exchanges
    assert KINDS[first["kind"]] == "all-reduce" and (first["index"], second["index"]) == (0, 1)
    assert [first[name] for name in ("start", "ready", "end")] == pytest.approx([1, 1.25, 1.5])
    assert second["bytes"] == 400


def test_the_token_that_came_stands_among_the_likeliest(step: RecordedStep) -> None:
    for place in range(16):
        found = step.likeliest(1, place)
        shares = [share for _, share, _ in found]
        assert shares[:5] == sorted(shares[:5], reverse=True) and len(found) in (5, 6)
        (came,) = [(id, share) for id, share, there in found if there]
        assert came[0] == step.batch("targets")[1, place]
        assert came[1] == pytest.approx(np.exp(-step.batch("losses")[1, place]), rel=1e-4)
    assert all(len(piece) == 1 for piece in step.pieces.values())
    bare = replace(step, recording=replace(step.recording, arrays={}))
    assert bare.likeliest(1, 0) == [] and not bare.batch("ids").size and not bare.pieces
