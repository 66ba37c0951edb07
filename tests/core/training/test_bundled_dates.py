"""The bundled encoder-decoder reads dates, and looks where they stand."""

from __future__ import annotations

import json
from datetime import date

import numpy as np
import pytest

import core
from core.data.dates import is_held_out, written
from core.inference.alignment import exact_share, span_attention
from core.inference.loading import LoadedModel
from core.resources import resource
from core.training import bundled_dates
from core.training.bundled_run import RECORD_FILE
from core.training.config import TrainingConfig
from core.training.runs import RunReader
from core.transformer.config import ModelConfig

FOLDER = resource("models", "dates")


@pytest.fixture(scope="module")
def lm() -> LoadedModel:
    return core.load("dates")


@pytest.fixture(scope="module")
def record() -> dict:
    return json.loads((FOLDER / RECORD_FILE).read_text(encoding="utf-8"))


def translated(lm: LoadedModel, source: str) -> str:
    ids = core.translate(lm.model, lm.tokenizer.encode_ids(source))
    return lm.tokenizer.decode(ids)


def test_it_writes_dates_that_it_has_never_seen(lm, record) -> None:
    pairs = bundled_dates.held_out(200)
    assert all(is_held_out(date.fromisoformat(pair.target)) for pair in pairs)
    assert exact_share(lm.model, lm.tokenizer, pairs) >= 0.99
    assert record["exact"] >= 0.99
    with pytest.raises(ValueError, match="give one at least"):
        exact_share(lm.model, lm.tokenizer, [])


def test_a_head_looks_where_the_reason_stands(lm, record) -> None:
    spans = span_attention(lm.model, lm.tokenizer, bundled_dates.held_out(30))
    best = record["aligned_head"]
    assert spans.max() >= 0.7 and best["score"] >= 0.7
    assert spans[best["layer"], best["head"]] == pytest.approx(best["score"], abs=0.05)


@pytest.mark.full
def test_the_record_is_what_the_stored_file_measures(lm, record) -> None:
    measured = bundled_dates.measured(lm)
    assert measured["exact"] == pytest.approx(record["exact"], abs=2e-3)
    assert measured["aligned_head"]["score"] == pytest.approx(
        record["aligned_head"]["score"], abs=1e-3
    )


def test_it_reads_what_people_write(lm) -> None:
    held_out = next(day for day in map(date.fromordinal, range(728000, 728999)) if is_held_out(day))
    for form in (
        "the {day} of {month}, {year}",
        "{weekday}, {month} {d}, {yyyy}",
        "{m}/{d}/{yyyy}",
    ):
        assert translated(lm, written(held_out, form).source) == held_out.isoformat()
    assert translated(lm, "the third of March 1999") == "1999-03-03"


def test_it_is_small_and_its_record_is_complete(lm, record) -> None:
    assert sum(path.stat().st_size for path in FOLDER.iterdir()) <= 3_000_000
    assert record["parameters"] == sum(p.numel() for p in lm.model.parameters())
    assert TrainingConfig.from_json(record["recipe"]) == bundled_dates.recipe(
        record["recipe"]["steps"], record["recipe"]["threads"]
    )
    assert lm.tokenizer.vocab_size == lm.config.decoder.vocab_size == bundled_dates.STACK.vocab_size


def test_its_command_trains_and_stores_a_model(tmp_path, monkeypatch, capsys) -> None:
    tiny = ModelConfig(vocab_size=70, block_size=64, n_layer=1, n_head=1, n_embd=8)
    monkeypatch.setattr(bundled_dates, "STACK", tiny)
    monkeypatch.setattr(bundled_dates, "HELD_OUT", 3)
    monkeypatch.setattr(bundled_dates, "ALIGNED", 2)
    work, folder = tmp_path / "work", tmp_path / "dates"
    given = ["--steps", "2", "--threads", "1", "--work", str(work), "--folder", str(folder)]
    assert bundled_dates.main(given) == 0
    record = json.loads((folder / RECORD_FILE).read_text(encoding="utf-8"))
    assert {"exact", "aligned_head", "processor_seconds", "seconds"} <= set(record)
    assert core.load(folder).config.encoder.n_embd == 8
    assert '"exact"' in capsys.readouterr().out
    assert RunReader(work / "run").steps["step"][-1] == 2


def test_span_attention_is_the_mean_over_what_has_a_reason(lm) -> None:
    pair = written(date(1999, 3, 3), "{yyyy}/{mm}/{dd}")
    found = span_attention(lm.model, lm.tokenizer, [pair])
    ids = [lm.tokenizer.encode_ids(text) for text in (pair.source, pair.target)]
    cross = core.capture_encoder_decoder(lm.model, ids[0], [0, *ids[1]]).cross
    parts = [cross[:, :, row, 0:4] for row in range(4)]
    parts += [cross[:, :, row, 5:7] for row in (5, 6)]
    parts += [cross[:, :, row, 8:10] for row in (8, 9)]
    expected = np.mean([part.sum(-1) for part in parts], axis=0)
    np.testing.assert_allclose(found, expected, rtol=1e-6)
