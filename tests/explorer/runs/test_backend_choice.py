"""Where a run trains: a person's choice, else by how long its steps take."""

from __future__ import annotations

from dataclasses import replace

import pytest

from core.training import RunReader, new_run_folder
from core.training.writer import RunWriter
from explorer.runs.backend_choice import SLOW_STEP, backend_for, seconds_per_step
from explorer.runs.live import Runs
from tests.explorer.demo import tiny_training


def recorded(parent, name, seconds, origin=None):
    """A run that took so long for its steps."""
    folder = new_run_folder(parent, name, tiny_training(), origin)
    writer = RunWriter(folder)
    for step, took in enumerate(seconds, start=1):
        writer.step({"step": step, "loss": 1.0, "seconds": took})
    writer.close()
    return folder


@pytest.mark.parametrize(
    ("seconds", "chosen", "backend"),
    [
        (SLOW_STEP / 2, "auto", "thread"),
        (SLOW_STEP * 2, "auto", "process"),
        (SLOW_STEP * 2, "thread", "thread"),
        (SLOW_STEP / 2, "process", "process"),
    ],
)
def test_long_steps_go_to_a_process_unless_a_person_has_chosen(seconds, chosen, backend):
    assert backend_for(seconds, chosen) == backend


def test_a_run_takes_as_long_as_its_last_steps_took(tmp_path):
    slow = recorded(tmp_path, "slow", [0.4, 9.0, 0.5, 0.6, 0.5])
    assert seconds_per_step(RunReader(slow)) == 0.5
    branch = recorded(tmp_path, "branch", [], {"run": str(slow), "step": 5})
    assert seconds_per_step(RunReader(branch)) == 0.5
    grown = recorded(tmp_path, "grown", [0.1], {"run": str(slow), "step": 5})
    assert seconds_per_step(RunReader(grown)) == 0.1


def test_before_its_first_step_it_is_estimated(tmp_path):
    small = recorded(tmp_path, "small", [])
    orphan = recorded(tmp_path, "orphan", [], {"run": str(tmp_path / "gone"), "step": 5})
    config = tiny_training(batch_size=64, micro_batches=8)
    config = config.change({"model": replace(config.model, n_layer=12, n_embd=768, n_head=12)})
    large = new_run_folder(tmp_path, "large", config)
    assert 0 < seconds_per_step(RunReader(small)) < SLOW_STEP < seconds_per_step(RunReader(large))
    assert seconds_per_step(RunReader(orphan)) == seconds_per_step(RunReader(small))


def test_a_run_that_goes_on_is_placed_by_what_its_folder_tells(engine, tmp_path, run_async):
    slow, quick = recorded(tmp_path, "slow", [0.5]), recorded(tmp_path, "quick", [0.01])

    async def body():
        runs = Runs(engine, tmp_path)
        placed = [await runs.place(slow), await runs.place(quick), await runs.place(slow, "thread")]
        with pytest.raises(ValueError, match="holds no run"):
            await runs.place(tmp_path)
        return placed

    assert run_async(body()) == ["process", "thread", "thread"]
