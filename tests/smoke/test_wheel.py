"""The wheel holds all that the program needs: its resources, and the sources that it shows."""

import os
import zipfile

import pytest

from tests.explorer.waiting import HANGS
from tests.smoke.conftest import ROOT

FOREIGN = """
import inspect, sys
import core, core.trace
from core.resources import resource
assert core.__file__.startswith(sys.argv[1]), core.__file__
assert resource("icons", "play.svg").is_relative_to(sys.argv[1])
where = core.source("core.transformer.attention:attend#scores")
print(where.lines[where.marked].split("#")[0].strip())
"""


@pytest.fixture(scope="module")
def wheel(tmp_path_factory):
    import subprocess
    import sys

    folder = tmp_path_factory.mktemp("wheel")
    command = [sys.executable, "-m", "hatchling", "build", "-t", "wheel", "-d", str(folder)]
    subprocess.run(command, cwd=ROOT, check=True, capture_output=True, timeout=HANGS)
    (path,) = folder.glob("*.whl")
    return path


def test_a_wheel_holds_every_source_and_resource(wheel):
    with zipfile.ZipFile(wheel) as archive:
        inside = set(archive.namelist())
    for package in ("core", "explorer"):
        sources = {path.relative_to(ROOT).as_posix() for path in (ROOT / package).rglob("*.py")}
        assert sources <= inside
    for path in (ROOT / "resources").rglob("*"):
        if path.is_file():
            assert f"core/_resources/{path.relative_to(ROOT / 'resources').as_posix()}" in inside
    assert not [name for name in inside if name.startswith("tests")]


def test_an_installed_wheel_finds_its_resources_and_its_sources(wheel, tmp_path, run_python):
    with zipfile.ZipFile(wheel) as archive:
        archive.extractall(tmp_path / "site")
    site = str(tmp_path / "site")
    environment = {**os.environ, "PYTHONPATH": site}
    result = run_python("-c", FOREIGN, site, cwd=tmp_path, env=environment)
    assert result.stdout.strip() == "scores = q @ k.mT", result.stderr
