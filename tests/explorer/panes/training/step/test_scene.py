"""What stands in the pictures of a recorded step, and what is said of it."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from core.training.lanes import lanes_of
from explorer.panes.training.step import text
from explorer.panes.training.step.compute import Choice, Reading
from explorer.panes.training.step.scene import Scene
from tests.core.training.test_lanes import spans


@pytest.fixture
def scene(recorded: Path) -> Scene:
    seen = Reading(recorded).read(Choice())
    assert seen is not None and seen.scene is not None
    return seen.scene


def test_the_newest_recorded_step_is_read_and_not_twice(recorded: Path) -> None:
    reading = Reading(recorded)
    seen = reading.read(Choice())
    assert seen is not None and seen.steps == (1, 4) and seen.step == 4 and not seen.active
    assert reading.read(Choice(), seen) is None
    first = reading.read(Choice(step=1, rank=7, parameter="ln_f.bias"), seen)
    assert first is not None and first.step == 1 and first.scene is not None
    assert first.scene.parameter == "ln_f.bias" and first.scene.recording.facts.rank == 0
    gone = reading.read(Choice(step=3), seen)
    assert gone is not None and gone.step == 4, "one that is not there is the newest"


def test_parts_come_in_the_order_in_which_they_happened(scene: Scene) -> None:
    forward = [part.label for part in scene.forward]
    assert forward == ["embedding", "positions", "block 0", "block 1", "final norm", "head"]
    assert [part.label for part in scene.backward][:4] == [
        "head",
        "final norm",
        "block 1",
        "block 0",
    ]
    came = [part.came for part in scene.backward]
    assert came == sorted(came) and came[0] >= 0
    assert all(part.sizes.shape == (16,) for part in scene.forward)
    assert {len(part.norms) for part in scene.backward if "block" in part.label} == {12}
    named = {name for part in scene.backward for name, _ in part.norms}
    assert named == set(scene.recording.facts.parameters)
    assert sum(share for _, share in scene.clip_shares) == pytest.approx(1)
    assert scene.clip_shares[0][1] == max(share for _, share in scene.clip_shares)


def test_the_rows_of_the_optimizer_lead_from_the_weight_to_the_weight(scene: Scene) -> None:
    names = [row.name for row in scene.rows]
    assert names[:2] == ["param", "grad"] and names[-1] == "new"
    assert [row.place for row in scene.rows if row.place >= 0] == list(range(len(scene.lines)))
    np.testing.assert_array_equal(scene.rows[0].values, scene.kept)
    after = scene.recording.arrays[f"weights.{scene.parameter}.after"]
    np.testing.assert_allclose(scene.rows[-1].values, after, rtol=1e-4, atol=1e-7)
    first, counts = scene.updates
    assert counts[0] and counts[-1] and first >= -40
    assert counts.sum() == scene.recording.arrays["updates"].sum()
    without = replace(scene, trace=scene.trace.__class__().finish())
    assert [row.name for row in without.rows][:2] == ["param", "grad"]
    assert "new" in [row.name for row in without.rows], "of a rule without lines"


def test_memory_rises_and_falls_and_the_cursor_has_a_time_in_it(scene: Scene) -> None:
    seconds, kept = scene.memory
    assert kept.max() > 0 and kept[-1] == 0 and seconds[0] >= 0
    phases = scene.phases
    inside = [scene.moment(phases.index("forward"), part) for part in range(6)]
    times = [scene.moment(phases.index("data"), None), *inside]
    times += [scene.moment(at, None) for at in range(phases.index("loss"), len(phases))]
    assert times == sorted(times) and times[0] == 0 and times[-1] > 0


def test_exchanges_stand_beside_backward(scene: Scene) -> None:
    assert scene.exchanges == ()
    quick = spans(
        ("forward", 0, 2, 0),
        ("backward", 2, 4, 0),
        ("sum", 2.5, 2.6, 8),
        ("all-reduce", 3, 3.5, 800),
        ("all-reduce", 3.25, 4, 400),
    )
    slow = quick.copy()
    slow["start"] += 0.25
    shared = replace(scene, lane=lanes_of([quick, slow])[0])
    first, second = shared.exchanges
    assert (first.label, first.start, first.ready, first.end) == ("all-reduce 1", 1, 1.25, 1.5)
    assert (second.label, second.bytes) == ("all-reduce 2", 400)
    said = text.exchange_row(first)
    assert said == "all-reduce 1: 800 B in 250 ms, after waiting 250 ms"
    assert "2 exchanges" in text.headline(shared, "backward", None)


def test_what_is_said_of_each_phase(scene: Scene) -> None:
    facts = scene.recording.facts
    said = {phase: text.headline(scene, phase, None) for phase in (*scene.phases, "unscale")}
    assert said["data"] == "Step 4 reads 4 sequences of 16 tokens; each predicts the next one"
    assert said["loss"] == text.mean_loss(facts.loss) and "nats per token" in said["loss"]
    assert "shortened to 0.25" in said["clip"] and len(set(said.values())) == 8
    assert text.headline(scene, "forward", 2).startswith("RMS at the output of block 0: ")
    assert text.headline(scene, "backward", 0).startswith("The gradient reaches the head")
    skipped = replace(scene.recording, facts=replace(facts, skipped=1))
    assert "was skipped" in text.headline(replace(scene, recording=skipped), "optimizer", None)
    bare = replace(scene, recording=replace(scene.recording, arrays={}))
    assert text.headline(bare, "optimizer", None) == "Step 4 moves every weight a little"
    assert text.headline(bare, "data", None) and text.headline(bare, "forward", 0)
    assert "not finite" in text.mean_loss(float("nan")) and "not finite" in text.clip(np.inf, 1)
    assert text.clip(0.5, 1.0).endswith("unchanged") and "does not clip" in text.clip(0.5, 0.0)


def test_the_token_that_came_stands_among_the_likeliest(scene: Scene) -> None:
    for place in range(16):
        found = scene.likeliest(1, place)
        shares = [share for _, share, _ in found]
        assert shares[:5] == sorted(shares[:5], reverse=True) and len(found) in (5, 6)
        (came,) = [(id, share) for id, share, there in found if there]
        assert came[0] == scene.batch("targets")[1, place]
        assert came[1] == pytest.approx(np.exp(-scene.batch("losses")[1, place]), rel=1e-4)
    assert scene.piece(10**6) == b"1000000" and scene.piece(-100).decode() == "–"
    assert len(scene.piece(int(scene.batch("ids")[0, 0]))) == 1


def test_dtypes_are_told_once_for_all_layers_of_a_kind(scene: Scene) -> None:
    event = scene.recording.parts("forward")[2]
    rows = text.part_rows(scene, event, 0.5)
    told = [row for row in rows if row.startswith("float32 throughout: ln_1, attn.c_attn")]
    assert len(told) == 1 and text.power(-12) == "2⁻¹²"
    layers = tuple(replace(layer, output="bfloat16") for layer in scene.recording.facts.layers)
    half = replace(scene.recording, facts=replace(scene.recording.facts, layers=layers))
    rows = text.part_rows(replace(scene, recording=half), event, 0.5)
    assert "float32 input, float32 weight, bfloat16 output, float32 gradient" in rows[-1]
