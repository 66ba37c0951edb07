"""The pane around its modes: one player for all, each mode's cursor and state kept."""

from __future__ import annotations

import asyncio
import json
import logging
import math
from dataclasses import dataclass
from typing import Any

import pytest
from PySide6.QtCore import Qt
from PySide6.QtTest import QTest

from explorer.engine import errors
from explorer.panes.tokenizers import modes
from explorer.panes.tokenizers.pane import TokenizersPane
from explorer.state.tracks import ListTrack
from tests.explorer.conftest import dispose
from tests.explorer.panes.tokenizers.small import BrokenMode, DemoMode, OtherMode


@dataclass(frozen=True)
class Spec:
    kind: Any

    @property
    def id(self) -> str:
        return self.kind.id

    @property
    def title(self) -> str:
        return self.kind.title

    def create(self, desk: Any, parent: Any) -> Any:
        return self.kind(desk, parent)


class ThirdMode(DemoMode):
    id, title = "third", "Third"


class LiveMode(DemoMode):
    """Its track grows: something learns as long as it plays."""

    id, title = "live", "Live"

    def __init__(self, desk: Any, parent: Any) -> None:
        super().__init__(desk, parent)
        self.set_tracks([Learning(["one", "two"])])


class Learning(ListTrack):
    is_live, live_playing = True, False

    def live_play(self) -> None:
        self.live_playing = True

    def live_pause(self) -> None:
        self.live_playing = False


DEMO, OTHER, BROKEN = Spec(DemoMode), Spec(OtherMode), Spec(BrokenMode)
THIRD, LIVE = Spec(ThirdMode), Spec(LiveMode)


def test_one_mode_is_built_at_each_turn_and_the_shown_one_first(make_pane):
    came = []

    def look(pane):
        assert [action.id for action in pane.actions()] == ["tokenizers.mode.demo"]
        assert [name for name, _ in pane.inputs.choice.segments] == ["demo", "other", "third"]
        pane.added.connect(
            lambda actions, pictures: came.append(([one.id for one in actions], list(pictures)))
        )

    pane = make_pane(DEMO, OTHER, THIRD, then=look)
    assert came == [
        (["tokenizers.mode.other"], ["other-label"]),
        (["tokenizers.mode.third"], ["third-label"]),
    ]
    assert len(pane.actions()) == 3
    lines = pane.inputs.choice.toolTip().splitlines()
    assert [line.partition(":")[0] for line in lines] == ["Demo", "Other", "Third"]


def test_a_mode_that_is_asked_for_is_built_before_its_turn(make_pane):
    built = []

    def ask(pane):
        pane.show_mode("third")
        built.extend(action.id for action in pane.actions())
        assert pane.mode.widget().isVisible()

    pane = make_pane(DEMO, OTHER, THIRD, then=ask)
    assert built == ["tokenizers.mode.demo", "tokenizers.mode.third"]
    assert list(pane.modes) == ["demo", "other", "third"] and pane.mode.id == "third"


def test_a_pane_closed_before_all_of_it_is_built_builds_no_more(context, run_async):
    made = []

    async def body():
        pane = TokenizersPane(context, specs=(DEMO, OTHER))
        pane.added.connect(lambda *given: made.append(given))
        pane.join_workspace()
        dispose(pane.inputs)
        dispose(pane)
        await asyncio.sleep(0.01)

    run_async(body())
    assert made == []


def test_every_mode_keeps_its_own_speed_also_in_a_session(make_pane, context):
    pane = make_pane(DEMO, OTHER, THIRD)
    pane.player.set_speed(0.5)
    pane.show_mode("other")
    assert pane.player.speed == 1.0, "a mode that nobody has set begins at the usual pace"
    pane.player.set_speed(math.inf)
    saved = json.loads(json.dumps(context.workspace.state()))
    speeds = {"third": 1.0, "demo": 0.5, "other": math.inf}
    context.workspace.restore(
        dict.fromkeys((f"tokenizers.{name}.speed" for name in speeds), "fast")
    )
    assert pane.player.speed == 1.0, "what is no speed"
    context.workspace.restore(saved)
    for name, speed in speeds.items():
        pane.show_mode(name)
        assert pane.player.speed == speed
    assert not context.workspace.undo_text


@pytest.mark.parametrize(("speed", "goes_on"), [(4.0, False), (math.inf, True)])
@pytest.mark.parametrize("leave", [lambda pane: pane.show_mode("demo"), lambda pane: pane.left()])
def test_what_learns_for_somebody_to_watch_pauses_when_nobody_does(
    make_pane, speed, goes_on, leave
):
    pane = make_pane(DEMO, LIVE)
    pane.show_mode("live")
    track = pane.player.track
    assert pane.player.at_live_edge
    pane.player.set_speed(speed)
    pane.player.play()
    leave(pane)
    assert track.live_playing == goes_on
    pane.show_mode("live")
    assert pane.player.playing == goes_on and pane.player.speed == speed


def test_a_live_track_is_found_at_its_edge_or_where_it_was_left(make_pane):
    pane = make_pane(DEMO, LIVE)
    player = pane.player
    for place, found in ((0, 0), (1, 2)):
        pane.show_mode("live")
        player.seek(place)
        live = player.at_live_edge
        pane.show_mode("demo")
        pane.modes["live"].set_tracks([Learning(["one", "two", "three"][: 2 + place])])
        pane.show_mode("live")
        assert (player.position, player.at_live_edge) == (found, live)


def test_one_player_serves_all_modes_and_keeps_their_places(make_pane):
    pane = make_pane(DEMO, OTHER)
    player = pane.player
    assert pane.headline == "This is Demo." and player.length == 3
    player.seek(2)
    pane.show_mode("other")
    assert (player.length, player.position, pane.headline) == (5, 0.0, "This is Other.")
    player.seek(4)
    pane.show_mode("demo")
    assert (player.length, player.position) == (3, 2.0)
    pane.show_mode("other")
    assert (player.length, player.position) == (5, 4.0)


def test_only_the_shown_mode_hears_of_the_player_and_is_heard(make_pane):
    pane = make_pane(DEMO, OTHER)
    demo, other = pane.modes["demo"], pane.modes["other"]
    told, inspected = [], []
    pane.headlineChanged.connect(told.append)
    pane.inspection.connect(lambda what: inspected.append(what.title if what else None))
    pane.player.seek(1)
    assert demo.heard == [0, "shown", 1] and other.heard == []
    other.set_headline("Something happened elsewhere.")
    other.inspect()
    other.set_tracks([])
    assert told == [] and inspected == ["demo 1"] and pane.player.length == 3
    pane.show_mode("other")
    assert told == ["Something happened elsewhere."] and pane.player.length == 0
    assert demo.heard[-1] == "left" and other.heard[-1] == "shown"
    assert inspected[-2:] == [None, "other -1"]


def test_a_mode_is_chosen_by_the_keyboard_and_by_an_action(make_pane):
    pane = make_pane(DEMO, OTHER)
    QTest.keyClick(pane.inputs.choice, Qt.Key.Key_Right)
    assert pane.mode.id == "other"
    by_id = {action.id: action for action in pane.actions()}
    assert by_id["tokenizers.mode.other"].checked()
    by_id["tokenizers.mode.demo"].run()
    assert pane.mode.id == "demo" and pane.inputs.choice.current == "demo"


def test_a_mode_sends_a_person_to_another(make_pane):
    pane = make_pane(DEMO, OTHER)
    pane.modes["demo"].modeRequested.emit("other", {"text": "cat"})
    assert pane.mode.id == "other" and pane.mode.wishes == [{"text": "cat"}]
    pane.mode.modeRequested.emit("nowhere", {})
    assert pane.mode.id == "other"


def test_state_comes_back_and_that_of_unknown_modes_is_kept(make_pane):
    pane = make_pane(DEMO, OTHER)
    pane.modes["other"].line.setText("mine")
    pane.show_mode("other")
    state = pane.workspace.state()
    state["tokenizers.later.scene"] = {"version": 1}
    back = make_pane(DEMO, OTHER)
    back.workspace.restore(state)
    assert back.mode.id == "other" and back.modes["other"].line.text() == "mine"
    assert back.workspace.state() == state


def test_a_mode_that_cannot_be_built_leaves_the_others_alone(make_pane, caplog):
    caplog.set_level(logging.CRITICAL)
    errors.reports().problems.clear()
    pane = make_pane(DEMO, BROKEN, OTHER)
    assert list(pane.modes) == ["demo", "other"]
    assert [name for name, _ in pane.inputs.choice.segments] == ["demo", "other"]
    (problem,) = errors.reports().problems.values()
    assert "choose another" in problem.text
    errors.reports().problems.clear()
    with pytest.raises(ValueError, match="no mode"):
        make_pane(BROKEN)
    errors.reports().problems.clear()


def test_views_bring_their_mode_first(make_pane, run_async):
    pane = make_pane(DEMO, OTHER)
    assert list(pane.views()) == ["demo-start", "demo-end", "other-start", "other-end"]
    assert set(pane.pictures()) == {"demo-label", "other-label"}
    run_async(pane.views()["other-end"]())
    assert pane.mode.id == "other" and pane.player.position == 4


def test_escape_asks_the_mode_first(make_pane):
    pane = make_pane(DEMO)
    assert pane.cancel() and not pane.cancel()


def test_every_mode_that_is_there_can_be_built(make_pane, run_async):
    pane = make_pane()
    assert list(pane.modes) == [spec.id for spec in modes.MODES]

    async def body():
        for name in pane.modes:
            pane.show_mode(name)
            await pane.settled()
            mode = pane.mode
            assert mode.teaches and mode.headline and mode.widget().isVisible()
            mode.restore(mode.state())
            await pane.settled()

    run_async(body())
