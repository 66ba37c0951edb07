"""Batches that are drawn again are those that the loop has learned from."""

import os
from pathlib import Path

import numpy as np
import pytest

from core.training.language_modelling import LanguageModelling
from core.training.loop import train_steps
from core.training.reader import RunReader
from core.training.rereading import RunBatches
from tests.core.training.small import TEXT, small_config


class Remembering(LanguageModelling):
    """Keeps what the loop gets."""

    def __init__(self, *arguments) -> None:
        super().__init__(*arguments)
        self.seen: dict[tuple[int, int], list[np.ndarray]] = {}

    def batches(self, split, position):
        batch = super().batches(split, position)
        key = (position.step + 1, position.micro_batch)
        self.seen[key] = [tensor.numpy().copy() for tensor in batch]
        return batch


def opened(folder: Path, cache: Path) -> RunBatches:
    batches = RunBatches(folder, cache)
    for _ in batches.open_steps():
        pass
    return batches


@pytest.mark.parametrize("changes", [{}, {"repeated_fraction": 0.5, "micro_batches": 2}])
def test_a_step_records_how_many_targets_its_loss_is_the_mean_over(tmp_path, changes):
    """Of random ids that repeat the first time round is not to be predicted."""
    config, cache = small_config(tmp_path, **changes), tmp_path / "cache"
    task = Remembering(config, cache)
    for _ in train_steps(config, tmp_path / "run", task=task):
        pass
    recorded = RunReader(tmp_path / "run").steps
    for row in recorded:
        micro = range(config.micro_batches)
        counted = sum(int((task.seen[int(row["step"]), at][1] >= 0).sum()) for at in micro)
        assert row["targets"] == counted
    assert (recorded["tokens"] == config.tokens_per_step).all()
    assert (recorded["targets"] < recorded["tokens"]).any() == bool(changes)


@pytest.mark.parametrize("steps", [3, 12])  # before and after the first checkpoint
@pytest.mark.parametrize("changes", [{}, {"repeated_fraction": 0.5, "micro_batches": 2}])
def test_a_step_is_seen_with_the_batch_that_it_learned_from(tmp_path, steps, changes):
    config, cache = small_config(tmp_path, **changes), tmp_path / "cache"
    task = Remembering(config, cache)
    moments = train_steps(config, tmp_path / "run", task=task)
    for moment in moments:
        if moment.phase == "schedule" and moment.step == steps:
            break
    batches = opened(tmp_path / "run", cache)
    moments.close()
    assert len(task.seen) == steps * config.micro_batches
    for (step, micro_batch), (ids, targets) in task.seen.items():
        found = batches.read(step, micro_batch)
        np.testing.assert_array_equal(found.ids, ids)
        np.testing.assert_array_equal(found.targets, targets)
    text = b"".join(found.pieces[id] for id in found.ids[0].tolist()).decode()
    assert changes or text in TEXT


def test_a_text_that_was_changed_or_is_gone_is_not_taken_for_what_was_read(tmp_path):
    config = small_config(tmp_path)
    folder = tmp_path / "run"
    for _ in train_steps(config, folder, task=LanguageModelling(config, tmp_path / "cache")):
        pass
    then = Path(config.corpus).stat().st_mtime
    for moved in (10, -10):  # written later, or an older file put in its place
        os.utime(config.corpus, (then + moved, then + moved))
        with pytest.raises(ValueError, match="put the old text back"):
            opened(folder, tmp_path / "cache")
    Path(config.corpus).unlink()
    with pytest.raises(ValueError, match="put it back"):
        opened(folder, tmp_path / "cache")
