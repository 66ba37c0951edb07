"""A finished tokenizer becomes a file: where a person says, or where a run finds it."""

from __future__ import annotations

import hashlib
import re
from pathlib import Path
from typing import Any

from PySide6.QtWidgets import QFileDialog

from core.resources import data_folder

MODEL = ".model"
NAMES = ("Tokenizer (*.json)", "SentencePiece model (*.model)")
SENTENCEPIECE = ("sentencepiece-bpe", "unigram")


def file_name(name: str, pieces: int) -> str:
    """What a tokenizer's file is called: "wordpiece-likelihood-1000"."""
    words = re.sub(r"[^a-z0-9]+", "-", name.lower()).strip("-") or "tokenizer"
    return f"{words}-{pieces}"


def title_of(name: str, pieces: int, corpus: str) -> str:
    """What people call it: "Unigram 1,000, stories"."""
    about = "stories" if corpus == "stories" else Path(corpus).stem
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


def keep(tokenizer: Any, name: str, pieces: int) -> Path:
    """Saves it in the data folder, where a run finds it again, also later; blocking too."""
    about = hashlib.sha256("\n".join(tokenizer.vocabulary).encode("utf-8", "replace"))
    called = f"{file_name(name, pieces)}-{about.hexdigest()[:8]}"
    folder = data_folder() / "tokenizers" / "trained" / called
    folder.mkdir(parents=True, exist_ok=True)
    return save(tokenizer, folder / "tokenizer.json")
