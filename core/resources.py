"""Where the files that come with the program lie, and where a person's own data goes.

The same call works in a checkout (`resources/` beside `core/`), in an installed wheel
(`core/_resources/`) and in a frozen app (`resources/` beside the bundled code).
"""

import os
import sys
from contextlib import suppress
from pathlib import Path

import platformdirs

APP_NAME = "llm-explorer"
DATA_VARIABLE = "LLM_EXPLORER_DATA"


def resource(*parts: str) -> Path:
    """The path of a file or folder in resources/, for example resource("models", "stories").

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
    """The folders that may hold resources/, the most specific one first."""
    core = Path(__file__).resolve().parent
    folders = [core / "_resources", core.parent / "resources"]
    frozen = getattr(sys, "_MEIPASS", None)
    if frozen is not None:
        folders.insert(0, Path(frozen) / "resources")
    return folders


def is_checkout() -> bool:
    """Whether the program runs from its sources, with dev.py beside them."""
    return (Path(__file__).resolve().parents[1] / "dev.py").is_file()


def data_folder() -> Path:
    """The folder for caches and runs of this user; it is created when missing and that is allowed.

    The environment variable LLM_EXPLORER_DATA chooses another one.
    """
    chosen = os.environ.get(DATA_VARIABLE)
    folder = Path(chosen) if chosen else Path(platformdirs.user_data_dir(APP_NAME, appauthor=False))
    with suppress(OSError):  # who only reads can do without; who writes there says what is wrong
        folder.mkdir(parents=True, exist_ok=True)
    return folder
