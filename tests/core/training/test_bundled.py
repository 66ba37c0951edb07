"""The bundled model is what its record says, and worth looking at."""

import json

import pytest

from core.inference.loading import load
from core.resources import resource
from core.training import bundled

FOLDER = resource("models", "stories")


@pytest.fixture(scope="module")
def lm():
    return load()


@pytest.fixture(scope="module")
def record():
    return json.loads((FOLDER / bundled.RECORD_FILE).read_text(encoding="utf-8"))


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


def test_its_tokenizer_is_the_one_that_the_recipe_trains(lm, tmp_path):
    bundled.bundled_tokenizer().save(tmp_path / "tokenizer.json")
    assert (tmp_path / "tokenizer.json").read_bytes() == (FOLDER / "tokenizer.json").read_bytes()
