"""Run beside another mode: the player is the shown one's, and a run goes on whoever looks."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
from PySide6.QtWidgets import QLabel

from core.training.reader import RunReader
from explorer.panes.modes import Desk, Mode, ModeSpec
from explorer.panes.training.modes import MODES
from explorer.state.tracks import ListTrack
from tests.explorer.panes.training.run.conftest import TINY, started, state_of, step_of
from tests.explorer.panes.training.run.test_lines import recorded
from tests.explorer.waiting import until


class OtherMode(Mode):
    id, title, teaches = "other", "Other", "Something else of the same run"

    def __init__(self, desk: Desk, parent: Any) -> None:
        super().__init__(desk, parent)
        self._label = QLabel(self.title)
        self.set_tracks([ListTrack(["one", "two", "three", "four", "five"])])

    def widget(self) -> QLabel:
        return self._label


@pytest.fixture
def make_two(make_training):
    """`make_two(**options)`: a pane with Run and another mode, in sight."""

    def make(**changes: str) -> Any:
        pane = make_training(MODES[0], ModeSpec("other", "Other", __name__))
        draft = pane.mode.setup.draft
        draft.begin(draft.value.change({**TINY, **changes}))
        pane.join_workspace()
        pane.show()
        pane.shown()
        return pane

    return make


async def out_of_sight(pane: Any) -> None:
    pane.left()
    await pane.settled()
    pane.hide()


def test_a_run_trains_on_while_another_mode_or_pane_is_shown(make_two, run_async):
    async def story():
        pane = make_two(steps="4000")
        run, player = pane.mode, pane.player
        folder = await started(run, 5)
        assert player.at_live_edge and player.playing and player.speed == 1.0
        for leave, back in (
            (lambda: pane.show_mode("other"), lambda: pane.show_mode("run")),
            (pane.left, pane.shown),
        ):
            leave()
            before = RunReader(folder).step
            await until(lambda: RunReader(folder).step > before + 3, "more steps")  # noqa: B023
            back()
            assert player.at_live_edge and player.playing
            await until(lambda: step_of(run) > before + 3, "them on the screen")  # noqa: B023
        run.controls.press("stop")
        await until(lambda: state_of(run) == "stopped", "the stop")
        await until(lambda: not pane.context.runs.running_here(folder), "the trainer's end")
        await out_of_sight(pane)

    run_async(story())


def test_a_replay_is_found_as_it_was_left_though_the_run_has_grown(make_two, run_async):
    async def story():
        pane = make_two(steps="4000")
        run, player = pane.mode, pane.player
        folder = await started(run, 30)
        player.pause()
        await until(lambda: state_of(run) == "paused", "the pause")
        player.seek(1)
        step, before = run.moment.step, step_of(run)
        pane.show_mode("other")
        assert (player.length, player.position) == (5, 0)
        player.seek(4)
        run.steering.step(folder)
        await until(lambda: RunReader(folder).step > before, "one more step")
        run.follower.look()
        await until(lambda: step_of(run) > before, "its news")
        assert (player.length, player.position) == (5, 4), "the player is the other mode's"
        pane.show_mode("run")
        assert run.replaying and run.moment.step == step
        assert run.track.moments[-1].step > before
        run.controls.press("stop")
        await until(lambda: state_of(run) == "stopped", "the stop")
        await until(lambda: not pane.context.runs.running_here(folder), "the trainer's end")
        await out_of_sight(pane)

    run_async(story())


def test_a_run_that_is_chosen_elsewhere_is_at_its_edge_when_run_is_shown(
    make_two, run_async, tmp_path
):
    first, second = (
        recorded(tmp_path / name, range(1, last), 0.0).folder
        for name, last in (("first", 31), ("second", 51))
    )

    async def story():
        pane = make_two()
        run, player = pane.mode, pane.player
        pane.workspace.set_run(str(first))
        await until(lambda: step_of(run) == 30, "the first run")
        player.seek(0)
        pane.show_mode("other")
        player.seek(2)
        told = pane.headline
        pane.workspace.set_run(str(second))
        await until(lambda: step_of(run) == 50, "the second run")
        assert (player.length, player.position, pane.headline) == (5, 2, told)
        pane.show_mode("run")
        assert player.track is run.track and player.at_live_edge and run.moment.step == 50
        assert pane.headline != told
        await out_of_sight(pane)

    run_async(story())


def test_what_is_opened_for_run_shows_run_and_its_actions_are_its_own(
    make_two, run_async, tmp_path
):
    text = tmp_path / "mine.txt"
    text.write_text("A kite. " * 500)

    async def story():
        pane = make_two()
        run, workspace = pane.mode, pane.workspace
        start = next(one for one in pane.actions() if one.id == "training.start")
        for told in (
            lambda: workspace.textOpened.emit(str(text)),
            lambda: workspace.train_with("stories"),
            lambda: workspace.runOpened.emit(str(tmp_path)),
        ):
            assert start.enabled()
            pane.show_mode("other")
            assert not start.enabled()
            told()
            assert pane.mode is run
        assert Path(run.setup.draft.value.corpus) == text
        await out_of_sight(pane)

    run_async(story())
