"""What all tokens have after each step of a choice."""

from __future__ import annotations

import numpy as np
import pytest
import torch

from core.inference.sampling import Sampling
from core.inference.sampling_trace import stages, trace_next_token

LOGITS = np.log([0.4, 0.1, 0.3, 0.2])


def test_stages_go_from_scores_to_what_is_drawn_from() -> None:
    sampling = Sampling(temperature=0.5, top_k=3, min_p=0.5, repetition_penalty=2.0)
    trace = trace_next_token(torch.tensor(LOGITS), sampling, seen=[1], drawn=0.5)
    found = {one.name: one for one in stages(trace)}
    assert list(found) == [step.name.removeprefix("sampling.") for step in trace]
    np.testing.assert_allclose(found["logits"].values, LOGITS)
    np.testing.assert_allclose(found["penalty"].values, LOGITS * [1, 2, 1, 1])
    np.testing.assert_allclose(found["temperature"].values, 2 * (LOGITS * [1, 2, 1, 1] - LOGITS[0]))
    squares = np.array([0.4, 0.01, 0.3, 0.2]) ** 2
    np.testing.assert_allclose(found["softmax"].values, squares / squares.sum())
    assert found["softmax"].kept.all()
    assert found["top_k"].kept.tolist() == [True, False, True, True]
    np.testing.assert_allclose(found["top_k"].values, found["softmax"].values)
    assert found["min_p"].kept.tolist() == [True, False, True, False]
    np.testing.assert_allclose(found["draw"].values, [16 / 25, 0, 9 / 25, 0])
    assert [one.name for one in stages(trace) if one.is_scores] == list(found)[:3]


def test_where_nothing_is_cut_the_softmax_is_drawn_from() -> None:
    for temperature in (0.0, 1.0):
        trace = trace_next_token(torch.tensor(LOGITS), Sampling(temperature=temperature), drawn=0.9)
        first, *_, last = stages(trace)
        expected = [1, 0, 0, 0] if temperature == 0 else np.exp(LOGITS)
        np.testing.assert_allclose(last.values, expected)
        assert last.kept.all() and first.name == "logits"


def test_a_cut_that_keeps_all_is_no_step() -> None:
    off = trace_next_token(torch.tensor(LOGITS), Sampling(top_k=0, top_p=1.0, min_p=0.0))
    assert [one.name for one in stages(off)] == ["logits", "temperature", "softmax"]
    assert off.about["next"].kept.tolist() == pytest.approx(np.exp(LOGITS))
