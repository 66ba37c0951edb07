"""Bars of the next token: what stands where at each step, without a window."""

from __future__ import annotations

import numpy as np
import pytest

from explorer.panes.transformer.generate import text
from explorer.panes.transformer.generate.compute import SHOWN, Chosen, chosen, chosen_again, found
from explorer.panes.transformer.generate.draft import GenerateDraft
from explorer.panes.transformer.generate.scene import Scene, scene_of
from explorer.runs.text_read import Read

RNG = np.random.default_rng(0)
LOGITS = RNG.normal(size=200).astype(np.float32) * 3


def choice(came: int = -1, **settings: float) -> Chosen:
    return chosen(LOGITS, GenerateDraft(**settings), [1, 2, 3], np.array([np.nan, 2, 4]), 0, came)


def scene(came: int = -1, **settings: float) -> Scene:
    return scene_of(choice(came, **settings), lambda token: b"t%d" % token)


def test_the_likeliest_stand_first_and_the_rest_in_one_row() -> None:
    shown = scene()
    order = np.argsort(-LOGITS, kind="stable")[:SHOWN]
    assert list(shown.ids)[: SHOWN - 1] == order.tolist()[: SHOWN - 1]
    stage = next(one for one in shown.stages if one.name == "softmax")
    probabilities = np.exp(LOGITS - LOGITS.max()) / np.exp(LOGITS - LOGITS.max()).sum()
    np.testing.assert_allclose(shown.probabilities, probabilities[list(shown.ids)], rtol=1e-5)
    assert len(stage.words) == len(shown.ids) + 1 and stage.lengths.max() == 1
    assert not stage.cut.any()


def test_a_cut_hatches_what_goes_and_stands_where_it_cuts() -> None:
    shown = scene(top_k=5, top_p=0.5, min_p=0.2)
    names = [stage.name for stage in shown.stages]
    assert names.index("top_k") < names.index("top_p") < names.index("min_p")
    by_k = shown.stages[names.index("top_k")]
    assert by_k.cut[:5].sum() == 0 and by_k.cut[5:-1].all()
    assert dict(shown.cuts)["top-k 5"] == 5
    assert dict(shown.cuts)["top-p 0.5"] <= 5
    assert shown.stages[-1].lengths[by_k.cut].max() == 0  # rescaled, nothing is left of them


def test_bars_grow_from_step_to_step() -> None:
    shown = scene(temperature=0.5)
    first, second = shown.stages[0].lengths, shown.stages[1].lengths
    np.testing.assert_allclose(shown.lengths_at(0.25), first + (second - first) / 4)
    np.testing.assert_allclose(shown.lengths_at(99), shown.stages[-1].lengths)


def test_the_number_falls_into_the_segment_of_the_token_that_comes() -> None:
    for seed in range(20):
        shown = scene(seed=seed)
        start, end = shown.segments[shown.came]
        assert start <= shown.drawn <= end
    assert {choice(seed=3).token for _ in range(3)} == {choice(seed=3).token}


def test_a_token_that_came_is_among_the_rows_however_unlikely() -> None:
    last = int(LOGITS.argmin())
    shown = scene(came=last)
    assert shown.ids[-1] == last and shown.came == SHOWN - 1


def test_surprise_is_the_model_s_own_whatever_the_temperature() -> None:
    cold, warm = choice(temperature=0.3), choice(temperature=2.0)
    assert cold.surprise_of(5) == warm.surprise_of(5)
    assert cold.perplexity == pytest.approx(np.exp(3))


def test_other_settings_are_worked_out_from_what_was_read() -> None:
    read = Read(LOGITS, np.zeros(0), 0)
    one = found(read, GenerateDraft(), [1, 2, 3, 9], np.array([np.nan, 2.0]), 3, 0, 9)
    assert np.isnan(one.surprises[[0, 2, 3]]).all() and one.chosen.token == 9
    other = chosen_again(one, GenerateDraft(temperature=0.0))
    assert other.read is read and other.chosen.token == 9
    assert other.chosen.trace.about["next"].kept.argmax() == LOGITS.argmax()
    names = [step.name for step in other.chosen.trace]
    assert "sampling.draw" not in names  # it stands in the text already


@pytest.mark.parametrize(
    ("setting", "value", "words"),
    [
        ("temperature", 0.0, "0: greedy"),
        ("temperature", 0.7, "0.7"),
        ("top_k", 0, "all"),
        ("top_k", 40, "40"),
        ("top_p", 1.0, "off"),
        ("min_p", 0.0, "off"),
        ("repetition_penalty", 1.2, "1.2"),
    ],
)
def test_a_setting_is_told_in_words(setting: str, value: float, words: str) -> None:
    assert text.words_of(setting, value) == words


def test_headlines_say_what_is_seen() -> None:
    shown = scene(temperature=0.0)
    assert text.headline(shown, "logits", "\u201ct\u201d", None).startswith("The model is sure: ")
    assert "falls on" in text.headline(shown, "draw", "\u201ct\u201d", None)
    assert text.headline(shown, "draw", "\u201ct\u201d", 2.0).endswith("a surprise of 2.00 nats")
    cut = scene(top_k=3)
    assert text.headline(cut, "top_k", "", None) == "What may come next: 3 of these tokens are left"
