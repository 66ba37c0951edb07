"""What every head does on random tokens that are read twice, recorded over the steps of a run."""

import json
import string
from pathlib import Path

import numpy as np
import pytest

import core
from core.inference.activations import capture
from core.inference.heads import head_scores, repeated_ids
from core.training import records
from core.training.reader import RunReader
from core.training.runs import create_run
from core.training.writer import RunWriter
from core.transformer.config import ModelConfig
from tests.core.training.small import finish, small_config


def test_a_run_records_what_every_head_does_on_random_tokens_read_twice(tmp_path: Path) -> None:
    run = finish(small_config(tmp_path, steps=6), tmp_path / "run")
    steps, induction = run.head_scores("induction")
    assert steps.tolist() == [0, 3, 6] and induction.shape == (3, 2, 2)
    loaded = core.load(run.checkpoints[-1].folder)
    vocabulary, seed = loaded.tokenizer.vocab_size, run.config.seed
    ids = repeated_ids(1, 8, 2, vocabulary, np.random.default_rng(seed))[0]  # a context of 16
    attention = capture(loaded.model, ids, ("attention",)).attention
    assert attention is not None
    for name, wanted in head_scores(attention, ids).by_name().items():
        np.testing.assert_allclose(run.head_scores(name)[1][-1], wanted, atol=1e-4)


def test_scoring_the_heads_changes_nothing_that_a_run_learns(tmp_path: Path) -> None:
    runs = [
        finish(small_config(tmp_path, steps=6, probe_every=every), tmp_path / f"run{every}")
        for every in (0, 3)
    ]
    assert [len(run.head_scores("induction")[0]) for run in runs] == [0, 3]
    first, second = (run.checkpoints[-1].folder / "model.safetensors" for run in runs)
    assert first.read_bytes() == second.read_bytes()


def test_a_context_too_short_to_repeat_anything_gives_no_scores(tmp_path: Path) -> None:
    model = ModelConfig(vocab_size=1, block_size=1, n_layer=2, n_head=2, n_embd=16)
    run = finish(small_config(tmp_path, model=model, steps=3), tmp_path / "run")
    steps, scores = run.head_scores("induction")
    assert steps.shape == (0,) and scores.shape == (0, 2, 2)


def test_scores_of_an_attempt_that_was_given_up_no_longer_count(tmp_path: Path) -> None:
    folder = create_run(tmp_path / "run", small_config(tmp_path))
    for attempt, from_step, told in ((1, 0, 0.1), (2, 3, 0.9)):
        writer = RunWriter(folder, from_step)
        for step in (3, 6):
            if step > from_step:
                writer.step({"step": step})
                writer.event("heads", step, {"induction": [told] * 4})
        assert writer.attempt == attempt
        writer.close()
    steps, scores = RunReader(folder).head_scores("induction")
    assert steps.tolist() == [3, 6]
    np.testing.assert_allclose(scores[:, 0, 0], [0.1, 0.9])


def test_scores_that_no_run_can_have_written_are_left_out(tmp_path: Path) -> None:
    folder = create_run(tmp_path / "run", small_config(tmp_path))
    writer = RunWriter(folder)
    writer.step({"step": 3})
    writer.event("heads", 1, {"induction": [0.5] * 3})  # four heads
    writer.event("heads", 2, {"duplicate": [0.5] * 4})
    writer.event("heads", 3, {"induction": [0.5] * 4})
    writer.close()
    with records.events_file(folder).open("a") as file:
        head = {"event": "heads", "attempt": 1, "step": 3, "time": 0.5}
        file.write(json.dumps({**head, "induction": ["high"] * 4}) + "\n")
    reader = RunReader(folder)
    assert reader.head_scores("induction")[0].tolist() == [3] and reader.damaged == 1


@pytest.mark.full
def test_the_loss_falls_as_an_induction_head_forms(tmp_path: Path) -> None:
    """Two layers of four heads that read nothing but repeats, of a period that changes: until a
    head looks back, no token can be told (Olsson et al. 2022, figure 1).
    """
    text = tmp_path / "letters.txt"
    letters = list(string.ascii_letters + string.digits + " .")
    text.write_text("".join(np.random.default_rng(0).choice(letters, 20_000)))
    config = small_config(
        tmp_path,
        model=ModelConfig(vocab_size=1, block_size=32, n_layer=2, n_head=4, n_embd=64),
        corpus=str(text),
        repeated_fraction=1.0,
        steps=400,
        batch_size=64,
        learning_rate=1e-3,
        warmup_steps=20,
        evaluate_every=0,
        sample_every=0,
        probe_every=50,
        checkpoint_every=0,
        seed=0,
    )
    run = finish(config, tmp_path / "run")
    steps, scores = run.head_scores("induction")
    best = scores.reshape(len(steps), -1).max(axis=1)
    loss = {step: float(run.steps["loss"][max(step - 1, 0)]) for step in steps.tolist()}
    assert best[0] < 0.15 and best[-1] > 0.4
    born = int(steps[np.argmax(best > 0.25)])
    assert loss[0] - loss[born - 100] < 1.2 < loss[born - 100] - loss[400]
