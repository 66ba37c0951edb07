"""Writes finished tokenizers to a chosen file, or to the folder that training runs read from."""

from __future__ import annotations

import itertools
import re
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

from PySide6.QtWidgets import QFileDialog

from core.files import open_to_read, write_atomically
from core.resources import data_folder

MODEL = ".model"
TOKENIZER, TEXT = "tokenizer.json", "text.txt"  # the files in a folder for runs
LONGEST = 80  # characters in a folder's name
KINDS_OF_FILE = ("Tokenizer (*.json)", "SentencePiece model (*.model)")
SENTENCEPIECE = ("sentencepiece-bpe", "unigram")


def file_name(name: str, pieces: int) -> str:
    """Returns a file name: "wordpiece-likelihood-1000.json"."""
    words = re.sub(r"[^a-z0-9]+", "-", name.lower()).strip("-") or "tokenizer"
    return f"{words}-{pieces}.json"


def offer_kinds(dialog: QFileDialog, kind: str) -> None:
    """Offers the kinds of file in a dialog and keeps the suffix of the name in step with them."""

    def choose(chosen: str) -> None:
        ending = chosen.rpartition("*")[2].rstrip(")")
        dialog.setDefaultSuffix(ending.lstrip("."))
        for selected in dialog.selectedFiles()[:1]:
            dialog.selectFile(Path(selected).with_suffix(ending).name)

    dialog.setNameFilters(KINDS_OF_FILE if kind in SENTENCEPIECE else KINDS_OF_FILE[:1])
    dialog.filterSelected.connect(choose)


def save(tokenizer: Any, path: Path) -> Path:
    """Writes the file. Blocks, so call it in the I/O pool. Raises ValueError or OSError."""
    if path.suffix == MODEL and tokenizer.kind not in SENTENCEPIECE:
        raise ValueError(
            f"only SentencePiece tokenizers have a {MODEL} file: save this one as tokenizer.json"
        )
    tokenizer.save(path)
    return path


def save_for_runs(tokenizer: Any, title: str, text: str | None = None) -> Path:
    """Saves a tokenizer for training runs in the data folder and returns its file. Blocks, too.

    text  the text it was trained on, saved in the same folder as TEXT; None if runs read the text
          from elsewhere

    The folder is named after the tokenizer's title, which people see. An existing folder is never
    overwritten, since a run may need it.
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
    """Returns True if `place` has every file of `fresh` with the same content."""
    pairs = [(place / one.name, one) for one in fresh.iterdir()]
    return all(kept.is_file() and _content(kept) == _content(one) for kept, one in pairs)


def _content(path: Path) -> bytes:
    with open_to_read(path) as file:
        return file.read()


def folder_name(title: str) -> str:
    """Returns a title without characters that file names must not contain."""
    return re.sub(r'[\\/:*?"<>|\x00-\x1f]+', " ", title)[:LONGEST].strip(" .") or "tokenizer"
