"""Writes finished tokenizers: where a person wants them, and where a run of training finds them."""

from __future__ import annotations

import itertools
import re
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

from PySide6.QtWidgets import QFileDialog

from core.files import write_atomically
from core.resources import data_folder

MODEL = ".model"
TOKENIZER, TEXT = "tokenizer.json", "text.txt"  # the files of one that a run is to find
LONGEST = 80  # characters of a folder's name
KINDS_OF_FILE = ("Tokenizer (*.json)", "SentencePiece model (*.model)")
SENTENCEPIECE = ("sentencepiece-bpe", "unigram")


def file_name(name: str, pieces: int) -> str:
    """A name for its file: "wordpiece-likelihood-1000.json"."""
    words = re.sub(r"[^a-z0-9]+", "-", name.lower()).strip("-") or "tokenizer"
    return f"{words}-{pieces}.json"


def offer_kinds(dialog: QFileDialog, kind: str) -> None:
    """Lets a dialog choose among the kinds of file; the name ends as the chosen kind does."""

    def choose(chosen: str) -> None:
        ending = chosen.rpartition("*")[2].rstrip(")")
        dialog.setDefaultSuffix(ending.lstrip("."))
        for selected in dialog.selectedFiles()[:1]:
            dialog.selectFile(Path(selected).with_suffix(ending).name)

    dialog.setNameFilters(KINDS_OF_FILE if kind in SENTENCEPIECE else KINDS_OF_FILE[:1])
    dialog.filterSelected.connect(choose)


def save(tokenizer: Any, path: Path) -> Path:
    """Writes the file; it blocks, so call it in the I/O pool. Raises ValueError or OSError."""
    if path.suffix == MODEL and tokenizer.kind not in SENTENCEPIECE:
        raise ValueError(
            f"only SentencePiece tokenizers have a {MODEL} file: save this one as tokenizer.json"
        )
    tokenizer.save(path)
    return path


def save_for_runs(tokenizer: Any, title: str, text: str | None = None) -> Path:
    """Saves it in the data folder, where a run finds it, now and later; it blocks, too.

    text  what it was trained on, saved beside it as TEXT for a run that reads it; None: a run finds
          the text elsewhere

    The folder is called by the tokenizer's title, for that is what people read of it. One that is
    there already is never overwritten: a run may need it.
    """
    folder = data_folder() / "tokenizers" / "trained"
    folder.mkdir(parents=True, exist_ok=True)
    with TemporaryDirectory(prefix=".", dir=folder) as scratch:
        fresh = Path(scratch) / "fresh"
        fresh.mkdir()
        save(tokenizer, fresh / TOKENIZER)
        if text is not None:
            write_atomically(fresh / TEXT, text)
        for number in itertools.count(1):
            place = folder / (folder_name(title) + (f" ({number})" if number > 1 else ""))
            if _holds(place, fresh):
                return place / TOKENIZER
            if not place.exists():
                return fresh.rename(place) / TOKENIZER
    raise AssertionError("there is always a next number")


def _holds(place: Path, fresh: Path) -> bool:
    """Whether a folder has every file of another, with the same content."""
    pairs = [(place / one.name, one) for one in fresh.iterdir()]
    return all(kept.is_file() and kept.read_bytes() == one.read_bytes() for kept, one in pairs)


def folder_name(title: str) -> str:
    """A title without what the names of files may not hold."""
    return re.sub(r'[\\/:*?"<>|\x00-\x1f]+', " ", title)[:LONGEST].strip(" .") or "tokenizer"
