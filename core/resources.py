"""Paths of the files shipped with the app, and of the user's own data.

The same call works in a checkout (`resources/` next to `core/`), in an installed wheel
(`core/_resources/`) and in a frozen app (`resources/` next to the bundled code).
"""

import os
import sys
from contextlib import suppress
from pathlib import Path

import platformdirs

APP_NAME = "llm-explorer"
DATA_VARIABLE = "LLM_EXPLORER_DATA"


def resource(*parts: str) -> Path:
    """Returns the path of a file or folder in resources/, such as resource("models", "stories").

    Raises FileNotFoundError with the folders that were searched.
    """
    for part in parts:
        if Path(part).is_absolute() or ".." in Path(part).parts:
            raise ValueError(f"{part!r} leaves resources/: give names inside it, one per part")
    folders = resource_folders()
    for folder in folders:
        path = folder.joinpath(*parts)
        if path.exists():
            return path
    searched = ", ".join(str(folder) for folder in folders)
    raise FileNotFoundError(
        f"the program's own file {'/'.join(parts) or 'resources'} is missing (searched "
        f"{searched}): install LLM Explorer again, or run it from a complete checkout"
    )


def resource_folders() -> list[Path]:
    """Returns the folders that may contain resources/, the most specific one first."""
    core = Path(__file__).resolve().parent
    folders = [core / "_resources", core.parent / "resources"]
    frozen = getattr(sys, "_MEIPASS", None)
    if frozen is not None:
        folders.insert(0, Path(frozen) / "resources")
    return folders


def is_checkout() -> bool:
    """Returns True if the program runs from its sources, next to dev.py."""
    return (Path(__file__).resolve().parents[1] / "dev.py").is_file()


def data_folder() -> Path:
    """Returns the folder for this user's caches and runs; creates it if missing and permitted.

    The environment variable LLM_EXPLORER_DATA selects another folder.
    """
    chosen = os.environ.get(DATA_VARIABLE)
    folder = Path(chosen) if chosen else Path(platformdirs.user_data_dir(APP_NAME, appauthor=False))
    with suppress(OSError):  # readers can do without; writers report the problem
        folder.mkdir(parents=True, exist_ok=True)
    return folder
