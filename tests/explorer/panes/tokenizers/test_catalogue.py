"""What can be chosen: the model's, trained, opened and well-known tokenizers."""

from __future__ import annotations

import asyncio
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest
from PySide6.QtCore import QObject
from PySide6.QtWidgets import QMenu, QWidget

from core.download import Progress
from core.tokenization import known
from explorer.engine import errors
from explorer.panes.tokenizers.catalogue import SPARE, Catalogue
from explorer.panes.tokenizers.tokenizer_menu import fill_menu
from tests.explorer.conftest import dispose
from tests.explorer.panes.tokenizers.small import saved_bpe, small_bpe
from tests.explorer.waiting import until


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

    run_async(body())


def test_what_no_reader_foresaw_is_told_to_all_who_asked_and_reported_once(
    catalogue, tmp_path, run_async, monkeypatch
):
    name = catalogue.add_file(saved_bpe(tmp_path / "mine.json"))
    reported = []
    monkeypatch.setattr(errors, "report", lambda error, *_: reported.append(error))

    def read(path: Path) -> Any:
        raise TypeError("a list where a text was expected")

    monkeypatch.setattr("explorer.panes.tokenizers.catalogue.open_path", read)

    async def body():
        asked = (catalogue.open(name), catalogue.open(name))
        answers = await asyncio.gather(*asked, return_exceptions=True)
        assert [type(answer) for answer in answers] == [ValueError, ValueError]
        assert "mine.json cannot be opened (a list where" in str(answers[0])
        assert catalogue.get(name) is None

    run_async(body())
    assert [type(error) for error in reported] == [TypeError]


def test_of_those_that_nobody_shows_the_last_stay_open(catalogue, tmp_path, run_async):
    files = [saved_bpe(tmp_path / f"{number}.json") for number in range(SPARE + 3)]
    names = [catalogue.add_file(path) for path in files]
    trained = catalogue.add_trained("mine", small_bpe())
    one, another = QObject(catalogue), QObject(catalogue)
    catalogue.show(one, names[:1])
    catalogue.show(another, names[1:2])

    async def body():
        for name in names:
            await catalogue.open(name)
        assert [name for name in names if catalogue.get(name) is None] == names[2:3]
        again = catalogue.get(names[3])
        assert await catalogue.open(names[3]) is again  # asked for last now
        catalogue.show(one, ())
        await catalogue.open(names[2], another)
        assert {name for name in names if catalogue.get(name) is None} == {*names[:2]}
        await catalogue.open(names[0])
        assert {name for name in names if catalogue.get(name) is None} == {names[1], names[4]}
        assert catalogue.get(names[3]) is again and catalogue.get(trained) is not None

    run_async(body())


def test_the_tokenizers_of_other_programs_are_offered(catalogue, tmp_path, run_async, monkeypatch):
    monkeypatch.setenv("HF_HUB_CACHE", str(tmp_path))
    for repository in ("somebody/tiny", "Xenova/gpt-4"):
        folder = tmp_path / f"models--{repository.replace('/', '--')}" / "snapshots" / "abc"
        folder.mkdir(parents=True)
        saved_bpe(folder / "tokenizer.json")

    async def body():
        catalogue.look()
        await catalogue.settled()
        theirs = [entry for entry in catalogue.entries if entry.id.startswith("cached:")]
        assert [entry.name for entry in theirs] == ["somebody/tiny"]  # the other is well-known
        assert catalogue.entries[-1] == theirs[0] and theirs[0].where == "Hugging Face cache"
        assert (await catalogue.open(theirs[0].id)).kind == "bpe"
        window = QWidget()
        menu = QMenu(window)
        fill_menu(menu, catalogue, (), lambda name: None, lambda: None)
        texts = [action.text() for action in menu.actions()]
        place = texts.index("In the Hugging Face cache")
        assert texts[place + 1] == "somebody/tiny" and texts.count("somebody/tiny") == 1
        return window

    dispose(run_async(body()))


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
        await until(lambda: shares, "the first share")
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
