"""Overlap: of every pair of vocabularies, and the pieces of one pair."""

from __future__ import annotations

import numpy as np
import pytest

from core.tokenization.analysis import vocabulary_overlap
from tests.explorer.panes.tokenizers.compare.submodes.conftest import BIG, SMALL, tool
from tests.explorer.waiting import turn


@pytest.mark.parametrize(
    ("query", "way", "said"),
    [
        (" the", "is", "1 piece of mine is \u201c\u2423the\u201d"),
        ("at", "ends", "pieces of mine end with"),
        ("zqx", "contains", "No piece of these vocabularies contains"),
    ],
)
def test_one_piece_is_told_otherwise_than_two(pane, run_async, query, way, said):
    async def body():
        pane.mode.choose(view="vocabulary")
        tool(pane, "vocabulary").search(query, way, False)
        await pane.settled()
        assert said in pane.headline

    run_async(body())


def test_six_overlaps_have_their_numbers_and_whole_names_in_the_smallest_window(qtbot):
    from explorer import theme
    from explorer.panes.tokenizers.compare.overlap.view import OverlapView

    names = ["stories (bundled)", "GPT-2", "BERT base, uncased", "GPT-4o (o200k)", "A", "B"]
    view = OverlapView()
    qtbot.addWidget(view)
    view.resize(976, 450)  # what a window of 1100 x 680 leaves
    view.show()
    view.set_shares(np.full((6, 6), 0.5), names)
    turn()
    now = theme.current()
    assert view.map.cell_rect(0, 0).width() >= now.px("cell_numbers")
    room = view.map.label_room()[0] - now.px(32)
    assert all(now.metrics("label").horizontalAdvance(name) <= room for name in names)
    assert all(column.width() > 150 for column in view.sets)


def test_a_tokenizer_taken_away_while_another_view_is_seen_takes_its_overlap_along(pane, run_async):
    async def body():
        pane.mode.choose(view="overlap")
        await pane.settled()
        pane.mode.choose(view="text")
        await pane.settled()
        pane.mode.shown_ones.remove(1)
        await pane.settled()
        seen = tool(pane, "overlap")
        assert seen.names and seen.headline() and seen.inspection(0)
        pane.mode.choose(view="overlap")
        await pane.settled()
        assert seen.overlap is None and "two or more" in seen.headline()

    run_async(body())


def test_the_overlap_of_every_pair_and_the_pieces_of_one(pane, run_async):
    async def body():
        told = []
        pane.inspection.connect(told.append)
        pane.mode.choose(view="overlap")
        await pane.settled()
        overlap = vocabulary_overlap(BIG, SMALL)
        view = tool(pane, "overlap").view
        shares = view.displayed()["values"]
        np.testing.assert_allclose(shares[0, 1], overlap.share_of_first, rtol=1e-6)
        np.testing.assert_allclose(shares[1, 0], overlap.share_of_second, rtol=1e-6)
        only_first, both, _ = (one.list.displayed()["ids"] for one in view.sets)
        assert only_first == overlap.only_first.tolist()
        assert both == overlap.common[:, 0].tolist()
        assert told[-1].step.name == "overlap.share"
        pane.player.seek(1)
        assert told[-1].step.name == "overlap.jaccard"
        view.map.cellClicked.emit(1, 0)
        assert tool(pane, "overlap").pair == (1, 0)
        assert view.sets[2].list.displayed()["ids"] == overlap.only_first.tolist()
        assert f"{100 * overlap.share_of_second:.0f}\u2009%" in pane.headline
        pane.grab()
        pane.mode.shown_ones.remove(1)
        await pane.settled()
        assert view.body.state == "empty"

    run_async(body())


def test_a_slanted_label_ends_before_the_edge_of_its_picture():
    from explorer import theme
    from explorer.widgets.axis_labels import slanted_length

    height = theme.current().metrics("label").height()
    assert slanted_length(100) / 2**0.5 + height <= 100 and slanted_length(3) == 0
