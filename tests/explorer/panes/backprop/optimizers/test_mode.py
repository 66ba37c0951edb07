"""The mode itself: sessions, going into a step, typed surfaces, what fields refuse."""

from __future__ import annotations

import asyncio
import json
import threading
from dataclasses import replace

import numpy as np
import pytest

from core.fields import lenient, to_json
from core.optimization.optimizer_trace import trace_update
from core.optimization.optimizers import OPTIMIZERS
from explorer import theme
from explorer.panes.backprop.optimizers import mode as mode_module
from explorer.panes.backprop.optimizers import runner
from explorer.panes.backprop.optimizers.draft import (
    TYPED,
    OptimizersDraft,
    keys_of,
    settings_of,
    surface_of,
)
from explorer.panes.backprop.optimizers.text import short
from explorer.panes.backprop.optimizers.track import UpdateTrack
from explorer.shell.focus import stops
from tests.explorer.panes.backprop.conftest import drawn
from tests.explorer.waiting import turn, until


def test_a_session_comes_back(mode, change, run_async):
    one = OptimizersDraft("himmelblau", start=(1.0, 2.0), racers=("adam", "lion"), steps=50)
    one = one.with_setting("adam", "beta2", 0.9)
    change(one)
    mode.player.seek(20)
    mode.choose("lion")
    saved = json.loads(json.dumps(mode.workspace.state()))

    async def body():
        mode.draft.begin(OptimizersDraft())
        mode.restore({"version": 1, "step": 0})
        await mode.settled()
        assert mode.draft.value == OptimizersDraft()
        mode.workspace.restore(saved)
        await mode.settled()

    run_async(body())
    assert mode.draft.value == one and mode.player.position == 20 and mode.chosen == "lion"


@pytest.mark.parametrize(
    "state",
    [
        {},
        {"surface": 3, "text": None, "start": [1], "racers": 7, "settings": [], "steps": 0},
        {"start": [float("inf"), 0], "racers": ["adam", "none"], "steps": 1e9, "warmup": -1},
        {"settings": {"adam": {"eps": "x", "no": 1}, "none": {"eps": 1}}},
    ],
)
def test_a_damaged_session_is_left_out(state):
    one = lenient(OptimizersDraft, state)
    for name in one.racers:
        settings_of(one, surface_of(one), name)
    assert one.settings == {} and one.start is None and one.steps == 200


@pytest.mark.parametrize("name", OPTIMIZERS)
def test_every_setting_of_every_optimizer_can_be_set(name):
    for key in keys_of(name):
        one = OptimizersDraft().with_setting(name, key, 1 if key == "iterations" else 0.25)
        settings = settings_of(one, surface_of(one), name)
        if key in ("beta1", "beta2"):
            assert settings.betas[["beta1", "beta2"].index(key)] == 0.25
        else:
            assert getattr(settings, key) == (1 if key == "iterations" else 0.25)


def test_a_schedule_brings_its_warm_up_and_takes_it_away_again():
    one = OptimizersDraft()
    assert one.with_schedule("noam").warmup_steps == 20
    assert one.with_schedule("noam").with_schedule("one-cycle").warmup_steps == 67
    assert one.with_schedule("one-cycle").with_schedule("cosine").warmup_steps == 0
    longer = replace(one.with_schedule("one-cycle"), steps=300)
    assert longer.warmup_steps == 100 and longer.with_schedule("cosine").warmup_steps == 0
    typed = replace(one, warmup=12)
    assert typed.with_schedule("noam").with_schedule("linear").warmup_steps == 12
    assert replace(one, warmup=0).with_schedule("noam").warmup_steps == 20
    for kept in (longer, typed):
        assert lenient(OptimizersDraft, json.loads(json.dumps(to_json(kept)))) == kept


def test_a_setting_of_a_file_that_the_rule_refuses_is_told(make_pane, context, run_async):
    one = OptimizersDraft(racers=("adam",)).with_setting("adam", "beta1", 2.0)
    context.workspace.begin("backprop.optimizers", to_json(one))
    view = make_pane("optimizers").mode.view
    assert "betas" in view.settings.error.text and "betas" in view.trouble.text.lower()


def test_a_warm_up_is_no_longer_than_the_race(mode, change):
    change(replace(OptimizersDraft(racers=("sgd",), steps=300), warmup=67))
    mode.set_steps(20)
    assert mode.view.common.warmup.text() == "20"
    mode.view.common.warmup.turn(False)
    assert mode.draft.value.warmup == 19
    mode.set_steps(40)
    assert mode.view.common.warmup.text() == "19"


def test_a_step_is_gone_into_line_by_line(mode, change):
    change(OptimizersDraft(racers=tuple(OPTIMIZERS), steps=10))
    for name in OPTIMIZERS:
        _go_into(mode, name)


def test_a_race_shows_and_rests_at_the_step_that_is_told(mode, change):
    change(OptimizersDraft(racers=("adam", "muon"), steps=120))
    lane, seen = mode.recording.lane("adam"), []
    mode.inspection.connect(seen.append)
    mode.player.seek(107.58)
    mode.player.play()
    mode.tell()
    height = mode.view.racers.rows["adam"].height_label
    assert mode.player.playing and mode.headline.startswith("Step 108 of 120")
    assert height.text() == short(lane.heights[108])
    mode.player.pause()
    assert mode.player.position == 108 and mode.headline.startswith("Step 108 of 120")
    assert height.text() == short(lane.heights[108])
    np.testing.assert_array_equal(seen[-1].step.values["new"].ravel(), lane.positions[108])
    (told,) = [one for one in mode.memory.quantities if one.kind == "step"]
    np.testing.assert_array_equal(mode.view.moments.shown(told), told.values[108])
    assert mode.view.map.position == 108


def test_tab_leads_from_the_rates_through_the_settings_to_the_schedule(mode, change):
    change(OptimizersDraft(racers=("adam", "muon"), steps=20))
    for name in ("muon", "adam"):
        mode.choose(name)
        settings = mode.view.settings
        turn()
        way = list(stops(mode.view))
        start, schedule = way.index(settings.usual), mode.view.common.schedule
        end = next(at for at, stop in enumerate(way) if schedule.isAncestorOf(stop))
        assert way[start + 1 : end] == [*settings.fields.values()]


@pytest.fixture
def asked(monkeypatch):
    """What is set from the moment on at which the mode is shown."""
    asked = []

    def noted(formulas, *looks):
        asked.append((formulas, looks, threading.current_thread() is threading.main_thread()))

    monkeypatch.setattr(mode_module, "set_formulas", noted)
    return asked


def test_formulas_are_set_beside_the_window(asked, mode, run_async):
    async def body():
        await until(lambda: asked, "the formulas")
        mode.shown()  # they are there
        await mode.settled()

    run_async(body())
    ((formulas, looks, in_window),) = asked
    assert not in_window and looks == (True,)
    assert formulas[0] == OPTIMIZERS["adam"].formula
    for name in OPTIMIZERS:
        trace = trace_update(name, np.ones((1, 2)), np.ones((1, 2)))
        lines = [trace[index].formula for index in trace.children(None)]
        assert {OPTIMIZERS[name].formula, *lines} <= set(formulas)


def test_a_button_leads_into_a_step_and_back(mode, change):
    change(OptimizersDraft(racers=("adam",), steps=10))
    mode.view.into.click()
    assert mode.update_track is not None and mode.update_track.step == 1
    assert mode.view.into.text() == "Close step"
    mode.view.into.click()
    assert mode.update_track is None and mode.player.position == 1
    change(OptimizersDraft(racers=()))
    assert not mode.view.into.isEnabled()


def _go_into(mode, name):
    mode.choose(name)
    mode.player.seek(4)
    seen = []
    mode.inspection.connect(seen.append)
    mode.go_into()
    track = mode.player.track
    assert isinstance(track, UpdateTrack) and track.step == 4
    lane = mode.recording.lane(name)
    for index in range(track.length):
        mode.player.seek(index)
        mode.tell()
        assert seen[-1].step is track.item(index) and seen[-1].rows
        assert lane.title in mode.headline
    moved = track.line("move")
    mode.player.seek(moved)
    assert mode.place == 4
    np.testing.assert_allclose(
        np.ravel(track.trace.about["new"]), lane.positions[4], rtol=0, atol=0
    )
    assert mode.cancel() and mode.player.position == 4 and mode.player.depth == 0


def test_a_setting_that_is_refused_is_said_and_the_last_race_stays(mode, change):
    change(OptimizersDraft(racers=("adam",), steps=10))
    before = mode.recording
    mode.choose("adam")
    change(mode.draft.value.with_setting("adam", "beta1", 1.5))
    assert "betas[0] must be a number of at least 0 and below 1" in mode.view.settings.error.text
    assert mode.recording is before
    change(mode.draft.value.with_usual("adam"))
    assert mode.view.settings.error.text == ""


def test_every_view_of_the_snapshot_can_be_brought(mode, run_async):
    async def body():
        for bring in mode.views().values():
            await bring()
            await mode.settled()
            assert not drawn(mode.view).isNull()

    run_async(body())


def test_every_action_runs(mode, run_async):
    async def body():
        for action in mode.actions():
            mode.set_steps(5)
            if action.enabled():
                action.run()
                await mode.settled()

    run_async(body())


def test_the_pane_is_closed_while_a_race_is_run(mode, run_async):
    async def body():
        mode.draft.change(OptimizersDraft(racers=tuple(OPTIMIZERS), steps=2000), "A long race")
        await asyncio.sleep(0.1)
        assert mode.runner.busy

    run_async(body())


def test_another_race_is_wanted_while_a_long_one_is_run(mode, run_async, monkeypatch):
    monkeypatch.setattr(runner, "PATIENCE", 0.05)

    async def body():
        mode.draft.change(OptimizersDraft(racers=tuple(OPTIMIZERS), steps=2000), "A long race")
        await asyncio.sleep(0.1)
        mode.draft.change(OptimizersDraft(racers=("sgd",), steps=5), "A short one")
        await mode.settled()

    run_async(body())
    assert mode.recording.length == 6 and [lane.name for lane in mode.recording.lanes] == ["sgd"]


def test_a_race_that_cannot_be_run_is_not_run_again_and_again(mode, change, monkeypatch, run_async):
    change(OptimizersDraft(surface=TYPED, text="log(x)", steps=10))
    asked = []
    monkeypatch.setattr(mode.engine, "run", lambda *a, **k: asked.append(a))

    async def body():
        for _ in range(5):
            mode.engine.activityChanged.emit()
            await asyncio.sleep(0)
        await mode.settled()

    run_async(body())
    assert asked == []


def test_with_less_motion_heads_do_not_travel(mode, change, qapp):

    change(OptimizersDraft(racers=("adam",), steps=20))
    before = theme.current()
    try:
        theme.apply(qapp, before.name, motion="off")
        mode.player.seek(7.25)
        assert mode.view.map.position == 8
    finally:
        theme.apply(qapp, before.name, motion=before.motion)


def test_where_it_was_left_is_kept(make_pane, run_async):
    pane = make_pane("expression", "optimizers")
    mode = pane.modes["optimizers"]

    async def body():
        pane.show_mode("optimizers")
        await pane.settled()
        pane.player.seek(70)
        pane.show_mode("expression")
        await pane.settled()
        saved = pane.workspace.state()
        assert saved["backprop.optimizers.scene"]["step"] == 70
        mode.restore({"version": 1, "step": 3})
        pane.workspace.restore(saved)
        pane.show_mode("optimizers")
        await pane.settled()
        assert pane.player.position == 70

    run_async(body())
