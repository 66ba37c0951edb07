"""A window with two small panes."""

from __future__ import annotations

import pytest

from explorer import theme
from explorer.engine import errors
from explorer.shell.session import Session
from tests.explorer.conftest import dispose
from tests.explorer.demo import spec
from tests.explorer.waiting import HANGS


@pytest.fixture
def make(qapp, tmp_path, run_async):
    """Sessions with demo panes; each is closed in order."""
    made = []
    theme.apply(qapp, "light", 1.0, "full")

    def start(*specs, width=1280):
        session = Session(
            folder=tmp_path / "config",
            runs_folder=tmp_path / "runs",
            specs=specs or (spec("demo", "Demo"), spec("other", "Other")),
            with_torch=False,
        )
        made.append(session)
        window = session.open()
        window.resize(width, 720)
        window.show()
        return session, window

    def end(session):
        run_async(session.close(HANGS))
        made.remove(session)
        dispose(session)

    start.end = end
    errors.reports().problems.clear()
    yield start
    for session in list(made):
        end(session)
    errors.reports().problems.clear()
    theme.apply(qapp, "light", 1.0, "full")
