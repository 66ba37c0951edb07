"""Runs of fine-tuning: what learns, what is saved, and that it goes on exactly."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch

import core
from core.data.batches import NO_TOKEN
from core.finetuning.adapter import adapters_of
from core.finetuning.examples import ExampleBatches, StoryQuestions, answered, padded
from core.finetuning.program import finetune_steps, program_of
from core.finetuning.settings import METHODS, FinetuningSettings, finetuning_config
from core.finetuning.task import Finetuning
from core.tensor_files import read_tensors
from core.training.task import Position
from core.transformer.architectures import gpt_of
from tests.core.finetuning.small import small_base, small_tuning, tune
from tests.core.training.small import fingerprint, losses


@pytest.fixture(scope="module")
def base(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return small_base(tmp_path_factory.mktemp("base"))


def _config(base: Path, method: str, **changes: Any) -> Any:
    return small_tuning(base, settings={"method": method}, learning_rate=1e-2, **changes)


@pytest.mark.parametrize("method", METHODS)
def test_a_run_learns_and_leaves_its_base_alone(base: Path, tmp_path: Path, method: str) -> None:
    before = fingerprint(base)
    run = tune(_config(base, method), tmp_path / "run")
    assert run.state == "finished" and run.evaluations["step"].tolist() == [0, 6, 12]
    assert run.evaluations["train"][-1] < run.evaluations["train"][0]
    assert fingerprint(base) == before


def test_a_checkpoint_holds_what_learned_alone(base: Path, tmp_path: Path) -> None:
    folder = tune(_config(base, "lora"), tmp_path / "run").checkpoints[-1].folder
    saved = read_tensors(folder / "model.safetensors", framework="torch")
    assert sorted({name.rpartition(".")[2] for name in saved}) == ["A", "B"]
    lm, under = core.load(folder), core.load(base)
    (adapter,) = adapters_of(lm.model)
    assert sum(one.numel() for one in adapter.parameters()) == sum(
        one.numel() for one in saved.values()
    )
    assert lm.tokenizer.vocabulary == under.tokenizer.vocabulary and lm.name == folder.name
    ids = torch.tensor([[1, 2, 3, 4]])
    with torch.no_grad():
        learned = lm.model(ids)
        plain = under.model(ids)
        assert not torch.equal(learned, plain)
        adapter.scale = 0.0
        assert torch.equal(lm.model(ids), plain)
    adapter.remove()
    for name, parameter in under.model.named_parameters():
        assert torch.equal(parameter, lm.model.get_parameter(name))


def test_a_model_tuned_whole_is_loaded_as_it_was_saved(base: Path, tmp_path: Path) -> None:
    folder = tune(_config(base, "full"), tmp_path / "run").checkpoints[-1].folder
    saved = read_tensors(folder / "model.safetensors", framework="torch")
    for name, parameter in core.load(folder).model.named_parameters():
        assert torch.equal(parameter, saved[name])


@pytest.mark.parametrize("method", METHODS)
def test_an_interrupted_run_goes_on_exactly(base: Path, tmp_path: Path, method: str) -> None:
    whole = tune(_config(base, method), tmp_path / "plain")
    moments = finetune_steps(_config(base, method), tmp_path / "run")
    next(m for m in moments if m.phase == "schedule" and m.step == 5)
    moments.close()
    resumed = tune(_config(base, method), tmp_path / "run", resume=True)
    assert losses(resumed) == losses(whole)
    ends = [fingerprint(run.checkpoints[-1].folder) for run in (resumed, whole)]
    assert ends[0] == ends[1]


def test_a_changed_setting_is_refused_where_a_run_goes_on(base: Path, tmp_path: Path) -> None:
    moments = finetune_steps(_config(base, "lora"), tmp_path / "run")
    next(m for m in moments if m.phase == "schedule")
    moments.close()
    changed = _config(base, "full")
    with pytest.raises(ValueError, match=r"settings\.method was lora and is now full"):
        list(finetune_steps(changed, tmp_path / "run", resume=True))


def test_a_base_that_is_gone_or_another_is_told(base: Path, tmp_path: Path) -> None:
    with pytest.raises(FileNotFoundError, match="there is no model"):
        _config(base / "nowhere", "lora")
    config = _config(base, "lora")
    gone = config.change({"settings": {**config.settings, "base": str(tmp_path / "gone")}})
    with pytest.raises(FileNotFoundError, match="there is no model"):
        list(finetune_steps(gone, tmp_path / "run"))
    assert not (tmp_path / "run").exists()
    other = config.change({"settings": {**config.settings, "base": "stories"}})
    with pytest.raises(ValueError, match="model is not that of its base stories"):
        list(finetune_steps(other, tmp_path / "run"))


def test_a_soft_prompt_that_fills_the_context_is_refused(base: Path, tmp_path: Path) -> None:
    config = small_tuning(base, settings={"method": "prompt", "prompt_tokens": 15})
    with pytest.raises(ValueError, match="15 prompt tokens leave no room for a text"):
        list(finetune_steps(config, tmp_path / "run"))


def test_the_program_is_the_one_of_the_task(base: Path) -> None:
    config = _config(base, "lora")
    assert program_of(config).module == "core.finetuning"
    assert program_of(config.change({"task": "language-modelling"})).module == "core.training"


# -- examples


@pytest.fixture(scope="module")
def stories() -> Any:
    return core.load("stories")


def test_only_the_answer_is_learned(stories: Any) -> None:
    example = answered(stories.tokenizer, "Who?", " Mira", stories.usage.end_ids)
    assert stories.tokenizer.decode(list(example.prompt)) == "Who?"
    assert stories.tokenizer.decode(list(example.answer)[:-1]) == " Mira"
    assert example.answer[-1] == stories.usage.end_ids[0]
    longer = answered(stories.tokenizer, "Who is it, then?", " Ben")
    ids, targets = padded([example, longer])
    assert ids.shape == targets.shape
    learned = targets[0][targets[0] != NO_TOKEN]
    assert learned.tolist() == list(example.answer)
    first = int(np.flatnonzero(targets[0] != NO_TOKEN)[0])
    assert ids[0, : first + 1].tolist() == list(example.prompt)


def test_every_example_comes_once_before_one_comes_again(stories: Any) -> None:
    examples = StoryQuestions(stories.tokenizer, stories.usage.end_ids)
    batches = ExampleBatches(examples, "validation", 40, 2, seed=3)
    seen = [
        row.tobytes() for step in range(5) for half in (0, 1) for row in _rows(batches, step, half)
    ]
    assert len(seen) == 400 == len(set(seen))
    again = [
        row.tobytes() for step in (5, 6) for half in (0, 1) for row in _rows(batches, step, half)
    ]
    assert set(again) <= set(seen) and again != seen[:160]


def _rows(batches: ExampleBatches, step: int, micro_batch: int) -> list[np.ndarray]:
    """Without padding."""
    ids, targets = batches.batch(step, micro_batch)
    return [
        row[: np.flatnonzero(one != NO_TOKEN)[-1]] for row, one in zip(ids, targets, strict=True)
    ]


def test_ranks_share_the_batch_that_one_process_draws(stories: Any) -> None:
    examples = StoryQuestions(stories.tokenizer, stories.usage.end_ids)
    batches = ExampleBatches(examples, "train", 5, 1, seed=3)
    whole, _ = batches.batch(4)
    parts = [batches.batch(4, 0, rank, 2)[0] for rank in (0, 1)]
    assert np.array_equal(np.concatenate(parts), whole)


@pytest.mark.parametrize("steps", [7, 8])
def test_exact_counts_what_the_model_would_write_by_itself(stories: Any, steps: int) -> None:
    config = finetuning_config(
        FinetuningSettings(base_data=""), {"batch_size": 6, "evaluate_batches": 2}
    )
    task = Finetuning(config)
    for _ in task.prepare_steps(None):
        pass
    model = task.build_model(torch.Generator().manual_seed(0))
    optimizer = torch.optim.Adam(task.tuning.parameters.values(), lr=3e-3)
    for step in range(steps):  # some answers are right then, and some are not yet
        batch = task.batches("train", Position(step))
        (task.loss(model, batch) / task.targets(batch)).backward()
        optimizer.step()
        optimizer.zero_grad()
    with torch.no_grad():
        told = [task.measure("validation", model, one) for one in task.evaluation("validation")]
    measured = sum(int(one["exact"][0]) for one in told)
    written = 0
    for index in range(12):
        asked = StoryQuestions(task.tokenizer, stories.usage.end_ids).example("validation", index)
        length = len(asked.answer)
        new = core.generate(gpt_of(model), list(asked.prompt), length, temperature=0)
        written += new[-length:] == list(asked.answer)
    assert measured == written
    assert 0 < measured < 12
    assert sum(one["exact"][1] for one in told) == 12
