"""A session file that somebody or something has damaged keeps nobody from starting."""

from __future__ import annotations

import json
import logging

import pytest

from explorer.engine import errors
from explorer.shell.session import Session
from tests.explorer.conftest import dispose
from tests.explorer.demo import spec


@pytest.mark.parametrize("pane", [[], {}, 3, None, "gone"])
def test_a_pane_that_is_none_is_the_first_one(qapp, run_async, tmp_path, caplog, pane):
    caplog.set_level(logging.CRITICAL)
    saved = {"format": 2, "paths": {"pane": pane, "prompt": "kept"}, "geometry": ""}
    (tmp_path / "session.json").write_text(json.dumps(saved))
    session = Session(folder=tmp_path, runs_folder=tmp_path / "runs", specs=(spec("demo"),),
                      with_torch=False)  # fmt: skip

    async def story():
        window = session.open()
        found = window.pane.objectName(), session.workspace.prompt
        await session.close()
        return found

    assert run_async(story()) == ("demo", "kept")
    dispose(session)
    errors.reports().problems.clear()
