"""Where bars and shards stand, and what is said of them."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from PySide6.QtCore import QPointF, QRectF
from PySide6.QtGui import QImage

from core.training.estimates.strategy_step import DEVICES, most_devices, strategy_step
from core.training.lane_trace import LaneTrace, measured_trace
from core.training.lanes import lanes_of
from core.training.rank_ends import RankEnd
from explorer.panes.training.ranks import text
from explorer.panes.training.ranks.draw_lanes import LaneLayout, color_of
from explorer.panes.training.ranks.inspector import inspection
from explorer.panes.training.ranks.pictures import Holdings, Lanes
from tests.core.training.small import small_config
from tests.core.training.test_lane_trace import QUICK, SLOW

PICTURE = QRectF(0, 0, 800, 300)


@pytest.fixture
def lanes(tmp_path: Path) -> LaneTrace:
    records = [{"memory": 1e8, "cpu": 0.98}, {"memory": 2e8, "cpu": 1.2}]
    return measured_trace(lanes_of([QUICK, SLOW]), small_config(tmp_path, ranks=2), 3, records)


def test_a_rank_is_told_to_wait_for_the_slow_one(lanes: LaneTrace) -> None:
    """Headline, notes and facts say the same of it."""
    assert text.headline(lanes) == "Rank 0 spends 300 ms of this 1.10 s step waiting for rank 1"
    assert text.rank_notes(lanes) == [
        ["100 MB", "waits 27\N{THIN SPACE}% of this step", "0.98 cores in the last second"],
        ["200 MB", "waits 0\N{THIN SPACE}% of this step", "1.2 cores in the last second"],
    ]
    told = text.facts(lanes, 110.0)
    assert told["tokens/s of this step"] == "100", "so many in the 1.10 s beside it"
    assert told["step time"] == "1.10 s" and told["memory per process"] == "200 MB"
    assert told[text.SCALING] == "86\N{THIN SPACE}%"
    shown = inspection(lanes, 2)
    assert shown.rows[0].text == "rank 0: 100 ms, after waiting 300 ms, 800 B"
    assert shown.table["waited (s)"].tolist() == pytest.approx([0.3, 0.0])
    assert inspection(lanes, 1).rows[0].text == "rank 0: 300 ms, after waiting 300 ms"


def test_bars_stand_at_their_times_in_the_rows_of_their_ranks(qtbot: Any, lanes: LaneTrace) -> None:
    layout = LaneLayout(PICTURE, lanes)
    for bar, told in enumerate(lanes.bars):
        rect = layout.rect(bar)
        assert layout.bar_at(rect.center()) is not None
        assert rect.left() == pytest.approx(layout.x(told["start"]))
        assert layout.lane(told["rank"]).contains(rect.center())
        assert (rect.top() > layout.lane(told["rank"]).top()) == told["exchange"]
    cursors = [layout.cursor(place / 4) for place in range(4 * len(lanes.trace) + 1)]
    assert cursors == sorted(cursors)
    assert (cursors[0], cursors[-1]) == (layout.x(0.0), pytest.approx(layout.x(1.1)))


def test_pictures_tell_their_numbers_and_what_is_under_the_mouse(
    qtbot: Any, lanes: LaneTrace
) -> None:
    picture, holdings = Lanes(), Holdings()
    for one in (picture, holdings):
        assert one.displayed() == {} and one.said_at(PICTURE.center()) == ""
        qtbot.addWidget(one)
        one.resize(800, 300)
        one.set_scene(lanes)
    layout = LaneLayout(QRectF(picture.rect()), lanes)
    before_the_second = QPointF(layout.x(0.55), layout.rect(5).center().y())
    said = picture.said_at(before_the_second).splitlines()
    assert said[0] == "Rank 0: all-reduce 1" and said[-1] == "sends 800 B"
    assert "waits 300 ms until the last rank has come" in said
    assert picture.displayed()["what"][5] == "all-reduce 1"
    beside = QPointF(layout.x(0.7), layout.rect(2).center().y())
    assert "waits 300 ms in between" in picture.said_at(beside).splitlines()
    cell = holdings.layout_of(lanes).whole(lanes.holdings[0])
    assert holdings.said_at(cell.center()) == (
        "Rank 0 holds all of the weights of the embedding (1.09 kB)"
    )
    assert set(holdings.displayed()["share"]) == {1.0}
    assert picture.broken is None and holdings.broken is None


@pytest.mark.parametrize("strategy", [name for name in text.TITLES if name != "run"])
@pytest.mark.parametrize("devices", DEVICES)
def test_every_strategy_is_estimated_for_the_example(
    qtbot: Any, strategy: str, devices: int
) -> None:
    lanes = strategy_step(strategy, devices, None)
    assert text.headline(lanes).startswith("Estimated, not measured: ")
    picture, holdings = Lanes(), Holdings()
    for one in (picture, holdings):
        qtbot.addWidget(one)
        one.resize(800, 300)
        one.set_scene(lanes)
        one.grab()
        assert one.broken is None
    assert len(inspection(lanes, 0).rows) == 1 + len(lanes.of(0))


@pytest.mark.parametrize("ranks", [2, 8, 64])
def test_lanes_of_many_ranks_stand_above_their_axis_in_the_least_room(
    qtbot: Any, ranks: int
) -> None:
    lanes = replace(strategy_step("ddp", 2, None), ranks=ranks)
    picture = Lanes()
    qtbot.addWidget(picture)
    picture.set_scene(lanes)
    least = picture.minimumSizeHint()
    layout = LaneLayout(QRectF(0, 0, least.width(), least.height()), lanes)
    assert layout.lane(ranks - 1).bottom() <= layout.bottom + 0.01
    assert layout.bottom + 22 <= least.height() + 0.01
    assert layout.lane(1).top() > layout.lane(0).bottom()


def test_a_rank_that_has_died_says_so_beside_its_lane(qtbot: Any, lanes: LaneTrace) -> None:
    ends = {0: RankEnd("left alone"), 1: RankEnd("killed")}
    dead, picture = replace(lanes, ends=ends), Lanes()
    assert text.fate(dead, 740, restarts=False) == "Rank 1 was killed after step 740"
    assert text.fate(lanes, 740, restarts=False) == "The run has ended after step 740"
    assert LaneLayout(PICTURE, dead).right < LaneLayout(PICTURE, lanes).right
    qtbot.addWidget(picture)
    picture.resize(800, 300)
    alive = painted(picture, lanes)
    assert painted(picture, dead) != alive and picture.broken is None


def painted(picture: Lanes, lanes: LaneTrace) -> QImage:
    picture.set_scene(lanes)
    return picture.grab().toImage()


def test_gathers_have_another_color_than_what_carries_gradients(qtbot: Any) -> None:
    assert color_of("all-gather") != color_of("reduce-scatter") == color_of("all-reduce")
    assert (
        len({color_of(kind).name() for kind in ("forward", "backward", "optimizer", "clip")}) == 4
    )


def test_what_does_not_fit_a_run_s_model_is_said(tmp_path: Path) -> None:
    config = small_config(tmp_path)
    with pytest.raises(ValueError, match=r"needs a layer for each, and this model has 2; use 2 "):
        strategy_step("pipeline", 4, config)
    assert most_devices("pipeline", config) == 2
    odd = replace(config, model=replace(config.model, n_head=1))
    assert most_devices("tensor", odd) == 0
