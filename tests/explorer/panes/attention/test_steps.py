"""The steps: numbers computed by hand, one picture for every position, a track that walks."""

from __future__ import annotations

from dataclasses import replace
from itertools import pairwise

import numpy as np
import pytest

from core.transformer import ModelConfig
from explorer import theme
from explorer.panes.attention import scene as S
from explorer.panes.attention import text
from explorer.panes.attention.compute import trace_of
from explorer.panes.attention.inspector import cell_inspection, step_inspection
from explorer.panes.attention.step_layout import lay_out
from explorer.panes.attention.text import live_line
from explorer.panes.attention.track import QueryTrack
from explorer.widgets.live_numbers import Terms


@pytest.fixture
def trace(heads):
    return trace_of(heads, 0, 1, 4)


@pytest.fixture
def scene(heads, trace):
    return S.scene_of(trace, heads)


@pytest.fixture
def stage(qapp):
    from explorer.panes.attention.steps_picture import StepsPicture

    stage = StepsPicture()
    stage.resize(620, 440)
    yield stage
    stage.deleteLater()


def test_a_story_is_attention_computed_by_hand(heads, scene):
    q, k, v = heads.queries[0, 1, 4], heads.keys[0, 1], heads.values[0, 1]
    scores = np.array([sum(q[d] * k[j, d] for d in range(4)) for j in range(7)])
    np.testing.assert_allclose(scene.products, q * k, rtol=1e-5)
    np.testing.assert_allclose(scene.scores, scores, rtol=1e-4, atol=1e-6)
    np.testing.assert_allclose(scene.scaled, scores / 2, rtol=1e-4, atol=1e-6)
    assert [scene.hidden(key) for key in range(7)] == [False] * 5 + [True] * 2
    exps = np.exp(scores[:5] / 2)
    np.testing.assert_allclose(scene.weights[:5], exps / exps.sum(), rtol=1e-4)
    np.testing.assert_allclose(scene.output, (scene.weights[:, None] * v).sum(0), rtol=1e-4)


def test_every_step_has_a_sentence_a_line_and_an_inspection(trace, scene):
    for step in range(len(trace)):
        assert text.step_sentence(scene, step).endswith(".")
        for key in range(7):
            words = "".join(part for part, _ in live_line(scene, step, key))
            assert words and "nan" not in words
            shown = step_inspection(scene, step, key, False)
            assert shown.step is trace[step] and shown.rows and shown.table
            assert "query “Mira”" in shown.cell


def test_a_sum_names_others_only_where_there_are_some(heads):
    for query, some in ((0, False), (1, False), (6, True)):
        few = S.scene_of(trace_of(heads, 0, 1, query), heads)
        words = "".join(part for part, _ in live_line(few, S.OUTPUT, 0))
        assert ("others" in words) == some and words.startswith("o = ")


def test_the_terms_of_a_score_add_up(trace, scene):
    rows = step_inspection(scene, S.SCORES, 2, False).rows
    (terms,) = [row for row in rows if isinstance(row, Terms)]
    assert float(np.sum(terms.left * terms.right)) == pytest.approx(terms.result, rel=1e-4)
    assert terms.result == pytest.approx(float(scene.scores[2]))
    (output,) = step_inspection(scene, S.OUTPUT, 2, False).rows
    assert float(np.sum(output.left * output.right)) == pytest.approx(output.result, rel=1e-4)


def test_a_cell_of_the_map_is_explained_by_its_own_row(heads, trace):
    shown = cell_inspection(heads, trace[S.SOFTMAX], (0, 1), (6, 2), True, True, "Heat map")
    assert shown.pinned and shown.title == "Heat map"
    assert shown.cell == "query “Mira”, key “Tom”"
    terms = shown.rows[0]
    expected = float(heads.queries[0, 1, 6] @ heads.keys[0, 1, 2])
    assert terms.result == pytest.approx(expected, rel=1e-5)
    masked = cell_inspection(heads, trace[S.SOFTMAX], (0, 1), (2, 6), False, False, "Arcs")
    assert any("masked" in str(row) for row in masked.rows)


def test_the_mask_says_when_there_is_nothing_to_hide(heads):
    last = S.scene_of(trace_of(heads, 0, 1, 6), heads)
    assert "Nothing is hidden" in text.step_sentence(last, S.MASK)


def test_in_a_window_the_mask_also_hides_what_is_far(heads):
    config = ModelConfig(vocab_size=9, block_size=7, n_layer=1, n_head=3, n_embd=12, window=(3,))
    heads = replace(heads, config=config)
    trace = trace_of(heads, 0, 1, 5)
    scene = S.scene_of(trace, heads)
    assert [key for key in range(7) if scene.hidden(key)] == [0, 1, 2, 6]
    sentence = text.step_sentence(scene, S.MASK)
    assert "the 3 tokens that are too far before" in sentence and "the one after it" in sentence
    single = S.scene_of(trace_of(heads, 0, 1, 3), heads)
    sentence = text.step_sentence(single, S.MASK)
    assert "the token that is too far before" in sentence and "the 3 after it" in sentence
    formula = trace[S.MASK].formula
    assert "i - 3 < j" in formula and "more than 2 positions back" in trace[S.MASK].title
    far, later, seen = (
        str(step_inspection(scene, S.MASK, key, False).rows[0]) for key in (1, 6, 4)
    )
    assert "too far back" in far and "comes later" in later and "can be seen" in seen
    cell = cell_inspection(heads, None, (0, 1), (5, 1), False, False, "Arcs")
    assert any("too far before" in str(row) for row in cell.rows)


@pytest.mark.parametrize("name", ["light", "dark", "contrast"])
@pytest.mark.parametrize("motion", ["full", "reduced", "off"])
def test_every_position_is_drawn_without_error(qapp, stage, scene, heads, name, motion):
    before = theme.current()
    theme.apply(qapp, name, 1.0, motion)
    try:
        following = S.scene_of(trace_of(heads, 0, 1, 5), heads)
        failed = []
        stage.paintFailed.connect(failed.append)
        stage.set_scene(scene, following)
        images = {}
        for position in np.arange(0, 8.01, 0.25):
            stage.set_position(float(position))
            images[float(position)] = stage.grab().toImage()
        assert not failed
        settled = [images[float(step)] for step in range(8)]
        assert all(a != b for a, b in pairwise(settled))
    finally:
        theme.apply(qapp, before.name, before.zoom, before.motion)


def test_a_position_is_drawn_the_same_however_it_was_reached(stage, scene):
    stage.set_scene(scene)
    stage.set_position(2.5)
    first = stage.grab().toImage()
    for position in (7.0, 0.0, 4.3, 2.5):
        stage.set_position(position)
    assert stage.grab().toImage() == first


def test_values_travel_from_where_they_are_to_where_they_go(stage, scene):
    """Half-way, the scores' column is still empty in the last rows and filled in the first."""
    stage.set_scene(scene)
    layout = lay_out(scene, stage.width(), stage.height())

    def ink(position, place):
        stage.set_position(position)
        image = stage.grab().toImage()
        column = layout.score
        y = int(layout.y(place) + layout.row_height / 2)
        xs = range(int(column.x()) + 4, int(column.right()))
        paper = image.pixel(int(column.right()) + 3, y)
        return any(image.pixel(x, y + d) != paper for x in xs for d in (-3, -1, 0, 1, 3))

    last = len(layout.rows) - 1
    assert not ink(1.0, 0) and not ink(1.0, last)
    assert ink(1.95, 0)
    assert ink(2.0, 0) and ink(2.0, last)


def test_the_stage_shows_its_numbers_and_says_which_key(stage, scene):
    stage.set_scene(scene)
    stage.set_position(5)
    shown = stage.displayed()
    np.testing.assert_array_equal(shown["weights"], scene.weights)
    assert next(iter(shown)) == "weights", "a table opens on what the step has computed"
    assert stage.key == scene.target
    stage.set_pinned(1)
    assert stage.key == 1
    assert "Softmax" in stage.accessibleDescription()


def test_keys_are_reached_by_the_keyboard(stage, scene):
    from PySide6.QtCore import Qt
    from PySide6.QtTest import QTest

    hovered, clicked = [], []
    stage.keyHovered.connect(hovered.append)
    stage.keyClicked.connect(clicked.append)
    stage.set_scene(scene)
    QTest.keyClick(stage, Qt.Key.Key_Down)
    QTest.keyClick(stage, Qt.Key.Key_Return)
    assert hovered == clicked == [min(scene.target + 1, 6)]


@pytest.mark.parametrize("height", (400, 424, 436))
def test_values_of_little_weight_stay_in_sight(scene, stage, height):
    """Of a strip that is shrunk to a pixel there is one whatever the height of a row is."""
    stage.resize(620, height)
    stage.set_scene(scene)
    stage.set_position(float(S.WEIGH))
    image, layout = stage.grab().toImage(), lay_out(scene, 620, height)
    for place, key in enumerate(layout.rows):
        if key != stage.key and not scene.hidden(key) and scene.weights[key] > 0.05:
            y = int(layout.y(place) + layout.row_height / 2)
            xs = range(int(layout.right.x()), int(layout.right.right()))
            inks = {image.pixel(x, y + by) for x in xs for by in (-1, 0, 1)}
            assert len(inks) > 1, f"nothing at {scene.weights[key]:.2f}"


@pytest.mark.parametrize(("width", "height"), [(400, 250), (520, 400), (900, 700)])
def test_nothing_of_the_layout_overlaps(scene, qapp, width, height):
    layout = lay_out(scene, width, height)
    columns = (
        layout.label,
        layout.left,
        layout.score,
        layout.scaled,
        layout.weight,
        layout.right,
    )
    for before, after in pairwise(columns):
        assert before.right() <= after.x() + 0.01
    assert layout.right.right() <= width + 0.5
    assert layout.line_y + 20 <= height + 1


def test_a_track_grows_by_one_query_at_a_time(heads, trace):
    track = QueryTrack(trace, heads)
    assert track.length == 8 and track.complete
    track.walking = True
    assert not track.complete and track.next_query == 5
    for query in (5, 6):
        track.extend(trace_of(heads, 0, 1, query))
    assert track.complete and track.next_query is None and track.length == 3 * 8
    assert track.at(8.0) == (1, 0.0) and track.at(7.5) == (0, 7.5) and track.at(23.0) == (2, 7.0)
    assert "“sang”" in text.step_sentence(track.scenes[1], 0)
    assert track.title(8) == trace[0].title
    assert track.item(10).name == "attention.scores"
    track.cut_to(1)
    assert track.length == 8 and track.scenes[0].query == 5
