"""A finished tokenizer becomes a file: where a person says, or where a run finds it."""

from __future__ import annotations

import itertools
import re
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

from PySide6.QtWidgets import QFileDialog

from core.files import write_atomically
from core.resources import data_folder
from explorer.panes.tokenizers.train.draft import TYPED

MODEL = ".model"
TOKENIZER, TEXT = "tokenizer.json", "text.txt"  # the files of one that is kept
LONGEST = 80  # characters of a folder's name
NAMES = ("Tokenizer (*.json)", "SentencePiece model (*.model)")
SENTENCEPIECE = ("sentencepiece-bpe", "unigram")


def file_name(name: str, pieces: int) -> str:
    """What a tokenizer's file is called: "wordpiece-likelihood-1000"."""
    words = re.sub(r"[^a-z0-9]+", "-", name.lower()).strip("-") or "tokenizer"
    return f"{words}-{pieces}"


def title_of(name: str, pieces: int, corpus: str) -> str:
    """What people call it: "Unigram 1,000, stories"."""
    about = {"stories": "stories", TYPED: "your text"}.get(corpus) or Path(corpus).stem
    return f"{name} {pieces:,}, {about}"


def names_for(kind: str) -> list[str]:
    """The kinds of file that a dialog offers."""
    return list(NAMES if kind in SENTENCEPIECE else NAMES[:1])


def follow(dialog: QFileDialog, chosen: str) -> None:
    """Another kind of file was chosen in the dialog: the name ends as it does."""
    ending = chosen.rpartition("*")[2].rstrip(")")
    dialog.setDefaultSuffix(ending.lstrip("."))
    for selected in dialog.selectedFiles()[:1]:
        dialog.selectFile(Path(selected).with_suffix(ending).name)


def save(tokenizer: Any, path: Path) -> Path:
    """Writes the file; blocking, so in the I/O pool. Raises ValueError or OSError."""
    if path.suffix == MODEL and tokenizer.kind not in SENTENCEPIECE:
        raise ValueError(
            f"only SentencePiece tokenizers have a {MODEL} file: save this one as tokenizer.json"
        )
    tokenizer.save(path)
    return path


def keep(tokenizer: Any, title: str, text: str | None = None) -> Path:
    """Saves it in the data folder, where a run finds it again, also later; blocking too.

    text  what it was trained on, kept beside it as TEXT for a run that reads it; None: a run finds
          the text elsewhere

    Its folder is called as people call it, for that is what they read of it. One that is there
    already is never written over: a run may need it.
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
