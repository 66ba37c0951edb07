"""A tokenizer that was trained here goes on: into a file, into Compare, into a model's training."""

from __future__ import annotations

import contextlib
import os
import subprocess
import sys
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from PySide6.QtWidgets import QFileDialog

from core.data import story_text
from core.tokenization import open_tokenizer
from explorer import theme
from explorer.engine import errors
from explorer.panes.specs import PANES
from explorer.panes.tokenizers.modes import MODES
from explorer.panes.tokenizers.train.draft import Lane, TrainDraft
from explorer.shell.session import Session
from tests.explorer.conftest import dispose
from tests.explorer.panes.tokenizers.small import saved_bpe
from tests.explorer.panes.training.run.conftest import TINY
from tests.explorer.waiting import HANGS, until

KINDS = ("bpe", "sentencepiece-bpe", "unigram")
SMALL = TrainDraft(
    kilobytes="20",
    vocab_size="400",
    lanes=(Lane("bpe", "hf"), Lane("sentencepiece-bpe", "bytes"), Lane("unigram", "plain")),
)
TEXT = story_text(9, 600)


async def trained(mode: Any) -> None:
    mode.draft.begin(SMALL)
    mode.start()
    mode.hurry()
    await until(lambda: mode.trainer.state == "done", "the end")


def lane_of(kind: str) -> int:
    return KINDS.index(kind)


# into a file


def save_by_dialog(mode: Any, lane: int, path: Path) -> None:
    """As a person does: Save, the kind of file, a name without an ending, Enter."""
    mode.view.cards[lane].menu.actions()[0].trigger()
    dialog = mode.stack.findChildren(QFileDialog)[-1]
    kinds = dialog.nameFilters()
    dialog.setDirectory(str(path.parent))
    chosen = kinds[-1] if path.suffix == ".model" else kinds[0]
    dialog.selectNameFilter(chosen)
    dialog.filterSelected.emit(chosen)
    assert Path(dialog.selectedFiles()[0]).suffix == path.suffix
    dialog.selectFile(path.stem)
    dialog.accept()


@pytest.fixture
def pane(make_pane: Any) -> Any:
    return make_pane(*MODES)


@pytest.mark.parametrize(("kind", "ending"), [(k, ".json") for k in KINDS])
def test_a_tokenizer_is_saved_by_the_dialog(
    pane: Any, run_async: Any, tmp_path: Path, kind: str, ending: str
) -> None:
    path, lane = tmp_path / f"mine{ending}", lane_of(kind)
    mode, said = pane.modes["train"], []
    pane.statusRequested.connect(said.append)

    async def scenario() -> None:
        pane.show_mode("train")
        await trained(mode)
        save_by_dialog(mode, lane, path)
        await until(path.exists, "the file")
        await pane.settled()

    run_async(scenario())
    ours = mode.trainer.tokenizer(lane)
    assert said[-1] == "Saved mine.json"
    assert open_tokenizer(path).encode_ids(TEXT) == ours.encode_ids(TEXT)


@pytest.mark.peers
@pytest.mark.parametrize("kind", KINDS[1:])
def test_a_model_saved_by_the_dialog_is_one_for_sentencepiece(
    pane: Any, run_async: Any, tmp_path: Path, kind: str
) -> None:
    path, lane = tmp_path / "mine.model", lane_of(kind)
    mode = pane.modes["train"]

    async def scenario() -> None:
        pane.show_mode("train")
        await trained(mode)
        save_by_dialog(mode, lane, path)
        await until(path.exists, "the file")
        await pane.settled()

    run_async(scenario())
    ours = mode.trainer.tokenizer(lane)
    size, *theirs = by_sentencepiece(path, TEXT)
    assert size == ours.vocab_size
    assert theirs == ours.encode_ids(TEXT, specials=False)
    assert open_tokenizer(path).encode_ids(TEXT) == ours.encode_ids(TEXT)


LIBRARY = """
import sys, sentencepiece
read = sentencepiece.SentencePieceProcessor(model_file=sys.argv[1])
print(read.vocab_size(), *read.encode(sys.argv[2]))
"""


def by_sentencepiece(path: Path, text: str) -> list[int]:
    """Size and ids by the library, in a process of its own: beside Qt's own it crashes at times."""
    call = [sys.executable, "-c", LIBRARY, str(path), text]
    done = subprocess.run(call, capture_output=True, text=True, timeout=HANGS, check=True)
    return [int(number) for number in done.stdout.split()]


def test_bpe_has_no_model_file_and_a_place_that_is_none_is_said(
    pane: Any, run_async: Any, tmp_path: Path
) -> None:
    mode, said = pane.modes["train"], []
    pane.statusRequested.connect(said.append)

    async def scenario() -> None:
        pane.show_mode("train")
        await trained(mode)
        await mode.save(mode.trainer.tokenizer(0), tmp_path / "mine.model")
        assert "save this one as tokenizer.json" in said[-1]
        (tmp_path / "file").write_text("no folder")
        await mode.save(mode.trainer.tokenizer(0), tmp_path / "file" / "mine.json")
        assert str(tmp_path / "file") in said[-1]

    run_async(scenario())
    assert "mine.model" not in os.listdir(tmp_path)


# into Compare, Inside and Languages


def test_compare_and_inside_show_what_was_trained(pane: Any, run_async: Any) -> None:
    train, compare, inside = (pane.modes[name] for name in ("train", "compare", "inside"))

    async def scenario() -> None:
        pane.show_mode("train")
        await trained(train)
        name = "trained:Unigram 400, stories"
        train.view.cards[2].menu.actions()[2].trigger()
        await pane.settled()
        assert pane.mode is compare and name in compare.shown_ones.ids
        compare.set_text(TEXT)
        await pane.settled()
        split = next(one for one in compare.splits.values() if one.id == name)
        assert split.tokens.ids.tolist() == train.trainer.tokenizer(2).encode_ids(TEXT)
        pane.show_mode("train")
        train.view.cards[1].menu.actions()[3].trigger()
        await pane.settled()
        assert pane.mode is inside and inside.chosen.startswith("trained:SentencePiece BPE")
        ours = train.trainer.tokenizer(1)
        assert inside.inside.ids == tuple(ours.encode_ids(inside.text))

    run_async(scenario())


# into a model's training, through a whole window


@pytest.fixture
def sitting(qapp: Any, tmp_path: Path, monkeypatch: Any) -> Any:
    """`async with sitting as session`: a window with the two panes, and torch."""
    import torch  # noqa: F401

    monkeypatch.setenv("LLM_EXPLORER_DATA", str(tmp_path / "data"))
    errors.reports().problems.clear()
    theme.apply(qapp, "light", 1.0, "off")
    session = Session(
        folder=tmp_path / "config",
        runs_folder=tmp_path / "runs",
        specs=tuple(spec for spec in PANES if spec.id in ("tokenizers", "training")),
    )
    session.settings.callouts_seen = True

    @contextlib.asynccontextmanager
    async def started() -> Any:
        session.open().show()
        session.engine.start()
        try:
            yield session
        finally:
            await session.close(HANGS)

    yield started()
    dispose(session)
    assert not errors.reports().problems
    errors.reports().problems.clear()


def test_a_model_is_trained_with_a_tokenizer_that_was_trained_here(
    sitting: Any, run_async: Any
) -> None:
    async def scenario() -> None:
        async with sitting as session:
            window = session.window
            await until(lambda: session.engine.is_ready, "torch")
            mode = window.show_pane("tokenizers").modes["train"]
            window.pane.show_mode("train")
            await trained(mode)
            ours = mode.trainer.tokenizer(2)
            mode.view.cards[2].menu.actions()[1].trigger()
            await until(lambda: window.pane.objectName() == "training", "the other pane")
            training = window.pane.mode
            await until(lambda: training.setup.draft.value.tokenizer.endswith("json"), "the file")
            training.setup.draft.begin(training.setup.draft.value.change(TINY))
            await training.settled()
            assert not training.setup.errors
            training.form.startRequested.emit()
            await until(lambda: session.workspace.run, "the run")
            folder = Path(session.workspace.run)
            kept = "checkpoints/step-*/tokenizer.json"
            await until(lambda: list(folder.glob(kept)), "a checkpoint")
            path = next(folder.glob(kept))
            assert open_tokenizer(path).encode_ids(TEXT) == ours.encode_ids(TEXT)

    run_async(scenario())


def test_a_text_that_is_opened_reaches_a_pane_that_was_not_built_yet(
    sitting: Any, run_async: Any, tmp_path: Path
) -> None:
    text = tmp_path / "mine.txt"
    text.write_text(story_text(4, 20_000))

    async def scenario() -> None:
        async with sitting as session:
            window = session.window
            await until(lambda: session.engine.is_ready, "torch")
            assert window.pane.objectName() == "tokenizers"
            assert await session.open_paths_now([text]) is False
            assert window.pane.objectName() == "training"
            await window.pane.settled()
            assert window.pane.mode.setup.draft.value.corpus == str(text)

    run_async(scenario())


@pytest.mark.parametrize("opened", ["file", "folder"])
def test_a_tokenizer_that_the_window_opens_is_looked_at_instead_of_trained_on(
    sitting: Any, run_async: Any, tmp_path: Path, opened: str
) -> None:
    file = saved_bpe(tmp_path / "tokenizer.json")
    path = tmp_path if opened == "folder" else file

    async def scenario() -> None:
        async with sitting as session:
            window = session.window
            window.show_pane("training")
            planned = window.pane.mode.setup.draft.value.corpus
            assert await session.open_paths_now([path]) is False
            assert not errors.reports().problems
            assert window.pane.objectName() == "tokenizers"
            await window.pane.settled()
            assert window.pane.mode.id == "compare"
            assert f"file:{file}" in window.pane.mode.shown_ones.ids
            assert window.panes["training"].mode.setup.draft.value.corpus == planned

    run_async(scenario())


def test_a_model_is_trained_on_the_text_that_was_typed(pane: Any, run_async: Any) -> None:
    mode, asked = pane.modes["train"], []
    pane.workspace.train_with = lambda *some: asked.append(some)

    async def scenario() -> None:
        pane.show_mode("train")
        mode.draft.begin(replace(SMALL, corpus="typed", typed=TEXT))
        mode.start()
        mode.hurry()
        await until(lambda: mode.trainer.state == "done", "the end")
        mode.use(0, "train")
        await until(lambda: bool(asked), "the wish")

    run_async(scenario())
    ((tokenizer, corpus),) = asked
    assert Path(corpus).read_text() == TEXT
    assert Path(corpus).parent == Path(tokenizer).parent
