"""A run that copies first: its batches, its resume, its weights and what it costs."""

from contextlib import closing
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import torch

from core.data.first_lesson import text_share
from core.training.config import TrainingConfig
from core.training.language_modelling import LanguageModelling
from core.training.reader import RunReader
from core.training.rereading import RunBatches
from core.training.runs import create_run
from core.training.sizes import STORY_SECONDS, estimate, lesson_extra_seconds
from core.training.task import Position
from core.transformer.config import ModelConfig
from core.transformer.gpt import GPT
from core.transformer.initialization import scale_queries_and_keys, start_as_sinusoids
from tests.core.training.small import fingerprint, finish, moments, small_config

EARLY = {"copying_steps": 6, "positions_start": "sinusoids", "query_key_scale": 4.0}
SHAPE = ModelConfig(vocab_size=1, block_size=32, n_layer=2, n_head=2, n_embd=16)


def lesson_config(folder: Path, **changes: object) -> TrainingConfig:
    return small_config(folder, model=SHAPE, **{**EARLY, **changes})


def test_a_run_without_the_lesson_is_the_run_of_before(tmp_path):
    """Its config lacks the fields in a file of an older version, and its batches are the same."""
    config = small_config(tmp_path)
    old = {name: value for name, value in config.to_json().items() if name not in EARLY}
    assert TrainingConfig.from_json(old) == config
    assert (config.copying_steps, config.positions_start, config.query_key_scale) == (
        0,
        "random",
        1.0,
    )
    one, other = (LanguageModelling(config, tmp_path / name) for name in ("a", "b"))
    for task in (one, other):
        list(task.prepare_steps(None))
    weights = one.build_model(torch.Generator().manual_seed(7))
    plain = GPT(one.model_config, torch.Generator().manual_seed(7))
    for own, wanted in zip(weights.parameters(), plain.parameters(), strict=True):
        assert torch.equal(own, wanted)


def test_the_lesson_ends_after_its_steps(tmp_path):
    task = LanguageModelling(lesson_config(tmp_path), tmp_path / "cache")
    list(task.prepare_steps(None))
    shapes = [tuple(task.batches("train", Position(step))[0].shape) for step in range(8)]
    assert shapes == [(8, 16)] * 6 + [(4, 32)] * 2
    evaluated = [tuple(ids.shape) for ids, _ in task.evaluation("validation")]
    assert evaluated == [(4, 32)] * 2, "the text, from the beginning"


@pytest.mark.parametrize("stop", [3, 6, 8])
def test_a_resumed_lesson_continues_bit_for_bit(tmp_path, stop):
    whole = finish(lesson_config(tmp_path, micro_batches=2), tmp_path / "whole")
    config, folder = lesson_config(tmp_path, micro_batches=2), tmp_path / "cut"
    with closing(moments(config, folder)) as cut:
        next(one for one in cut if one.phase == "schedule" and one.step == stop)
    again = finish(config, folder, resume=True)
    assert again.manifest["attempts"][-1]["from_step"] == stop
    assert again.steps["loss"].tolist() == whole.steps["loss"].tolist()
    last = whole.checkpoints[-1].folder, again.checkpoints[-1].folder
    assert fingerprint(last[0])["model.safetensors"] == fingerprint(last[1])["model.safetensors"]


def test_every_step_of_the_lesson_can_be_read_again(tmp_path):
    run = finish(lesson_config(tmp_path), tmp_path / "run")
    batches = RunBatches(run.folder, tmp_path / "cache")
    list(batches.open_steps())
    for step in (1, 6, 7):
        read = batches.read(step)
        assert read.ids.size == run.steps["tokens"][step - 1]
        assert int((read.targets >= 0).sum()) == run.steps["targets"][step - 1]


def test_the_lesson_reads_the_tokens_that_were_planned(tmp_path):
    run = finish(lesson_config(tmp_path), tmp_path / "run")
    config = run.config
    assert sum(run.steps["tokens"]) == config.steps * config.tokens_per_step


def test_the_estimate_counts_the_lesson(tmp_path):
    """Shorter sequences are cheaper to attend to, and to generate many stories is dear."""
    config = lesson_config(tmp_path, steps=100, copying_steps=50)
    plain = config.change({"copying_steps": 0})
    told = lesson_extra_seconds(config)
    assert told < 0
    assert estimate(config).seconds == pytest.approx(estimate(plain).seconds + told)
    wide = config.change({"model": replace(SHAPE, block_size=128), "corpus": "stories"})
    of_file = wide.change({"corpus": config.corpus})
    shares = [text_share(step, 50) for step in range(50)]
    windows = sum(shares) * 32 - 50 * 4  # of stories: more of them than other steps read
    dearer = lesson_extra_seconds(wide) - lesson_extra_seconds(of_file)
    assert dearer == pytest.approx(windows * STORY_SECONDS) and windows > 0
    cut = config.change({"steps": 20, "warmup_steps": 3})
    assert 0 > lesson_extra_seconds(cut) > told, "a run of 20 steps has only 20 of the lesson"


def test_positions_begin_as_sinusoids_and_queries_and_keys_larger():
    config = ModelConfig(vocab_size=8, block_size=5, n_layer=2, n_head=4, n_kv_head=2, n_embd=16)
    model, plain = (GPT(config, torch.Generator().manual_seed(1)) for _ in range(2))
    start_as_sinusoids(model)
    scale_queries_and_keys(model, 4.0)
    position, pair = np.arange(5)[:, None], np.arange(0, 16, 2)
    angle = position / 64.0 ** (pair / 16)
    wanted = 0.04 * np.stack([np.sin(angle), np.cos(angle)], -1).reshape(5, 16)
    np.testing.assert_allclose(model.wpe.weight.detach().numpy(), wanted, atol=1e-6)
    for block, before in zip(model.blocks, plain.blocks, strict=True):
        own, old = block.attn.c_attn.weight, before.attn.c_attn.weight
        queries_and_keys = 4 * 4 + 2 * 4  # rows: four heads of width 4, two of keys
        assert torch.equal(own[:queries_and_keys], 4 * old[:queries_and_keys])
        assert torch.equal(own[queries_and_keys:], old[queries_and_keys:])


@pytest.mark.parametrize(
    ("changes", "why"),
    [
        ({"copying_steps": 3, "model": replace(SHAPE, block_size=7)}, "too small to repeat"),
        ({"positions_start": "sinusoids", "model": replace(SHAPE, positions="rope")}, "learned"),
        ({"copying_steps": 3, "task": "sequence-to-sequence"}, "language modelling"),
        ({"query_key_scale": 0.0}, "query_key_scale"),
    ],
)
def test_an_impossible_lesson_is_refused_with_the_remedy(tmp_path, changes, why):
    with pytest.raises(ValueError, match=why):
        small_config(tmp_path, **changes)


def test_the_loss_on_repeats_is_recorded_with_the_scores(tmp_path):
    run = finish(lesson_config(tmp_path), tmp_path / "run")
    steps, losses = run.losses_on_repeats()
    assert steps.tolist() == run.head_scores("induction")[0].tolist() == [0, 3, 6, 9, 12]
    vocabulary = 8 + 8 + 6  # letters of the text and more: an untrained model guesses
    assert losses[0] == pytest.approx(np.log(vocabulary), abs=0.7)
    old = create_run(tmp_path / "old", lesson_config(tmp_path))
    assert RunReader(old).losses_on_repeats()[0].shape == (0,)
