"""What a person has set, and what the last session looked like. JSON in the platform's folder.

A bad field falls back to its default, a broken file or one of a newer program is set aside, and
none of them stops the start.
"""

from __future__ import annotations

import contextlib
import json
import logging
import math
import os
from dataclasses import MISSING, asdict, dataclass, field, fields
from pathlib import Path
from typing import Any

import platformdirs

from core.files import write_json

FORMAT = 1
APP = "llm-explorer"
MOST_RECENT = 10
MOST_RUNS = 20
MAX_SPEED = 1e9  # stands for infinity, which JSON has not

_log = logging.getLogger(__name__)

THEMES = ("system", "light", "dark", "contrast")
MOTIONS = ("full", "reduced", "off")
BACKENDS = ("auto", "thread", "process")


@dataclass
class Settings:
    """All preferences. `check` lists what each field may be."""

    theme: str = "system"
    motion: str = "full"
    zoom: float = 1.0
    speed: float = 1.0
    run_in: str = "auto"
    inspector_tab: str = "math"
    inspector_collapsed: bool = False
    inspector_width: int = 400
    callouts_seen: bool = False
    recent: list[str] = field(default_factory=list)
    runs: list[str] = field(default_factory=list)  # opened from elsewhere than the app's own folder

    def remember(self, path: str) -> None:
        """Puts `path` on top of what was opened lately."""
        self.recent = [path, *(p for p in self.recent if p != path)][:MOST_RECENT]

    def remember_run(self, folder: str) -> None:
        """Puts a run's folder on top of those that were opened from elsewhere."""
        self.runs = [folder, *(run for run in self.runs if run != folder)][:MOST_RUNS]


def _fits(name: str, value: Any) -> bool:
    number = isinstance(value, (int, float)) and not isinstance(value, bool)
    number = number and not math.isnan(value)
    allowed = {
        "theme": value in THEMES if isinstance(value, str) else False,
        "motion": value in MOTIONS if isinstance(value, str) else False,
        "run_in": value in BACKENDS if isinstance(value, str) else False,
        "inspector_tab": value in ("math", "code", "numbers") if isinstance(value, str) else False,
        "zoom": number and 0.8 <= value <= 2.0,
        "speed": number and value > 0,
        "inspector_width": isinstance(value, int) and number and 320 <= value <= 560,
        "inspector_collapsed": isinstance(value, bool),
        "callouts_seen": isinstance(value, bool),
        "recent": isinstance(value, list) and all(isinstance(path, str) for path in value),
        "runs": isinstance(value, list) and all(isinstance(path, str) for path in value),
    }
    return bool(allowed[name])


def config_folder() -> Path:
    """Where settings and the session lie; `LLM_EXPLORER_CONFIG` chooses another folder."""
    chosen = os.environ.get("LLM_EXPLORER_CONFIG")
    return Path(chosen or platformdirs.user_config_dir(APP, appauthor=False))


def load(folder: Path | None = None) -> Settings:
    """The settings as saved; every field that does not fit is the default."""
    values = _read_known((folder or config_folder()) / "settings.json")
    settings = Settings()
    for known in fields(Settings):
        if known.name not in values:
            continue
        if _fits(known.name, values[known.name]):
            setattr(settings, known.name, values[known.name])
        else:
            default = known.default if known.default is not MISSING else "its default"
            _log.info("setting %s does not fit, taking %s", known.name, default)
    if settings.speed >= MAX_SPEED:
        settings.speed = math.inf
    return settings


def save(settings: Settings, folder: Path | None = None) -> None:
    """Writes atomically. A disk that is full or closed costs the settings, not the session."""
    values = {"format": FORMAT, **asdict(settings)}
    if math.isinf(values["speed"]):
        values["speed"] = MAX_SPEED
    write_object((folder or config_folder()) / "settings.json", values)


def load_session(folder: Path | None = None) -> dict[str, Any]:
    return _read_known((folder or config_folder()) / "session.json")


def save_session(session: dict[str, Any], folder: Path | None = None) -> None:
    write_object((folder or config_folder()) / "session.json", {"format": FORMAT, **session})


def _read_known(path: Path) -> dict[str, Any]:
    """A file of this program; one that a newer program wrote is renamed to NAME.newer."""
    values = read_object(path)
    version = values.get("format", FORMAT)
    if isinstance(version, int) and version <= FORMAT:
        return values
    _set_aside(path, ".newer")
    _log.info("%s is of format %r, newer than %d, and was set aside", path, version, FORMAT)
    return {}


def _set_aside(path: Path, ending: str) -> None:
    with contextlib.suppress(OSError):
        os.replace(path, path.with_suffix(path.suffix + ending))


def read_object(path: Path) -> dict[str, Any]:
    """A JSON object; {} when there is none. A corrupt file is renamed to NAME.bad."""
    try:
        values = json.loads(path.read_text("utf-8"))
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


def write_object(path: Path, values: dict[str, Any]) -> None:
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        write_json(path, values)
    except (OSError, ValueError) as error:
        _log.info("%s cannot be written: %s", path, error)
