"""Words on the map: each beside what it names, none over another or over what happens there."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
from PySide6.QtCore import QPointF, QRectF, Qt
from PySide6.QtTest import QTest

from core.optimization.optimizers import OPTIMIZERS
from core.optimization.surfaces import SURFACES
from explorer.panes.backprop.optimizers.draft import TYPED, OptimizersDraft
from explorer.panes.backprop.optimizers.draw_arrows import length_of
from explorer.panes.backprop.optimizers.draw_trails import HEAD, Way
from explorer.panes.backprop.optimizers.naming import at_edge, filled, grouped, name_at
from explorer.widgets.word_places import Placer, Room, Wanted

NINE = tuple(OPTIMIZERS)
SIZES = ((660, 488), (682, 298))  # the map in windows of 1440 x 900 and 1100 x 680
STEPS = (0, 3, 12, 40, 100, 200)


def check(view) -> None:
    """At the place where it stands."""
    ways = view.ways()
    strokes = view._strokes(ways)
    words = view.words(ways, strokes)
    frame = QRectF(view.rect())
    told = [text for word, _ in words for text, _ in word.texts]
    assert sorted(set(told) & {way.title for way in ways}) == sorted(way.title for way in ways)
    boxes = [place.box.adjusted(0.5, 0.5, -0.5, -0.5) for _, place in words]
    for number, box in enumerate(boxes):
        assert frame.contains(box)
        for other in boxes[number + 1 :]:
            assert not box.intersects(other), (told, box, other)
        for covered in view._covered:
            assert not box.intersects(covered)
        for way in ways:
            x, y = at_edge(way, frame)
            head = QRectF(x - HEAD + 1, y - HEAD + 1, 2 * HEAD - 2, 2 * HEAD - 2)
            assert not box.intersects(head), (told[number], way.title)
        for place in (*view.ground.minima, *view.ground.saddles, tuple(view.start)):
            assert not box.contains(QPointF(*view.seen(np.array(place)))), told
        for stroke in strokes:
            assert not box.contains(QPointF(*stroke.end))


EACH = [pytest.param(name, range(1, 10), marks=pytest.mark.full) for name in SURFACES]


@pytest.mark.parametrize(("name", "counts"), [("ravine", (1, 9)), ("saddle", (5,)), *EACH])
def test_no_word_lies_over_another_or_over_what_it_names(mode, change, name, counts):
    change(OptimizersDraft(surface=name, racers=NINE))
    whole = mode.recording
    for count in counts:
        mode.take_recording(replace(whole, lanes=whole.lanes[-count:]))
        mode.choose(whole.lanes[-1 - (2 * count) % count].name)
        for size in SIZES:
            mode.view.map.setFixedSize(*size)
            mode.view.map.resize(*size)
            assert (mode.view.map.width(), mode.view.map.height()) == size
            mode.view.map.fit()
            for step in STEPS:
                mode.player.seek(step)
                check(mode.view.map)


def test_those_out_of_sight_are_named_at_the_edge(mode, change):
    change(OptimizersDraft(surface=TYPED, text="x + y", racers=NINE))
    mode.player.seek(150)
    check(mode.view.map)
    assert mode.view.map._strokes(mode.view.map.ways()) == []  # nor has the chosen one arrows


def test_where_all_end_each_is_known_and_clicked_by_its_name(mode, change, run_async):
    change(OptimizersDraft(surface="ravine", racers=NINE))
    view = mode.view.map
    for step in (20, 200):
        mode.player.seek(step)
        words = view.words(view.ways(), view._strokes(view.ways()))
        named = [name for word, _ in words for name in word.racers]
        assert sorted(named) == sorted(NINE)
        for word, place in words:
            for name, box in zip(word.racers, word.places(place.box), strict=bool(word.racers)):
                assert name_at(words, box.center()) == name
            if not word.racers:
                assert name_at([(word, place)], place.box.center()) == ""
    # The place itself is free: a line leads to it.
    (block,) = [place for word, place in words if len(word.texts) == 9]
    assert block.end is not None
    head = np.array([block.anchor.x(), block.anchor.y()])
    near = np.clip(
        head, [block.box.left(), block.box.top()], [block.box.right(), block.box.bottom()]
    )
    assert np.linalg.norm(near - head) >= 24

    async def body():
        for name in ("muon", "sgd", "adam"):
            view.grab()
            word, place = next(one for one in view._written if name in one[0].wanted.key)
            box = word.places(place.box)[list(place.key).index(name)]
            QTest.mouseClick(view, Qt.MouseButton.LeftButton, pos=box.center().toPoint())
            assert mode.chosen == name

    run_async(body())


def test_all_that_the_chosen_one_remembers_has_its_letter(mode, change):
    change(OptimizersDraft(surface="ravine", racers=("adam", "adagrad")))
    mode.player.seek(20)
    view = mode.view.map
    letters = [stroke.letter for stroke in view._strokes(view.ways())]
    assert sorted(letters) == ["", "downhill", "\u2212m", "\u221av"]
    mode.choose("adagrad")
    mode.player.seek(2)
    letters = [stroke.letter for stroke in view._strokes(view.ways())]
    assert "\u221av" in letters and "\u2212m" not in letters


def test_what_is_smaller_by_four_decades_is_no_arrow():
    assert length_of(1.0, 1.0) == 84 and length_of(2.0, 1.0) == 84
    assert 0 < length_of(2e-4, 1.0) < 20
    for size in (1e-4, 1e-9, 0.0, np.nan, np.inf):
        assert length_of(size, 1.0) == 0


def test_where_there_is_no_room_a_name_is_left_out_but_the_chosen_one(mode, change):
    change(OptimizersDraft(surface="ravine", racers=NINE))
    view = mode.view.map
    view.setFixedSize(300, 60)
    view.resize(300, 60)
    view.fit()
    for name in ("adam", "lion"):
        mode.choose(name)
        for step in STEPS:
            mode.player.seek(step)
            words = view.words(view.ways(), view._strokes(view.ways()))
            told = [text for word, _ in words for text, _ in word.texts]
            assert OPTIMIZERS[name].title in told
            free = [place.box for word, place in words if not word.wanted.must]
            for number, box in enumerate(free):
                assert not any(box.intersects(other) for other in free[number + 1 :])


def test_words_stay_where_they_are_while_that_is_good():
    placer = Placer()

    def place(x: float) -> QRectF:
        room = Room(400, 300)
        room.take(QRectF(0, 0, 400, 140))
        (placed,) = placer.place(
            room, [Wanted("one", np.array([[x, 150.0]]), 60, 14, (12, 20, 40))]
        )
        return placed.box

    lefts = [place(100.0 + k).left() - k for k in range(30)]
    assert max(lefts) - min(lefts) < 1e-9


def test_while_it_plays_names_go_with_their_heads_and_settle_when_it_rests(mode, change):
    change(OptimizersDraft(racers=("sgd", "momentum", "adagrad", "adam"), steps=200))
    view = mode.view.map
    last: dict[object, np.ndarray] = {}
    jumps = frames = 0
    for position in np.arange(5, 65, 0.25):
        view._hurry.start()  # as frames that follow one another do
        mode.showing.show_position(float(position))
        for word, place in view.words(view.ways(), []):
            middle = np.array([place.box.center().x(), place.box.center().y()])
            beside = middle - word.wanted.anchors.mean(axis=0)
            frames += 1
            jumps += place.key in last and bool(np.hypot(*(beside - last[place.key])) > 15)
            last[place.key] = beside
    assert jumps < 0.01 * frames
    view._hurry.stop()
    check(view)


def test_words_are_placed_again_only_when_something_has_moved(mode, change, monkeypatch):
    change(OptimizersDraft(racers=NINE, steps=200))
    view, counted = mode.view.map, []
    monkeypatch.setattr(
        Placer, "place", lambda *args, place=Placer.place: counted.append(1) or place(*args)
    )
    for position in np.linspace(150, 150.9, 40):  # where hardly anybody moves
        view._hurry.start()
        mode.showing.show_position(float(position))
        view.words(view.ways(), [])
    assert len(counted) < 8
    view._hurry.stop()
    before = len(counted)
    view.words(view.ways(), [])  # it rests
    assert len(counted) == before + 1


def test_who_stand_together_are_one_group():
    def way(name: str, x: float) -> Way:
        return Way(name, OPTIMIZERS[name].title, np.array([[0.0, 0.0], [x, 50.0]]))

    frame = QRectF(0, 0, 400, 100)
    ways = [way("muon", 40), way("adam", 10), way("sgd", 20), way("lion", 30), way("adamw", 90)]
    names = [[one.name for one in group.ways] for group in grouped(ways, frame)]
    assert sorted(names) == [["adamw"], ["sgd", "adam", "lion", "muon"]]
    (away,) = grouped([way("sgd", 900), way("adam", 902)], frame)
    assert len(away.ways) == 2 and all(frame.contains(QPointF(*head)) for head in away.heads)
    assert grouped([], frame) == []


def test_a_way_leaves_no_cell_out():
    points = filled(np.array([[0.0, 0.0], [100.0, 0.0], [100.0, 0.0], [100.0, 31.0]]))
    assert np.abs(np.diff(points, axis=0)).max() <= 6
    np.testing.assert_array_equal(points[[0, -1]], [[0, 0], [100, 31]])
