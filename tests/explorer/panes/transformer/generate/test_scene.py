"""Bars of the next token: what stands where at each step, without a window."""

from __future__ import annotations

import numpy as np
import pytest
from PySide6.QtCore import QRectF

from core.numbers import format_share
from explorer import theme
from explorer.panes.transformer.generate import text
from explorer.panes.transformer.generate.compute import Choice, choice
from explorer.panes.transformer.generate.draft import GenerateDraft
from explorer.panes.transformer.generate.draw_bars import NUMBER, BarsLayout
from explorer.panes.transformer.generate.scene import Scene
from explorer.runs.text_read import Read

RNG = np.random.default_rng(0)
LOGITS = RNG.normal(size=200).astype(np.float32) * 3
SHOWN = 16
SURPRISES = np.array([np.nan, 2, 4])


def chosen(came: int | None = None, **settings: float) -> Choice:
    """After three tokens; `came`: the one that stands there."""
    ids = [1, 2, 3] if came is None else [1, 2, 3, came]
    surprises = SURPRISES if came is None else np.append(SURPRISES, 5.0)
    read = Read(LOGITS, SURPRISES, 0)
    return choice(GenerateDraft(**settings), read, ids, surprises, 3, 0, piece)


def piece(token: int) -> bytes:
    return b"t%d" % token


def scene(came: int | None = None, **settings: float) -> Scene:
    return chosen(came, **settings).scene


def test_the_likeliest_stand_first_and_the_rest_in_one_row() -> None:
    shown = scene()
    order = np.argsort(-LOGITS, kind="stable")[:SHOWN]
    assert list(shown.table.ids)[: SHOWN - 1] == order.tolist()[: SHOWN - 1]
    step = shown.table.steps.index("softmax")
    probabilities = np.exp(LOGITS - LOGITS.max()) / np.exp(LOGITS - LOGITS.max()).sum()
    np.testing.assert_allclose(
        shown.table.probabilities, probabilities[list(shown.table.ids)], rtol=1e-5
    )
    assert len(shown.words[step]) == len(shown.table.ids) + 1 and shown.lengths[step].max() == 1
    assert shown.table.kept.all()


def test_at_temperature_0_tokens_stand_by_their_logits() -> None:
    order = np.argsort(-LOGITS, kind="stable")[:SHOWN]
    assert list(scene(temperature=0.0).table.ids) == order.tolist()


def test_a_cut_hatches_what_goes_and_stands_where_it_cuts() -> None:
    shown = scene(top_k=5, top_p=0.5, min_p=0.2)
    names = shown.table.steps
    assert names.index("top_k") < names.index("top_p") < names.index("min_p")
    by_k = ~shown.table.kept[names.index("top_k")]
    assert not by_k[:5].any() and by_k[5:].all()
    (first, after_k), *others = shown.boundaries
    assert (first, after_k) == ("top-k 5", 5) and others[0][0].startswith("top-p 0.5")
    assert all(row < 5 for _, row in others)
    assert shown.lengths[-1][:-1][by_k].max() == 0  # rescaled, nothing is left of them


def test_names_of_cuts_have_room_beside_the_bars_and_their_words(qapp: object) -> None:
    shown = scene(top_k=100, top_p=0.98, min_p=0.02)
    assert shown.boundaries == (("top-k 100, top-p 0.98, min-p 0.02", SHOWN),)
    layout = BarsLayout(QRectF(0, 0, 560, 400), shown)
    now = theme.current()
    words = max(map(now.metrics("label").horizontalAdvance, shown.words[-1]))
    ((_, name),) = layout.cuts
    assert layout.right <= name.left() and words < now.px(NUMBER)
    assert layout.right > BarsLayout(QRectF(0, 0, 560, 400), scene()).right / 2


def test_bars_grow_from_step_to_step() -> None:
    shown = scene(temperature=0.5)
    first, second = shown.lengths[0], shown.lengths[1]
    np.testing.assert_allclose(shown.lengths_at(0.25), first + (second - first) / 4)
    np.testing.assert_allclose(shown.lengths_at(99), shown.lengths[-1])


def test_the_number_falls_into_the_segment_of_the_token_that_comes() -> None:
    for seed in range(20):
        shown = scene(seed=seed)
        start, end = shown.table.segments[shown.came]
        assert start <= shown.drawn <= end
    assert {chosen(seed=3).token for _ in range(3)} == {chosen(seed=3).token}


def test_a_token_that_came_is_among_the_rows_however_unlikely() -> None:
    last = int(LOGITS.argmin())
    shown = scene(came=last)
    assert shown.table.ids[-1] == last and shown.came == SHOWN - 1


def test_a_token_that_stands_in_the_text_is_not_drawn() -> None:
    one = chosen(came=9, temperature=0.0)
    assert one.perplexity == pytest.approx(np.exp(11 / 3))
    assert one.token == 9 and one.trace.about["next"].kept.argmax() == LOGITS.argmax()
    assert "sampling.draw" not in [step.name for step in one.trace]


def test_one_token_has_one_probability_or_both_are_named() -> None:
    def both(one: Scene) -> tuple[float, float]:
        return one.table.model[one.came], one.table.probabilities[one.came]

    warm, plain = scene(came=9, temperature=1.6), scene(came=9)
    model, bent = both(warm)
    assert bent > 2 * model
    told = text.headline(warm, "softmax")
    for part in (format_share(model), format_share(bent), f"{-np.log(model):.2f} nats"):
        assert part in told
    assert "settings" not in text.headline(plain, "softmax") and len(set(both(plain))) == 1


def test_a_cut_that_removes_nothing_has_no_line() -> None:
    shown = scene(top_p=0.5, min_p=0.01)
    steps, (line,) = shown.table.steps, shown.boundaries
    assert line[0] == "top-p 0.5" and line[1] < SHOWN
    by_min = shown.table.probabilities >= 0.01 * shown.table.probabilities.max()
    assert by_min[line[1]], "min-p alone would keep the token below the line"
    assert "min_p" in steps
    assert shown.is_cut and not scene().is_cut


def test_a_step_explains_its_likeliest_token_until_one_is_drawn() -> None:
    shown = next(one for one in (scene(temperature=3.0, top_k=at) for at in range(2, 60))
                 if one.came)  # fmt: skip
    steps = shown.table.steps
    assert shown.row_at(steps.index("softmax")) == 0
    assert shown.row_at(steps.index("draw")) == shown.came
    last = scene(came=int(LOGITS.argmin()))
    assert last.row_at(last.table.steps.index("softmax")) == last.came, "it stands in the text"


def test_surprises_that_are_not_known_are_those_of_the_first_tokens() -> None:
    read = Read(LOGITS, np.array([np.nan, 2.0]), 0)
    one = choice(GenerateDraft(), read, [1, 2, 3, 4], read.surprises, 4, 0, piece)
    assert np.isnan(one.surprises[:3]).all() and one.surprises[3] == 2


def test_headlines_say_what_is_seen() -> None:
    shown = scene(temperature=0.0)
    share = np.exp(LOGITS - LOGITS.max()).max() / np.exp(LOGITS - LOGITS.max()).sum()
    model = text.headline(shown, "logits")
    assert model.endswith(format_share(share)) and share < 0.9
    greedy = text.headline(shown, "greedy")
    assert greedy == f"{model}, or {format_share(1)} with these settings"
    assert text.headline(scene(), "softmax") == model
    warm = text.headline(scene(temperature=2.0, top_k=3), "temperature")
    assert warm.startswith(f"{model}, or ") and warm.endswith(" before any token is cut")
    assert "falls on" in text.headline(shown, "draw")
    cut = scene(top_k=3)
    assert text.headline(cut, "top_k").startswith("3 tokens")
