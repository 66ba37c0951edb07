"""Pooling, plot arithmetic, live terms, code lines: what widgets compute, against plain loops."""

import itertools
import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from explorer.widgets.arcs import strongest_pairs
from explorer.widgets.axis_labels import has_label
from explorer.widgets.code_text import clean, spans, wrap
from explorer.widgets.live_numbers import Terms, largest_terms
from explorer.widgets.palette import match_score
from explorer.widgets.plots.data import Series
from explorer.widgets.plots.ends import spread_apart
from explorer.widgets.plots.limits import still_fits, wanted_limits, with_room
from explorer.widgets.plots.math import (
    decimate,
    linear_ticks,
    log_ticks,
    nice_limits,
    smooth,
    tick_texts,
)
from explorer.widgets.pooling import pool_heads, to_uint8


@given(st.integers(1, 40), st.integers(1, 24))
def test_pooling_keeps_the_maximum_of_every_block(size, cell):
    maps = np.random.default_rng(size).integers(0, 256, (2, 3, size, size), dtype=np.uint8)
    pooled = pool_heads(maps, cell)
    block = math.ceil(size / cell)
    assert pooled.shape[-1] <= cell or block == 1
    for row in range(pooled.shape[2]):
        for column in range(pooled.shape[3]):
            rows = slice(row * block, (row + 1) * block)
            columns = slice(column * block, (column + 1) * block)
            expected = maps[:, :, rows, columns].max(axis=(2, 3))
            assert (pooled[:, :, row, column] == expected).all()


def test_pooling_says_what_it_needs():
    with pytest.raises(ValueError, match="convert weights with to_uint8"):
        pool_heads(np.zeros((1, 1, 4, 4), dtype=np.float32), 8)
    assert to_uint8(np.array([0.0, 0.5, 1.0, 1.2])).tolist() == [0, 128, 255, 255]


@pytest.mark.parametrize("strength", [0.0, 0.5, 0.9, 0.99, 0.999])
def test_smoothing_is_the_corrected_moving_average_and_keeps_gaps(strength):
    values = np.random.default_rng(0).normal(size=3000)
    values[[0, 5, 6, 700]] = np.nan
    average, count = 0.0, 0
    for value, smoothed in zip(values, smooth(values, strength), strict=True):
        if np.isnan(value):
            assert np.isnan(smoothed)
            continue
        count += 1
        average = strength * average + (1 - strength) * value
        expected = average / (1 - strength**count) if strength else value
        assert smoothed == pytest.approx(expected, abs=1e-11)


def test_decimation_keeps_every_peak_and_every_gap():
    y = np.random.default_rng(0).normal(size=10_000)
    y[4321] = 99.0
    y[5000:5400] = np.nan
    x = np.arange(y.size)
    few_x, few_y, bucket = decimate(x, y, 100)
    assert bucket == 100 and len(few_y) == 200
    assert np.nanmax(few_y) == 99.0 and np.nanmin(few_y) == np.nanmin(y)
    assert np.isnan(few_y).sum() == 8
    assert (np.diff(few_x) >= 0).all()
    same_x, same_y, bucket = decimate(x[:150], y[:150], 100)
    assert bucket == 1 and same_y is not None and len(same_x) == 150


@given(st.floats(-1e6, 1e6), st.floats(1e-6, 1e6))
def test_ticks_are_round_few_and_inside(low, span):
    ticks = linear_ticks(low, low + span)
    assert 1 <= len(ticks) <= 7
    assert all(
        low - 1e-6 * span <= t <= low + span * (1 + 1e-6) for t in ticks
    ) or span < 1e-9 * abs(low)


@pytest.mark.parametrize(("high", "ticks"), [(1, [0, 1]), (3, [0, 1, 2, 3]), (10, range(0, 11, 2))])
def test_an_axis_that_counts_has_no_fractions(high, ticks):
    assert linear_ticks(0, high, 5, whole=True) == list(ticks)
    assert 0 < linear_ticks(0, 1, 5)[1] < 1


@pytest.mark.parametrize(
    ("ticks", "texts"),
    [
        ([6, 6.5, 7, 7.5], ["6.0", "6.5", "7.0", "7.5"]),
        ([0, 1000, 2000], ["0", "1,000", "2,000"]),
        ([2, 2.25, 2.5], ["2.00", "2.25", "2.50"]),
        ([0, 2e-3, 4e-3], ["0", "0.002", "0.004"]),
        ([0, 5e-4, 1e-3], ["0", "0.0005", "0.0010"]),
        ([0, 2e-4, 4e-4], ["0", "2e\u22124", "4e\u22124"]),
        ([0, 2.5e-5, 5e-5], ["0", "2.5e\u22125", "5.0e\u22125"]),
        ([-0.5, 0, 0.5], ["\u22120.5", "0", "0.5"]),
        ([0, 2e6], ["0", "2e6"]),
        ([], []),
    ],
)
def test_the_numbers_of_an_axis_have_the_same_decimals(ticks, texts):
    assert tick_texts(ticks) == texts


@given(st.floats(-1e6, 1e6), st.floats(1e-6, 1e6))
def test_no_two_ticks_read_the_same(low, span):
    ticks = linear_ticks(low, low + span)
    if len(ticks) > 1 and span > 1e-3 * abs(low):
        assert len(set(tick_texts(ticks))) == len(ticks)


def test_log_ticks_take_powers_of_ten_or_one_two_five():
    assert log_ticks(0.9, 2000) == [1, 10, 100, 1000]
    assert log_ticks(1.1, 6.8) == [2, 5]
    assert log_ticks(45, 6000) == [50, 200, 1000, 5000]  # never so many that they touch
    assert all(math.isfinite(tick) for tick in log_ticks(1e300, 1.7e308))
    assert log_ticks(45, 6000, 2) == [50, 1000]  # as many as there is room for
    assert len(log_ticks(0.48, 0.56, 2)) == 2
    assert len(log_ticks(5e-324, 1.7e308)) <= 5


def test_limits_show_zero_only_where_it_is_near():
    assert nice_limits(0.1, 10)[0] == 0
    low, high = nice_limits(5, 6)
    assert 4.9 < low < 5 and 6 < high < 6.1
    low, high = nice_limits(3, 3)
    assert low < 3 < high


def test_a_growing_line_keeps_its_axes_until_it_leaves_them():
    def limits(count):
        x = np.arange(count)
        return wanted_limits([Series("a", x, x * 1.0)], [x * 1.0], None, False)

    first = limits(100)
    axes = with_room(limits(120), first, False)
    assert not still_fits(limits(120), first, False)
    assert axes[1] > limits(120)[1]
    assert still_fits((0.0, 125.0, axes[2], axes[3]), axes, False)
    assert (
        wanted_limits(
            [Series("a", np.arange(2), np.full(2, np.nan))], [np.full(2, np.nan)], None, False
        )
        is None
    )


@given(st.lists(st.floats(0, 100), max_size=6))
def test_end_labels_never_touch(places):
    spread = spread_apart(sorted(places), 10, 100)
    assert all(b - a >= 10 - 1e-9 for a, b in itertools.pairwise(spread))
    assert not spread or spread[-1] <= 100 + 1e-9


def test_the_largest_terms_and_the_rest_add_up():
    left, right = np.arange(-8.0, 8.0), np.linspace(1, 2, 16)
    shown, rest, more, total = largest_terms(Terms("score", left, right))
    products = left * right
    assert shown == sorted(np.argsort(-np.abs(products), kind="stable")[:3].tolist())
    assert more == 13
    assert products[shown].sum() + rest == pytest.approx(total) == pytest.approx(products.sum())


def test_arcs_are_the_strongest_pairs_with_their_share():
    weights = np.tril(np.random.default_rng(0).random((40, 40)))
    pairs, share = strongest_pairs(weights, 250)
    assert len(pairs) == 250
    chosen = weights[pairs[:, 0], pairs[:, 1]]
    assert (np.diff(chosen) >= 0).all()
    assert share == pytest.approx(np.sort(weights.ravel())[-250:].sum() / weights.sum())
    only, share = strongest_pairs(weights, 250, query=7)
    assert set(only[:, 0]) == {7} and share == pytest.approx(1.0)
    assert strongest_pairs(np.zeros((3, 3)))[0].shape == (0, 2)


def test_code_hides_markers_and_hangs_its_wrapped_lines():
    lines = clean(
        ["    def f(q):", "        return q @ q  # step: product", "        x = 1      # note"]
    )
    assert lines == ["def f(q):", "    return q @ q", "    x = 1  # note"]
    roles = {(line, span.role) for line, found in enumerate(spans(lines)) for span in found}
    assert {(0, "keyword"), (0, "q"), (1, "keyword"), (2, "number"), (2, "comment")} <= roles
    long = ["    value = first_argument + second_argument + third_argument"]
    rows = wrap(long, 30)
    assert len(rows) > 1 and rows[0].indent == 0 and all(row.indent == 8 for row in rows[1:])
    text = " ".join(long[0][row.start : row.end].strip() for row in rows)
    assert text == long[0].strip()
    assert all(row.end - row.start + row.indent <= 30 for row in rows)


def test_an_excerpt_that_is_no_whole_python_keeps_its_lines():
    assert len(spans(["x = (1 +", "'unclosed"])) == 2


def test_the_chosen_label_is_written_and_none_runs_into_it():
    written = [index for index in range(13) if has_label(index, 3, 7)]
    assert written == [0, 3, 7, 12]
    assert [index for index in range(7) if has_label(index, 3, None)] == [0, 3, 6]


def test_the_palette_prefers_the_start_of_a_word():
    assert match_score("go", "Go to training") < match_score("go", "Let it go on")
    assert match_score("log", "Toggle log axis") is not None
    assert match_score("tgm", "Toggle theme motion") is not None
    assert match_score("zzz", "Toggle theme") is None
