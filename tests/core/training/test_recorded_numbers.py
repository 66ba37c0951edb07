"""The numbers of a recorded step, by part of the model and by kind."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from core.tensor_files import read_tensors, write_tensors
from core.training import records
from core.training.recorded_numbers import RecordedNumbers, part_of, recorded_numbers
from tests.core.training.small import finish, small_config

STEP = 12


@pytest.fixture(scope="module")
def run(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("recorded")
    return finish(small_config(folder), folder / "run").folder


def test_each_part_has_its_numbers_of_each_kind(run: Path) -> None:
    found = recorded_numbers(run, STEP)
    assert found.step == STEP and {"wte", "h.0", "h.1", "ln_f"} <= set(found.parts)
    kinds = found.parts["h.1"]
    assert set(kinds) == {"weights", "activations", "gradients", "updates"}
    assert len(kinds["activations"]) > len(kinds["weights"]) == len(kinds["updates"]) > 0
    weights, updates = found.all("weights"), found.all("updates")
    assert len(weights) == len(updates) > 500 and np.any(updates)
    assert len(RecordedNumbers().all("weights")) == 0


def test_an_update_is_what_the_step_did_to_the_weight(run: Path) -> None:
    arrays = read_tensors(records.recording_folder(run, STEP) / "rank0.safetensors")
    name = "h.1.attn.c_proj.weight"
    before, after = (arrays[f"weights.{name}.{when}"] for when in ("before", "after"))
    kinds = recorded_numbers(run, STEP).parts["h.1"]
    place = np.flatnonzero(kinds["weights"] == before[0])[0]
    np.testing.assert_array_equal(kinds["updates"][place : place + len(before)], after - before)


def test_of_a_skipped_step_there_are_activations_alone(run: Path) -> None:
    path = records.recording_folder(run, STEP) / "rank0.safetensors"
    whole = read_tensors(path)
    kept = {name: array for name, array in whole.items() if not name.endswith(".after")}
    write_tensors(path, kept)
    try:
        found = recorded_numbers(run, STEP)
    finally:
        write_tensors(path, whole)
    assert {kind for kinds in found.parts.values() for kind in kinds} == {"activations"}


def test_what_was_not_recorded_is_refused(run: Path) -> None:
    with pytest.raises((ValueError, OSError)):
        recorded_numbers(run, 999)


def test_a_parameter_belongs_to_a_block_or_to_what_is_named_first() -> None:
    names = ("h.0.attn.c_proj.weight", "wte.weight", "ln_f.bias", "lm_head.weight")
    assert [part_of(name) for name in names] == ["h.0", "wte", "ln_f", "lm_head"]
