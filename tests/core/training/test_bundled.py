"""The bundled model is what its record says, and worth looking at."""

import json
from contextlib import closing

import pytest
import torch

from core.inference.loading import load
from core.resources import resource
from core.training import bundled
from core.training.bundled_run import RECORD_FILE
from core.training.loop import train_steps
from core.training.runs import RunReader, create_run
from core.training.task import Position
from core.transformer.config import ModelConfig

FOLDER = resource("models", "stories")


@pytest.fixture(scope="module")
def lm():
    return load()


@pytest.fixture(scope="module")
def record():
    return json.loads((FOLDER / RECORD_FILE).read_text(encoding="utf-8"))


@pytest.mark.full
def test_the_recorded_losses_are_those_of_the_stored_file(lm, record):
    assert bundled.losses(lm) == pytest.approx(record["loss"], abs=2e-3)
    assert record["loss"]["validation"] < 1.1


def test_it_has_a_previous_token_head_and_an_induction_head(lm, record):
    heads = bundled.best_heads(lm)
    assert heads["previous_token"]["score"] >= 0.9
    assert heads["induction"]["score"] >= 0.5
    for kind, head in heads.items():
        assert head["score"] == pytest.approx(record["heads"][kind]["score"], abs=1e-3)


def test_it_writes_what_the_record_shows(lm, record):
    assert bundled.samples(lm, count=1)[0] == record["samples"][0]


def test_it_is_small_and_its_record_is_complete(lm, record):
    assert sum(path.stat().st_size for path in FOLDER.iterdir()) <= 8_000_000
    assert 1_000_000 <= record["parameters"] <= 3_000_000
    assert record["parameters"] == sum(p.numel() for p in lm.model.parameters())
    assert record["seconds"] <= 2 * 3600
    assert {"seed", "steps", "repeated_fraction"} <= set(record["recipe"])
    assert lm.tokenizer.vocab_size == lm.config.vocab_size == bundled.VOCAB_SIZE


def test_the_recipe_draws_the_weights_that_it_always_has(tmp_path):
    """Sums of the first weights of the stored model, drawn before the fields of the config did."""
    config = bundled.recipe(FOLDER / "tokenizer.json", 6, 1)
    task = bundled.StoriesTask(config, tmp_path / "cache")
    list(task.open_steps(None))
    model = task.build_model(torch.Generator().manual_seed(config.seed))
    sums = {name: float(p.detach().double().abs().sum()) for name, p in model.named_parameters()}
    assert sums["wpe.weight"] == pytest.approx(1251.2298031023054)
    assert sums["h.0.attn.c_attn.weight"] == pytest.approx(5309.934133492401)
    drawn = [task.batches("train", Position(step)) for step in (0, 349, 350, 599)]
    assert [(*ids.shape, int(ids.sum()), int(targets.sum())) for ids, targets in drawn] == [
        (32, 64, 1484585, 1089623),
        (32, 64, 1646793, 1186459),
        (16, 128, 1497486, 1084552),
        (16, 128, 1582037, 1111922),
    ]


def test_the_lessons_in_copying_record_the_tokens_that_they_have(monkeypatch, tmp_path):
    """Also across a resume: a lesson's batch is none of the config's shape."""
    monkeypatch.setattr(bundled, "COPYING", ((2, 3, 8), (4, 2, 24)))
    shape = {"block_size": 32, "n_layer": 1, "n_head": 1, "n_embd": 8}
    model = ModelConfig(vocab_size=bundled.VOCAB_SIZE, **shape)
    changes = {"model": model, "steps": 6, "batch_size": 2, "evaluate_every": 0, "warmup_steps": 1}
    changes |= {"sample_every": 0, "checkpoint_every": 3, "evaluate_batches": 1}
    config = bundled.recipe(FOLDER / "tokenizer.json", 6, 1).change(changes)
    folder = create_run(tmp_path / "run", config)
    task = bundled.StoriesTask(config, tmp_path / "cache")
    with closing(train_steps(config, folder, task=task)) as moments:
        next(moment for moment in moments if moment.phase == "data" and moment.step == 4)
    for _ in train_steps(config, folder, resume=True, task=task):
        pass
    run = RunReader(folder)
    assert run.steps["tokens"].tolist() == [24, 24, 48, 48, 64, 64]
    told = [event["tokens"] for event in run.events if event["event"] == "model"]
    assert told == [0, 24 + 24 + 48], "read before each attempt"
    assert sum(run.steps["tokens"]) == bundled.token_counts(config)["all"]
