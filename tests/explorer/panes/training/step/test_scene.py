"""What is read of a recorded step, where the cursor is in it, and what is said of it."""

from __future__ import annotations

import os
import shutil
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from core.tensor_files import read_tensors
from core.trace import Step
from core.training.lanes import lanes_of
from core.training.phases import TITLES
from core.training.reader import RunReader
from core.training.recorded_step import RecordedStep
from core.training.records import recording_folder
from explorer.panes.step_inspection import calculated
from explorer.panes.training.step import text
from explorer.panes.training.step.compute import Opened, Opener
from explorer.panes.training.step.inspector import inspection
from explorer.panes.training.step.scene import ALL, place_of
from explorer.runs.run_data import read
from tests.core.training.test_lanes import spans


def look(opener: Opener, run: Path, **choice: object) -> Opened | None:
    opener.choice = replace(opener.choice, **choice)
    reader = RunReader(run)
    return opener(reader, read(reader))


@pytest.fixture(scope="module")
def step(recorded: Path) -> RecordedStep:
    opened = look(Opener(), recorded)
    assert opened is not None and opened.step is not None
    return opened.step


def test_the_newest_recorded_step_is_opened_and_not_twice(recorded: Path) -> None:
    opener = Opener()
    opened = look(opener, recorded)
    assert opened is not None and opened.number == 4 and list(opened.ranks) == [0]
    assert look(opener, recorded) is opened
    first = look(opener, recorded, step=1, rank=7, parameter="ln_f.bias")
    assert first is not None and first.step is not None and first.number == 1
    assert first.step.parameter == "ln_f.bias" and first.rank == 0
    gone = look(opener, recorded, step=3)
    assert gone is not None and gone.number == 4, "one that is not there is the newest"


def test_a_rank_that_tells_late_is_there_and_a_recording_that_is_written_again_is_read(
    copied: Callable[[], Path],
) -> None:
    run, opener = copied(), Opener()
    before, place = look(opener, run), recording_folder(run, 4)
    for end in ("safetensors", "json"):
        shutil.copy(place / f"rank0.{end}", place / f"rank1.{end}")
    late = look(opener, run, rank=1)
    assert late is not None and list(late.ranks) == [0, 1] and late.rank == 1
    os.utime(place / "rank0.json", (1, 1))
    again = look(opener, run, rank=0)
    assert before is not None and again is not None
    assert again.ranks != before.ranks and again.step is not before.step
    (place / "rank0.safetensors").unlink()
    os.utime(place / "rank0.json", (2, 2))
    damaged = look(opener, run)
    assert damaged is not None and damaged.step is None and damaged.error
    shutil.copy(place / "rank1.safetensors", place / "rank0.safetensors")
    mended = look(opener, run)
    assert mended is not None and mended.step is not None, "what failed is tried again"


def test_the_cursor_has_a_phase_a_step_inside_and_a_time(step: RecordedStep) -> None:
    place = place_of(step, [0.5])
    assert (place.phase, place.inner, place.shown) == ("forward", None, 3.0)
    place = place_of(step, [1.0, 2.5])
    assert (place.phase, place.inner, place.shown) == ("forward", 3, 3.5)
    assert place.step.name == "training.forward.h.1"
    inside = [place_of(step, [1.0, part]).seconds for part in range(6)]
    whole = [place_of(step, [float(phase)]) for phase in range(len(step.phases))]
    assert [place.index for place in whole] == list(range(7)) and whole[0].shown == ALL
    times = [*inside, *(place.seconds for place in whole[2:])]
    assert times == sorted(times) and times[0] > 0 > whole[0].seconds
    bare = replace(step, trace=step.trace.__class__())
    for one in step.trace:
        bare.trace.append(replace(one, start=None, end=None))
    assert place_of(bare, [5.0]).seconds == 0


def test_what_is_said_of_each_phase(step: RecordedStep) -> None:
    def said(recorded: RecordedStep, *path: float) -> str:
        return text.headline(recorded, place_of(recorded, path))

    facts, phases = step.recording.facts, step.phases
    told = {name: said(step, float(phase)) for phase, name in enumerate(phases)}
    assert "Step 4 reads 4 sequences of 16 tokens" in told["data"]
    half = replace(step, config=step.config.change({"batch_size": 8}))
    assert "this rank reads 4 of the 8 sequences" in said(half, 0.0)
    assert told["loss"] == text.mean_loss(facts.loss) and "nats per token" in told["loss"]
    assert "to 0.25, " in told["clip"] and len(set(told.values())) == 7
    assert said(step, 1.0, 2.0).startswith("The output of block 0 has ")
    assert said(step, 3.0, 0.0).startswith("The gradient reaches the output head")
    unscale = replace(place_of(step, [3.0]), phase="unscale")
    assert text.headline(step, unscale).endswith("divided by the loss scale, 1")
    skipped = replace(step, recording=replace(step.recording, facts=replace(facts, skipped=1)))
    assert "was skipped" in said(skipped, 5.0)
    bare = replace(step, recording=replace(step.recording, arrays={}))
    assert said(bare, 5.0) == TITLES["optimizer"]
    assert said(bare, 0.0) == "Data: draw a batch of sequences" and said(bare, 1.0)
    assert "not finite" in text.mean_loss(float("nan")) and "not finite" in text.clip(np.inf, 1)
    assert text.clip(0.5, 1.0).endswith("stays as it is") and "does not clip" in text.clip(0.5, 0.0)


def test_exchanges_are_told_with_their_waits(step: RecordedStep) -> None:
    quick = spans(
        ("forward", 0, 2, 0),
        ("backward", 2, 4, 0),
        ("all-reduce", 3, 3.5, 800),
        ("all-reduce", 3.25, 4, 400),
    )
    slow = quick.copy()
    slow["start"] += 0.25
    shared = replace(step, lane=lanes_of([quick, slow])[0])
    assert text.exchange_rows(shared.exchanges) == [
        "all-reduce: 800 B in 250 ms, after waiting 250 ms",
        "all-reduce: 400 B in 500 ms, after waiting 250 ms",
    ]
    assert "2 exchanges" in text.headline(shared, place_of(shared, [3.0]))


@pytest.mark.parametrize("parameter", ["h.1.mlp.c_proj.weight", "wte.weight", "ln_f.bias"])
def test_a_weight_is_named_by_its_place_in_the_model(recorded: Path, parameter: str) -> None:
    """The checkpoint after the step has the weight that the rule computes at this place."""
    opened = look(Opener(), recorded, step=4, parameter=parameter)
    assert opened is not None and opened.step is not None
    found, run = opened.step, RunReader(recorded)
    saved = read_tensors(run.checkpoints[-1].folder / "model.safetensors")[parameter]
    after = found.recording.arrays[f"weights.{parameter}.after"]
    places = [found.place_of_weight(weight) for weight in range(len(after))]
    assert len(set(places)) == len(after) and all(len(one) == saved.ndim for one in places)
    np.testing.assert_array_equal(after, [saved[place] for place in places])
    assert found.place_of_weight(len(after)) == ()
    old = {name: one for name, one in found.recording.arrays.items() if "places." not in name}
    older = replace(found, recording=replace(found.recording, arrays=old))
    assert older.place_of_weight(0) == () and "weight 1 of" in text.weight_name(older, 0)


def test_the_panel_of_one_weight_has_its_numbers_in_every_line_of_the_rule(
    recorded: Path, step: RecordedStep
) -> None:
    numbers = read(RunReader(recorded)).numbers
    place = place_of(step, [5.0])
    assert place.phase == "optimizer" and place.inner is None
    lines = step.steps("optimizer")
    panels = [inspection(step, place, numbers, weight) for weight in (0, 5)]
    for weight, shown in zip((0, 5), panels, strict=True):
        rows = [row if isinstance(row, str) else row.text for row in shown.rows]
        assert rows[0] == text.weight_name(step, weight) and "row" in rows[0]
        for line in lines:
            (row,) = calculated(line, _cell(line, step, weight))
            assert any(one.endswith(row.text) for one in rows)
        assert shown.step is lines[-1] and "optimizer.step()" not in shown.step.code
    assert panels[0].rows != panels[1].rows


def _cell(line: Step, step: RecordedStep, weight: int) -> int | None:
    return weight if line.value(next(iter(line.values))).size == len(step.kept) else None


def test_a_part_is_told_with_its_gradients(step: RecordedStep) -> None:
    forward, backward = step.parts("forward")[3], step.parts("backward")[2]
    rows = text.part_rows(forward)
    assert rows[0] == "4 × 16 × 16 numbers, float32, 4.10 kB" and len(rows) == 3
    rows = text.part_rows(backward)
    assert sum(row.startswith("|gradient of ") for row in rows) == 12
