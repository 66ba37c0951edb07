"""Settings: a bad field falls back, a broken file is set aside, nothing stops the start."""

from __future__ import annotations

import json

import pytest

from explorer.state import settings
from explorer.state.settings import Settings


def test_what_was_saved_comes_back(tmp_path):
    chosen = Settings(theme="dark", zoom=1.25, motion="off", recent=["/a", "/b"])
    settings.save(chosen, tmp_path)
    assert settings.load(tmp_path) == chosen


@pytest.mark.parametrize(
    ("name", "bad"),
    [
        ("theme", "pink"),
        ("theme", 3),
        ("zoom", "big"),
        ("zoom", 99),
        ("zoom", True),
        ("zoom", float("nan")),
        ("motion", None),
        ("zoom", 10**400),
        ("run_in", "cloud"),
        ("inspector_width", 10),
        ("inspector_collapsed", 1),
        ("recent", "path"),
        ("recent", [1]),
        ("inspector_tab", []),
        ("code_version", "fast"),
    ],
)
def test_a_bad_field_is_its_default_and_the_others_stay(tmp_path, name, bad):
    values = {"callouts_seen": True, name: bad}
    (tmp_path / "settings.json").write_text(json.dumps(values))
    loaded = settings.load(tmp_path)
    assert getattr(loaded, name) == getattr(Settings(), name)
    assert loaded.callouts_seen is True


@pytest.mark.parametrize("name", ["settings.json", "session.json"])
def test_a_file_of_a_newer_program_is_kept_aside(tmp_path, name):
    """Or an older program would write over what it does not understand."""
    path = tmp_path / name
    content = json.dumps({"format": settings.SESSION_FORMAT + 1, "theme": "dark", "window": 3})
    path.write_text(content)
    assert settings.load(tmp_path) == Settings()
    assert settings.load_session(tmp_path) == {}
    settings.save(Settings(), tmp_path)
    settings.write_object(*settings.session_file({"window": {}}, tmp_path))
    assert (tmp_path / f"{name}.newer").read_text() == content
    assert settings.load(tmp_path) == Settings()
    assert settings.load_session(tmp_path)["window"] == {}


@pytest.mark.parametrize("content", [b"", b"{", b"[]", b"\xff\xfe\x00", b"[" * 5000, b"3"])
def test_a_corrupt_file_is_renamed(tmp_path, content):
    path = tmp_path / "settings.json"
    path.write_bytes(content)
    assert settings.load(tmp_path) == Settings()
    assert not path.exists()
    assert (tmp_path / "settings.json.bad").read_bytes() == content


def test_a_folder_that_cannot_be_written_costs_only_the_settings(tmp_path):
    blocked = tmp_path / "file"
    blocked.write_text("not a folder")
    settings.save(Settings(), blocked)
    assert settings.load(blocked) == Settings()


def test_recent_holds_ten_without_repeats():
    chosen = Settings()
    for number in [*range(12), 5]:
        chosen.remember(str(number))
    assert chosen.recent[0] == "5"
    assert len(chosen.recent) == len(set(chosen.recent)) == 10
