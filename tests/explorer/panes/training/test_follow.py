"""How a run reaches the pane: what does not depend on the mode that shows it."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from core.training.runs import create_run
from explorer.panes.training.modes import MODES
from tests.core.training.small import small_config
from tests.explorer.waiting import until


def test_a_run_is_not_read_while_the_loop_stands_still(
    make_training: Any, run_async: Any, tmp_path: Path
) -> None:
    """Qt sends a timer's events then, too."""
    run = create_run(tmp_path / "run", small_config(tmp_path))
    panes: list[Any] = []

    async def body() -> None:
        panes.append(make_training(MODES[2]))
        panes[0].join_workspace()
        panes[0].shown()
        panes[0].mode.workspace.set_run(str(run))
        await until(lambda: panes[0].mode.data is not None, "the run")

    run_async(body())
    followers = panes[0].mode.followers
    for follower in followers:
        follower.look()
    assert followers[0].data is not None and followers[0].data.folder == run
