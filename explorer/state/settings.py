"""The user's settings and the last session, as JSON in the platform's settings folder.

A bad field falls back to its default, a broken file or one of a newer program is set aside, and
none of them stops the start.
"""

from __future__ import annotations

import contextlib
import errno
import logging
import os
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import platformdirs

from core.fields import field, fields_of, lenient, to_json
from core.files import read_json, write_json

FORMAT = 1  # of the settings file
SESSION_FORMAT = 2  # since 2: values by workspace path
APP = "llm-explorer"
CHOSEN = "LLM_EXPLORER_CONFIG"  # environment variable for another folder
MOST_RECENT = 10
MOST_RUNS = 20

_log = logging.getLogger(__name__)

THEMES = ("system", "light", "dark", "contrast")
MOTIONS = ("full", "reduced", "off")
BACKENDS = ("auto", "thread", "process")
TABS = ("math", "code", "numbers")
CODE_VERSIONS = ("plain", "running")


@dataclass
class Settings:
    """All preferences with their permitted values."""

    theme: str = field("system", choices=THEMES)
    motion: str = field("full", choices=MOTIONS)
    zoom: float = field(1.0, least=0.8, most=2)
    run_in: str = field("auto", choices=BACKENDS)
    inspector_tab: str = field("math", choices=TABS)
    code_version: str = field("plain", choices=CODE_VERSIONS)
    inspector_collapsed: bool = False
    inspector_width: int = field(400, least=320, most=560)
    callouts_seen: bool = False
    recent: list[str] = field(factory=list)
    runs: list[str] = field(factory=list)  # opened from outside the app's own folder

    def remember(self, path: str) -> None:
        """Moves `path` to the top of the recently opened ones."""
        self.recent = [path, *(p for p in self.recent if p != path)][:MOST_RECENT]

    def remember_run(self, folder: str) -> None:
        """Moves a run's folder to the top of those opened from elsewhere."""
        self.runs = [folder, *(run for run in self.runs if run != folder)][:MOST_RUNS]


def config_folder() -> Path:
    """Returns the folder of settings and session; `LLM_EXPLORER_CONFIG` chooses another one."""
    chosen = os.environ.get(CHOSEN)
    return Path(chosen or platformdirs.user_config_dir(APP, appauthor=False))


def load(folder: Path | None = None) -> Settings:
    """Loads the settings; every invalid field has its default."""
    values = _read_known((folder or config_folder()) / "settings.json")
    settings = lenient(Settings, values)
    for name, about in fields_of(Settings).items():
        try:
            about.read(values.get(name, about.default))
        except ValueError as error:
            _log.info("the setting %s; its default is taken", error)
    return settings


def save(settings: Settings, folder: Path | None = None) -> None:
    """Writes atomically. On a full or read-only disk only the settings are lost."""
    write_object(*settings_file(settings, folder))


def settings_file(settings: Settings, folder: Path | None = None) -> tuple[Path, dict[str, Any]]:
    """Returns the path and the JSON of the settings file."""
    values = {"format": FORMAT, **to_json(settings)}
    return (folder or config_folder()) / "settings.json", values


def load_session(folder: Path | None = None) -> dict[str, Any]:
    """Loads the session file, of this format or an older one; {} if there is none."""
    return _read_known((folder or config_folder()) / "session.json", SESSION_FORMAT)


def session_file(
    session: dict[str, Any], folder: Path | None = None
) -> tuple[Path, dict[str, Any]]:
    """Returns the path and the JSON of the session file."""
    values = {"format": SESSION_FORMAT, **session}
    return (folder or config_folder()) / "session.json", values


def _read_known(path: Path, newest: int = FORMAT) -> dict[str, Any]:
    """Reads a file of this program; renames one that a newer program wrote to NAME.newer."""
    values = read_object(path)
    version = values.get("format", 1)
    if isinstance(version, int) and version <= newest:
        return values
    _set_aside(path, ".newer")
    _log.info("%s is of format %r, newer than %d, and was set aside", path, version, newest)
    return {}


def _set_aside(path: Path, ending: str) -> None:
    with contextlib.suppress(OSError):
        os.replace(path, path.with_suffix(path.suffix + ending))


def read_object(path: Path) -> dict[str, Any]:
    """Reads a JSON object; {} if there is none. Renames a corrupt file to NAME.bad."""
    try:
        values = read_json(path)
        if not isinstance(values, dict):
            raise ValueError("not an object")
        return values
    except FileNotFoundError:
        return {}
    except OSError as error:
        _log.info("%s cannot be read: %s", path, error)
        return {}
    except (ValueError, RecursionError):
        _set_aside(path, ".bad")
        _log.info("%s is corrupt and was set aside", path)
        return {}


def write_object(path: Path, values: dict[str, Any]) -> str:
    """Writes atomically; returns why the file cannot be written, with the remedy, or ""."""
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        write_json(path, values)
    except (OSError, ValueError) as error:
        _log.info("%s cannot be written: %s", path, error)
        return why_not_kept(path, error)
    return ""


def why_not_kept(path: Path, error: OSError | ValueError) -> str:
    """Returns the message for the user when settings or session cannot be written."""
    number = error.errno if isinstance(error, OSError) else None
    full = number in (errno.ENOSPC, errno.EDQUOT)
    remedy = "make room on the disk" if full else "allow writing there"
    return (
        f"{path.parent} cannot be written ({os.strerror(number) if number else error}), so the "
        f"next start knows nothing of this session: {remedy}, or set {CHOSEN} to another folder"
    )
