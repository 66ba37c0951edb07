"""What tokens have after each step of a choice."""

from __future__ import annotations

import numpy as np
import pytest
import torch

from core.inference.sampling import Sampling
from core.inference.sampling_table import SCORES, sampling_table
from core.inference.sampling_trace import trace_next_token

LOGITS = np.log([0.4, 0.1, 0.3, 0.2])
ORDER = [0, 2, 3, 1]  # the likeliest first


def test_a_table_goes_from_scores_to_what_is_drawn_from() -> None:
    sampling = Sampling(temperature=0.5, top_k=3, min_p=0.5, repetition_penalty=2.0)
    trace = trace_next_token(torch.tensor(LOGITS), sampling, seen=[1], drawn=0.5)
    table = sampling_table(trace)
    assert list(table.steps) == [step.name.removeprefix("sampling.") for step in trace]
    assert table.ids == tuple(ORDER)
    values = dict(zip(table.steps, table.values))
    kept = dict(zip(table.steps, table.kept.tolist()))
    penalized = (LOGITS * [1, 2, 1, 1])[ORDER]
    np.testing.assert_allclose(values["logits"], LOGITS[ORDER])
    np.testing.assert_allclose(values["penalty"], penalized)
    np.testing.assert_allclose(values["temperature"], 2 * (penalized - LOGITS[0]))
    squares = np.array([0.4, 0.3, 0.2, 0.01]) ** 2
    np.testing.assert_allclose(values["softmax"], squares / squares.sum())
    np.testing.assert_allclose(table.probabilities, values["softmax"])
    np.testing.assert_allclose(table.model, np.exp(LOGITS)[ORDER])
    assert kept["softmax"] == [True] * 4
    assert kept["top_k"] == [True, True, True, False]
    np.testing.assert_allclose(values["top_k"], values["softmax"])
    assert kept["min_p"] == [True, True, False, False]
    np.testing.assert_allclose(values["draw"], [16 / 25, 9 / 25, 0, 0])
    assert tuple(np.array(table.steps)[np.isnan(table.rest)]) == SCORES
    np.testing.assert_allclose(table.segments[:2], [[0, 16 / 25], [16 / 25, 1]])
    assert table.segments[0][0] <= trace.about["drawn"] <= table.segments[0][1]
    assert trace.about["token"] == 0


def test_all_other_tokens_are_one_number() -> None:
    trace = trace_next_token(torch.tensor(LOGITS), Sampling(top_p=0.5), came=1)
    table = sampling_table(trace, 2)
    assert table.ids == (0, 1), "the token that came is there, however unlikely"
    rest = dict(zip(table.steps, table.rest))
    assert rest["softmax"] == pytest.approx(0.5) and rest["rescale"] == pytest.approx(0.3 / 0.7)
    assert "draw" not in table.steps and trace.about["token"] == 1


def test_where_nothing_is_cut_the_softmax_is_drawn_from() -> None:
    for temperature in (0.0, 1.0):
        trace = trace_next_token(torch.tensor(LOGITS), Sampling(temperature=temperature), drawn=0.9)
        table = sampling_table(trace)
        expected = [1, 0, 0, 0] if temperature == 0 else np.exp(LOGITS)[ORDER]
        np.testing.assert_allclose(table.values[-1], expected)
        assert table.kept[-1].all() and table.steps[0] == "logits"


def test_a_title_counts_what_a_cut_keeps_of_what_was_left() -> None:
    trace = trace_next_token(torch.tensor(LOGITS), Sampling(top_k=3, top_p=0.7))
    titles = {step.name: step.title.replace("\u2009", " ") for step in trace}
    assert "90 % of the probability" in titles["sampling.top_k"]
    assert "with 78 % of" in titles["sampling.top_p"]  # 0.7 of 0.9: the 70 % are reached


def test_a_cut_that_keeps_all_is_no_step() -> None:
    off = trace_next_token(torch.tensor(LOGITS), Sampling(top_k=0, top_p=1.0, min_p=0.0))
    assert sampling_table(off).steps == ("logits", "temperature", "softmax")
    assert off.about["next"].kept.tolist() == pytest.approx(np.exp(LOGITS))
