"""Snapshots draw every view in light and dark without a sleep; the self-test passes."""

from __future__ import annotations

import os
import subprocess
import sys
from dataclasses import replace
from pathlib import Path

import pytest
from PySide6.QtGui import QImage

from explorer import theme
from explorer.shell import session
from explorer.studio import snapshot
from tests.explorer.demo import broken_spec, spec
from tests.explorer.waiting import HANGS

ROOT = Path(__file__).parents[3]


@pytest.fixture
def quick(monkeypatch, qapp):
    """Sessions without torch that have nothing to open."""

    async def begin(self, *_):
        self.engine.start()

    monkeypatch.setattr(session.Session, "begin", begin)
    yield monkeypatch
    theme.apply(qapp, "light", 1.0, "full")


def test_every_view_is_drawn_light_and_dark(qapp, run_async, tmp_path, quick):
    quick.setattr(session, "built", lambda: (spec("demo"), spec("other")))
    assert run_async(snapshot.run(qapp, tmp_path / "out", [(1280, 720), (1440, 900)])) == 0
    names = {path.stem for path in (tmp_path / "out").glob("*.png")}
    assert names == {
        f"{pane}-{view}-{look}-{size}"
        for pane in ("demo", "other")
        for view in ("start", "end")
        for look in ("light", "dark")
        for size in ("1280x720", "1440x900")
    }
    light = QImage(str(tmp_path / "out" / "demo-end-light-1440x900.png"))
    dark = QImage(str(tmp_path / "out" / "demo-end-dark-1440x900.png"))
    assert (light.width(), light.height()) == (1440, 900)
    assert light.pixelColor(700, 400).lightness() > 200 > dark.pixelColor(700, 400).lightness()


def drawn(folder):
    return {path.stem.removesuffix("-1280x720") for path in folder.glob("*.png")}


@pytest.mark.parametrize(
    ("only", "expected"),
    [
        (["other"], {"other-start", "other-end"}),
        (["demo-end"], {"demo-end"}),
        (["other-start", "demo"], {"other-start", "demo-start", "demo-end"}),
    ],
)
def test_one_size_unless_asked_and_only_what_is_asked(
    qapp, run_async, tmp_path, quick, only, expected
):
    quick.setattr(session, "built", lambda: (spec("demo"), spec("other")))
    assert run_async(snapshot.run(qapp, tmp_path, only=only)) == 0
    assert drawn(tmp_path) == {f"{view}-{look}" for view in expected for look in ("light", "dark")}


@pytest.mark.parametrize(
    ("name", "known"),
    [("nothing", "demo, other"), ("demo-sta", "demo-start, demo-end"), ("", "demo, other")],
)
def test_an_unknown_name_is_answered_with_those_there_are(
    qapp, run_async, tmp_path, quick, capsys, name, known
):
    quick.setattr(session, "built", lambda: (spec("demo"), spec("other")))
    assert run_async(snapshot.run(qapp, tmp_path, only=[name])) == 2
    assert repr(name) in (said := capsys.readouterr().err) and said.endswith(f"{known}\n")
    assert not drawn(tmp_path)


@pytest.mark.parametrize("place", ["file", "file/below", "/dev/null/pictures"])
def test_a_folder_that_takes_no_pictures_is_told_before_any_is_drawn(
    qapp, run_async, tmp_path, quick, capsys, place
):
    (tmp_path / "file").write_text("mine")
    quick.setattr(session, "built", lambda: (spec("demo"),))
    assert run_async(snapshot.run(qapp, tmp_path / place)) == 1
    said = capsys.readouterr()
    assert "choose another folder" in said.err and not said.out
    assert (tmp_path / "file").read_text() == "mine"


def test_the_options_of_the_program_reach_the_snapshot(monkeypatch, run_async):
    from explorer import __main__ as entry
    from explorer import app

    asked, options = [], []
    monkeypatch.setattr(app, "run", lambda given: options.append(given) or 0)

    async def noted(_app, folder, sizes, only):
        asked.append((str(folder), len(sizes), only))
        return 0

    monkeypatch.setattr(snapshot, "run", noted)
    for more in (["--all-sizes"], ["--only", "demo", "--only", "other-end"], ["--size", "800x600"]):
        assert entry.main(["--snapshot", "out", *more]) == 0
        assert run_async(app.main(None, options.pop(), "")) == 0
    assert asked == [("out", 3, []), ("out", 1, ["demo", "other-end"]), ("out", 1, [])]


def test_a_pane_that_cannot_be_built_is_told(qapp, run_async, tmp_path, quick, capsys, caplog):
    caplog.set_level("CRITICAL")
    quick.setattr(session, "built", lambda: (broken_spec(),))
    assert run_async(snapshot.run(qapp, tmp_path / "out", [(1280, 720)])) == 1
    assert "could not be built" in capsys.readouterr().err


@pytest.mark.full  # a smoke test runs it in a real window
def test_the_self_test_passes_in_this_checkout(tmp_path):
    environment = {
        **os.environ,
        "LLM_EXPLORER_CONFIG": str(tmp_path),
        "LLM_EXPLORER_DATA": str(tmp_path),
    }
    done = subprocess.run(
        [sys.executable, "-m", "explorer", "--self-test"],
        cwd=ROOT,
        env=environment,
        capture_output=True,
        text=True,
        timeout=HANGS,
    )
    assert done.returncode == 0, done.stderr
    for part in (
        "window",
        "pane attention",
        "pane tokenizers",
        "pane backprop",
        "backprop",
        "pane training",
        "code",
        "training",
    ):
        assert f"self-test: {part} works" in done.stdout


def test_a_view_that_cannot_be_brought_about_takes_no_other_with_it(
    qapp, run_async, tmp_path, quick, capsys
):
    def create(context):
        pane = spec("demo").create(context)
        views = pane.views()
        pane.views = lambda: {"wrong": lambda: 1 / 0, **views}
        return pane

    quick.setattr(session, "built", lambda: (replace(spec("demo"), create=create),))
    assert run_async(snapshot.run(qapp, tmp_path / "out", [(1280, 720)])) == 1
    assert "snapshot: demo-wrong: ZeroDivisionError" in capsys.readouterr().err
    assert {name.rpartition("-")[0] for name in drawn(tmp_path / "out")} == {
        "demo-start",
        "demo-end",
    }
