"""What can be chosen: the model's, trained, opened and well-known tokenizers."""

from __future__ import annotations

import asyncio
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest

from core.download import Progress
from core.tokenization import known
from explorer.panes.tokenizers.catalogue import Catalogue
from tests.explorer.conftest import dispose
from tests.explorer.panes.tokenizers.small import saved_bpe, small_bpe


@pytest.fixture
def catalogue(context):
    catalogue = Catalogue(context)
    yield catalogue
    dispose(catalogue)


def test_the_models_tokenizer_is_the_first(catalogue, context):
    assert not catalogue.entries[0].here and catalogue.get("model") is None
    source = SimpleNamespace(name="mine", tokenizer=small_bpe(), close=lambda: None)
    context.workspace.set_model_source(source)
    first = catalogue.entries[0]
    assert (first.id, first.name, first.here) == ("model", "mine", True)
    opened = catalogue.get("model")
    assert opened.tokenizer is source.tokenizer and opened.ours
    assert opened.words == f"BPE, {source.tokenizer.vocab_size} pieces"


def test_a_file_is_read_once_however_often_it_is_asked_for(catalogue, tmp_path, run_async):
    name = catalogue.add_file(saved_bpe(tmp_path / "tokenizer.json"))

    async def body():
        first, second = await asyncio.gather(catalogue.open(name), catalogue.open(name))
        assert first is second is catalogue.get(name)
        assert first.kind == "bpe" and first.tokenizer.encode_ids("the cat")
        assert catalogue.entry(name).name == tmp_path.name

    run_async(body())


def test_a_broken_file_says_so_and_can_be_tried_again(catalogue, tmp_path, run_async):
    path = tmp_path / "tokenizer.json"
    path.write_text("{}")
    name = catalogue.add_file(path)

    async def body():
        with pytest.raises(ValueError, match="choose"):
            await catalogue.open(name)
        saved_bpe(path)
        assert (await catalogue.open(name)).kind == "bpe"
        with pytest.raises(ValueError, match="not on this machine"):
            await catalogue.open("known:nothing")
        catalogue.remove(name)
        assert catalogue.entry(name) is None and catalogue.get(name) is None

    run_async(body())


def test_a_trained_one_replaces_its_namesake(catalogue, run_async):
    name = catalogue.add_trained("BPE of stories", small_bpe(265))
    assert catalogue.add_trained("BPE of stories", small_bpe(270)) == name

    async def body():
        assert (await catalogue.open(name)).vocab_size == 270

    run_async(body())
    assert [entry.id for entry in catalogue.entries].count(name) == 1


def test_well_known_ones_are_listed_whether_they_are_here_or_not(catalogue, run_async):
    async def body():
        catalogue.look()
        await catalogue.settled()
        listed = {entry.id: entry for entry in catalogue.entries}
        for name, one in known.known_tokenizers().items():
            entry = listed[f"known:{name}"]
            assert (entry.name, entry.license) == (one.title, one.license)
            assert entry.here == bool(entry.where)

    run_async(body())


def test_a_download_tells_its_progress_and_can_be_cancelled(
    catalogue, tmp_path, run_async, monkeypatch
):
    gate: dict[str, Any] = {"go": False}

    def steps(name: str) -> Any:
        for done in range(1, 5):
            while not gate["go"] and done == 3:
                yield Progress(done, 4)
            yield Progress(done, 4)
        return saved_bpe(tmp_path / "tokenizer.json")

    monkeypatch.setattr(known, "find_known", lambda name: None)
    monkeypatch.setattr("core.tokenization.getting.get_steps", steps)
    shares: list[float] = []
    catalogue.progressed.connect(lambda name: shares.append(catalogue.downloading(name)))

    async def body():
        catalogue.look()
        await catalogue.settled()
        catalogue.download("known:gpt2")
        async with asyncio.timeout(20):
            while not shares:
                await asyncio.sleep(0.01)
        catalogue.cancel("known:gpt2")
        await catalogue.settled()
        assert catalogue.downloading("known:gpt2") is None
        assert not catalogue.entry("known:gpt2").here
        gate["go"] = True
        catalogue.download("known:gpt2")
        await catalogue.settled()
        entry = catalogue.entry("known:gpt2")
        assert entry.here and Path(entry.path).is_file()
        assert (await catalogue.open("known:gpt2")).kind == "bpe"

    run_async(body())
    assert shares[0] > 0


def test_a_download_that_fails_says_why(catalogue, run_async, monkeypatch):
    def steps(name: str) -> Any:
        yield Progress(1, 4)
        raise ConnectionError("the line broke; try again")

    monkeypatch.setattr(known, "find_known", lambda name: None)
    monkeypatch.setattr("core.tokenization.getting.get_steps", steps)
    told = []
    catalogue.failed.connect(lambda name, message: told.append((name, message)))

    async def body():
        catalogue.look()
        await catalogue.settled()
        catalogue.download("known:gpt2")
        await catalogue.settled()

    run_async(body())
    assert told == [("known:gpt2", "the line broke; try again")]
    assert not catalogue.entry("known:gpt2").here
