"""The second Task: the loop trains it as it trains any other."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
import torch.nn.functional as F

import core
from core.data.pairs import Copies
from core.inference.alignment import exact_share
from core.training.config import TrainingConfig
from core.training.loop import train_steps
from core.training.runs import RunReader
from core.training.sequence_to_sequence import SequenceToSequence
from core.transformer.config import EncoderDecoderConfig
from core.transformer.encoder_decoder import EncoderDecoder
from core.transformer.gpt import next_token_loss
from core.transformer.weights import load_model
from tests.core.families import AIAYN_STACK
from tests.core.training.small import fingerprint, losses

STACK = replace(AIAYN_STACK, vocab_size=1, block_size=64, n_layer=1, dropout=0.1)


def config(**changes: Any) -> TrainingConfig:
    made = TrainingConfig(
        model=STACK,
        task="sequence-to-sequence",
        corpus="dates",
        tokenizer="characters",
        steps=6,
        batch_size=4,
        warmup_steps=2,
        label_smoothing=0.1,
        evaluate_every=3,
        evaluate_batches=2,
        sample_every=3,
        sample_tokens=12,
        checkpoint_every=2,
        probe_every=2,
        seed=7,
    )
    return made.change(changes)


def finish(given: TrainingConfig, run: Path, resume: bool = False, until: int = 99) -> RunReader:
    steps = train_steps(given, run, resume)
    for moment in steps:
        if moment.safe and moment.step == until:
            steps.close()
            break
    return RunReader(run)


@pytest.mark.parametrize("smoothing", [0.0, 0.1, 0.5])
def test_label_smoothing_is_that_of_the_paper_and_of_torch(smoothing: float) -> None:
    generator = torch.Generator().manual_seed(0)
    logits = torch.randn(2, 5, 7, generator=generator, dtype=torch.float64)
    targets = torch.randint(7, (2, 5), generator=generator)
    targets[1, 3:] = -1
    total, count = next_token_loss(logits, targets, smoothing)
    assert count == 8
    mean = F.cross_entropy(
        logits.flatten(0, 1), targets.flatten(), ignore_index=-1, label_smoothing=smoothing
    )
    torch.testing.assert_close(total / count, mean)
    wanted = F.one_hot(targets.clamp(min=0), 7) * (1 - smoothing) + smoothing / 7
    by_hand = -(wanted * logits.log_softmax(-1)).sum(-1)[targets >= 0].sum()
    torch.testing.assert_close(total, by_hand)


def test_a_run_by_the_name_of_its_task_learns_and_opens(tmp_path: Path) -> None:
    reader = finish(config(), tmp_path / "run")
    assert len(reader.steps["loss"]) == 6 and np.isfinite(reader.steps["loss"]).all()
    sample = reader.samples[-1]
    assert sample.prompt.endswith(" \N{RIGHTWARDS ARROW} ")
    lm = core.load(reader.checkpoints[-1].folder)
    assert isinstance(lm.model, EncoderDecoder) and isinstance(lm.config, EncoderDecoderConfig)
    assert lm.tokenizer.decode([lm.config.start_id, lm.config.end_id]) == "<s></s>"
    source = lm.tokenizer.encode_ids(sample.prompt.removesuffix(" \N{RIGHTWARDS ARROW} "))
    assert lm.tokenizer.decode(core.translate(lm.model, source, 12)) == sample.text


def test_smoothing_is_learned_with_and_not_measured_by() -> None:
    task = SequenceToSequence(config(model=STACK.to_json() | {"dropout": 0.0}))
    assert list(task.prepare_steps(None))
    model = task.build_model(torch.Generator().manual_seed(0))
    batch = next(task.evaluation("validation"))
    source, ids, targets = batch
    with torch.no_grad():
        for training, smoothing in ((True, 0.1), (False, 0.0)):
            model.train(training)
            expected, count = next_token_loss(model(source, ids), targets, smoothing)
            assert float(task.loss(model, batch)) == float(expected)
            assert task.targets(batch) == count
    assert task.tokens(batch) == int((source >= 0).sum() + (ids >= 0).sum())


def test_stop_and_resume_is_exact(tmp_path: Path) -> None:
    whole = finish(config(), tmp_path / "whole")
    finish(config(), tmp_path / "parts", until=3)
    parts = finish(config(), tmp_path / "parts", resume=True)
    assert losses(parts) == losses(whole)
    ends = [reader.checkpoints[-1].folder for reader in (whole, parts)]
    assert fingerprint(ends[0]) == fingerprint(ends[1])


@pytest.mark.parametrize("parallel", ["ddp", "fsdp2"])
def test_two_ranks_learn_what_one_does(tmp_path: Path, parallel: str) -> None:
    plain = config(model=STACK.to_json() | {"dropout": 0.0}, steps=3)
    alone = finish(plain, tmp_path / "alone")
    shared = core.train(plain.change({"ranks": 2, "parallel": parallel}), tmp_path / "shared")
    assert losses(shared) == pytest.approx(losses(alone), abs=1e-5)
    assert shared.samples[-1].text == alone.samples[-1].text


def test_a_probe_shows_the_encoder_and_whatever_is_asked_for() -> None:
    task = SequenceToSequence(config())
    assert list(task.prepare_steps(None))
    model = task.build_model(torch.Generator().manual_seed(0))
    found = task.probe(model, None, ("attention", "decoder.0.cross.weights"))
    Ts = len(found["ids"])
    assert task.tokenizer.decode(found["ids"]) == task.facts()["probe_text"]
    assert found["attention"].shape == (1, 2, Ts, Ts)
    assert found["decoder.0.cross.weights"].shape == (2, 11, Ts)
    other = task.probe(model, found["ids"].tolist(), ("decoder.0.cross.weights",))
    assert other["decoder.0.cross.weights"].shape[-1] == Ts
    with pytest.raises(ValueError, match="layers 0 to 0"):
        task.probe(model, None, ("decoder.1.cross.weights",))


@pytest.mark.parametrize(
    ("changes", "said"),
    [
        ({"corpus": "stories"}, "use 'dates' or 'copies'"),
        ({"tokenizer": "stories"}, "use tokenizer 'characters'"),
        ({"task": "translation"}, "'language-modelling' or 'sequence-to-sequence'"),
    ],
)
def test_a_run_that_could_not_begin_is_refused(tmp_path: Path, changes, said: str) -> None:
    with pytest.raises(ValueError, match=said):
        list(train_steps(config(**changes), tmp_path / "run"))
    assert not (tmp_path / "run").exists()


@pytest.mark.parametrize(
    ("length", "layers", "width", "steps", "warmup", "rate", "right"),
    [
        (4, 1, 32, 300, 50, 5e-3, 90),
        pytest.param(10, 2, 64, 800, 100, 3e-3, 95, marks=pytest.mark.full),  # the tutorial's
    ],
)
def test_it_learns_to_copy(
    tmp_path: Path, length: int, layers: int, width: int, steps: int, warmup: int, rate: float,
    right: int,
) -> None:  # fmt: skip
    """The Annotated Transformer's first task: so many of 100 held-out sources are copied."""
    task = SequenceToSequence(copying(length, layers, width, steps, warmup, rate))
    task.corpus = Copies(length)
    for _ in train_steps(task.config, tmp_path / "run", task=task):
        pass
    model = load_model(RunReader(tmp_path / "run").checkpoints[-1].folder)
    generator = np.random.default_rng(1)
    pairs = [task.corpus.pair("validation", generator) for _ in range(100)]
    assert isinstance(model, EncoderDecoder)
    assert 100 * exact_share(model, task.tokenizer, pairs) >= right


def copying(
    length: int, layers: int, width: int, steps: int, warmup: int, rate: float
) -> TrainingConfig:
    model = STACK.to_json() | {
        "block_size": length + 1, "n_layer": layers, "n_embd": width, "dropout": 0.0,
    }  # fmt: skip
    return config(
        model=model, corpus="copies", steps=steps, batch_size=64, learning_rate=rate,
        min_learning_rate=0.0, warmup_steps=warmup, schedule="cosine", betas=(0.9, 0.98),
        weight_decay=0.0, label_smoothing=0.0, evaluate_every=0, sample_every=0,
        checkpoint_every=0, probe_every=0,
    )  # fmt: skip
