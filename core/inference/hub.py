"""Downloads from the Hugging Face hub: the files of a repository that make up a model.

The hub lists the files, their sizes and, for large ones, their SHA-256, which allows interrupted
downloads to resume. Files are collected in a hidden folder for each revision, which is renamed to
its final name once it is complete.
"""

from __future__ import annotations

import contextlib
import os
import re
import shutil
import time
from collections.abc import Generator, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from core.download import TIMEOUT, Progress, download_steps
from core.files import GET_AGAIN, MEGABYTE, quoted, read_json
from core.inference.model_places import (
    REPOSITORY,
    SHORT,
    SMOLLM2,
    downloaded,
    models_folder,
    repository_folder,
)
from core.inference.usage import GENERATION_CONFIG, TEMPLATE_FILE, TOKENIZER_CONFIG
from core.memory import check_large
from core.tokenization.getting import get_steps
from core.tokenization.known import SLASH
from core.tokenization.opening import FOLDER_FILES
from core.transformer.foreign.settings import describe_json
from core.transformer.foreign.sources import CONVERT, INDEX_FILE, PICKLES, WEIGHTS_FILE
from core.transformer.parameters import parameter_count
from core.transformer.weights import CONFIG_FILE, DTYPES

HUB = "https://huggingface.co"
ADDRESS_VARIABLE = "HF_ENDPOINT"  # as in the hub's own library
SHARD = re.compile(r"model-\d{1,6}-of-\d{1,6}\.safetensors")
BESIDE = (*FOLDER_FILES, TOKENIZER_CONFIG, GENERATION_CONFIG, TEMPLATE_FILE)
PART = ".part"
MAX_LISTING = 8 * MEGABYTE  # size of the listing for a repository with thousands of files
MAX_SMALL = 64 * MEGABYTE  # a tokenizer with 262,144 pieces takes 33


@dataclass(frozen=True, slots=True)
class HubFile:
    """A file of a repository; sha256 is None for small files, which the hub lists without it."""

    name: str
    size: int
    sha256: str | None


def get_model_steps(
    name: str, *, large: bool = True, timeout: float = TIMEOUT
) -> Generator[Progress, None, Path]:
    """Downloads a model for `core.load(name)`: "smollm2", "gpt2", or a repository of the hub,
    "owner/name". Yields a Progress for every 256 kB, over all files together; returns the path.

    large  False: raises LargeModelError, before the weights, for a model that needs much memory

    If it is closed early, the next try resumes there. After `timeout` seconds without a byte, the
    connection counts as lost. Raises ValueError, with a remedy, for an invalid name, and for a
    repository that does not exist, is not public, or holds no model that can be opened;
    ConnectionError if the connection fails, and OSError if the disk does.
    """
    if name == SMOLLM2:
        return (yield from get_steps(SMOLLM2, timeout=timeout))
    repository = SHORT.get(name, (name,))[0]
    if not REPOSITORY.fullmatch(repository):
        raise ValueError(
            f"{quoted(name)} is not a model on the hub: give its owner and its name, as in "
            "'openai-community/gpt2'"
        )
    if (here := repository_folder(repository)) is not None:
        return here
    target = downloaded(repository)
    revision, listed = yield from _listing_steps(repository, target, timeout)
    gathered = target.with_name(f".{target.name}.{revision[:12]}{PART}")
    total = sum(file.size for file in listed)
    begun = time.monotonic()
    done = earlier = 0  # downloaded bytes, and those of an earlier try
    for file in listed:
        path, resumed = gathered / file.name, file.size
        if not path.is_file():
            address = f"{_hub()}/{repository}/resolve/{revision}/{file.name}"
            for told in download_steps(
                address, path, sha256=file.sha256, size=file.size, timeout=timeout
            ):
                resumed = told.resumed_from
                seconds = time.monotonic() - begun
                yield Progress(done + told.done, total, earlier + resumed, seconds)
        if file.name == CONFIG_FILE:  # first, to reject a model before its weights
            try:
                _check_config(path, repository, large)
            except ValueError:
                path.unlink()
                with contextlib.suppress(OSError):  # an earlier try has left weights
                    gathered.rmdir()
                raise
        done, earlier = done + file.size, earlier + resumed
        yield Progress(done, total, earlier, time.monotonic() - begun)
    os.replace(gathered, target)
    for old in target.parent.glob(f".{target.name}.*{PART}"):  # of earlier revisions
        shutil.rmtree(old, ignore_errors=True)
    return target


def repositories_begun() -> list[str]:
    """Returns the repositories with an interrupted download, which resumes at the next try."""
    folders = models_folder().glob(f".*{PART}")  # ".owner--name.REVISION.part"
    return sorted({path.name[1:].rsplit(".", 2)[0].replace(SLASH, "/") for path in folders})


def _check_config(path: Path, repository: str, large: bool) -> None:
    """Raises ValueError for a model that cannot be opened, or that needs the user's consent."""
    config = describe_json(read_json(path), f"{repository}'s {CONFIG_FILE}").config
    if not large:
        check_large(repository, parameter_count(config) * DTYPES["float32"].itemsize)


def _hub() -> str:
    return os.environ.get(ADDRESS_VARIABLE, HUB).rstrip("/")


def _listing_steps(
    repository: str, target: Path, timeout: float
) -> Generator[Progress, None, tuple[str, list[HubFile]]]:
    """Returns the newest revision and its files that make up a model, config.json first."""
    address = f"{_hub()}/api/models/{repository}?blobs=true"
    path = target.with_name(f".{target.name}.json")
    try:
        steps = download_steps(address, path, max_bytes=MAX_LISTING, timeout=timeout)
        yield from (Progress(0, None, 0, told.seconds) for told in steps)
    except ValueError as error:
        raise ValueError(
            f"{repository} is not among the hub's models, or not open to everyone: check its name "
            f"at {_hub()} ({error})"
        ) from error
    try:
        listing = read_json(path)
    finally:
        path.unlink()
    revision = listing.get("sha") if isinstance(listing, dict) else None
    files = listing.get("siblings") if isinstance(listing, dict) else None
    if not isinstance(revision, str) or not re.fullmatch("[0-9a-f]{40}", revision):
        raise ValueError(f"{address} does not say which revision is the newest: {GET_AGAIN}")
    found = {file.name: file for file in _files(files)}
    weights = [WEIGHTS_FILE] if WEIGHTS_FILE in found else sorted(filter(SHARD.fullmatch, found))
    index = [INDEX_FILE] if weights != [WEIGHTS_FILE] else []
    if not weights and any(Path(name).suffix in PICKLES for name in found):
        raise ValueError(f"{repository} has its weights only as a pickle: {CONVERT}")
    needed = [CONFIG_FILE, *index, *weights]
    if not weights or any(name not in found for name in needed):
        raise ValueError(
            f"{repository} holds no model that can be opened, with {CONFIG_FILE} and safetensors: "
            "choose another; a .gguf file can be opened after you download it yourself"
        )
    beside = [name for name in BESIDE if name in found]
    return revision, [found[name] for name in (CONFIG_FILE, *index, *beside, *weights)]


def _files(given: Any) -> Iterator[HubFile]:
    """Yields the files in the repository's top folder that have a valid description."""
    for one in given if isinstance(given, list) else ():
        values = one if isinstance(one, dict) else {}
        name, size, large = (values.get(key) for key in ("rfilename", "size", "lfs"))
        if not isinstance(name, str) or "/" in name or type(size) is not int or size < 0:
            continue
        sha256 = large.get("sha256") if isinstance(large, dict) else None
        if not isinstance(sha256, str) or not re.fullmatch("[0-9a-f]{64}", sha256):
            sha256 = None
            if size > MAX_SMALL:
                continue
        yield HubFile(name, size, sha256)
