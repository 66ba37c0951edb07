"""The location of a model with a given name, and the repositories whose models are on this machine.

"stories", "dates" and "questions" are bundled with the program; "smollm2" is a file listed in
known.toml; other names are repositories of the Hugging Face hub, in the program's data folder or
in the hub's cache. Nothing is downloaded here.
"""

from __future__ import annotations

import os
import re
from pathlib import Path

from core.files import quoted, read_json
from core.resources import data_folder, resource
from core.tokenization.known import (
    SLASH,
    cached_repositories,
    find_known,
    hub_cache,
    hub_files,
    known,
)
from core.transformer.foreign.settings import describe_json
from core.transformer.foreign.sources import INDEX_FILE, WEIGHTS_FILE
from core.transformer.weights import CONFIG_FILE

BUNDLED = "stories"
DATES = "dates"
QUESTIONS = "questions"  # an adapter for "stories": see core.finetuning
SMOLLM2 = "smollm2"
# Short names of repositories.
SHORT = {"gpt2": ("openai-community/gpt2", "gpt2")}
PART = r"\w[\w.-]{0,95}"
REPOSITORY = re.compile(f"({PART}/)?{PART}", re.ASCII)  # the oldest ones have no owner


def place_of(name_or_path: str | Path) -> tuple[Path, str]:
    """Returns the folder or file of a model, and its name.

    Raises ValueError for an invalid name, and FileNotFoundError, with a remedy, if there is no
    such model.
    """
    if not isinstance(name_or_path, str | Path) or not str(name_or_path):
        raise ValueError(
            f"{quoted(name_or_path)} names no model: give a name, such as {BUNDLED!r}, or a folder"
        )
    given = str(name_or_path)
    if given in (BUNDLED, DATES, QUESTIONS):
        return resource("models", given), given
    path = Path(name_or_path)
    if os.path.exists(path):  # also False for an invalid path
        return path, path.name if path.is_dir() else path.stem
    if given == SMOLLM2:
        return _smollm2(), SMOLLM2
    repositories = SHORT.get(given, (given,))
    for repository in repositories:
        if (cached := repository_folder(repository)) is not None:
            return cached, given
    if given in SHORT:
        raise FileNotFoundError(
            f"{given} is not on this machine: there is no {repositories[0]} in {hub_cache()}. Get "
            f"it with `python3 dev.py model {given}`, or give the folder that holds it"
        )
    raise FileNotFoundError(
        f"there is no model {quoted(given)}: give a checkpoint's folder, a folder of transformers, "
        f"a .gguf file, {BUNDLED!r}, {DATES!r}, {SMOLLM2!r}, or get one of the hub (owner/name) "
        "in the app's menu of models or with `python3 dev.py model NAME`"
    )


def _smollm2() -> Path:
    found = find_known(SMOLLM2)
    if found is not None and found.exact:
        return found.path
    for repository in dict.fromkeys(name for name, _ in known(SMOLLM2).hub):
        if (cached := repository_folder(repository)) is not None:
            return cached
    raise FileNotFoundError(
        f"{known(SMOLLM2).title} is not on this machine: get it in the app, or with `python3 "
        f"dev.py model {SMOLLM2}`"
    )


def models_folder() -> Path:
    """Returns the folder of the models that this program downloads."""
    return data_folder() / "models"


def downloaded(repository: str) -> Path:
    """Returns the path for a repository's model that this program downloads, complete or absent."""
    return models_folder() / repository.replace("/", SLASH)


def repositories_here() -> list[str]:
    """Returns the repositories of the hub whose models are on this machine and can be opened."""
    own = {path.name.replace(SLASH, "/") for path in models_folder().glob("[!.]*")}
    return sorted(filter(_can_be_opened, own.union(cached_repositories())))


def _can_be_opened(repository: str) -> bool:
    folder = repository_folder(repository)
    if folder is None:
        return False
    try:
        describe_json(read_json(folder / CONFIG_FILE), repository)
    except (OSError, ValueError):
        return False
    return True


def repository_folder(repository: str) -> Path | None:
    """Returns the folder of a repository that was downloaded, or is complete in the Hugging Face
    cache, or None.
    """
    if not REPOSITORY.fullmatch(repository):
        return None
    if (own := downloaded(repository)).is_dir():
        return own
    for config in hub_files(repository, CONFIG_FILE):
        if any((config.parent / name).is_file() for name in (WEIGHTS_FILE, INDEX_FILE)):
            return config.parent
    return None
