"""Any UTF-8 text file as a corpus: tokenized once, in chunks, and then memory-mapped.

The first 90 % of the characters are the train split, the rest the validation split, as in nanoGPT.
"""

import hashlib
import json
import os
import secrets
import shutil
from collections.abc import Generator, Iterator
from pathlib import Path
from typing import TypeVar

import numpy as np

from core.data.chunks import read_characters, safe_chunks
from core.data.corpus import (
    SPLITS,
    Corpus,
    StoriesCorpus,
    check_split,
    cut_windows,
    id_type,
    story_characters,
)
from core.files import mapped, not_read, read_json, write_json
from core.jobs import to_the_end
from core.tokenization import CharacterTokenizer, Tokenizer

SPLIT_RULE = "first 90 % of the characters"
Progress = tuple[float, str]  # share done, current activity
Result = TypeVar("Result")


class FileCorpus:
    """The tokens of a text file, memory-mapped. Made by `open_corpus`.

    folder   holds tokens-train.bin, tokens-validation.bin and corpus.json
    """

    def __init__(self, folder: Path) -> None:
        about = read_json(folder / "corpus.json")
        self.name: str = about["name"]
        self.vocab_size: int = about["vocab_size"]
        self.folder = folder
        kind = id_type(self.vocab_size)
        self._tokens: dict[str, np.ndarray] = {}
        for split in SPLITS:
            path, count = folder / f"tokens-{split}.bin", about["tokens"][split]
            if path.stat().st_size != count * kind.itemsize:
                raise ValueError(f"{path} was changed: delete {folder}, it will be made again")
            self._tokens[split] = mapped(path, kind)

    def tokens(self, split: str) -> np.ndarray:
        check_split(split)
        return self._tokens[split]

    def windows(self, split: str, generator: np.random.Generator, B: int, L: int) -> np.ndarray:
        name = f"the {split} split of {self.name}"
        return cut_windows(self.tokens(split), name, generator, B, L)

    def describe(self) -> str:
        train, validation = (len(self._tokens[split]) for split in SPLITS)
        return f"{self.name}: {train:,} tokens to train on, {validation:,} to validate on"


def check_text_file(path: str | Path) -> Path:
    """Returns the path of a nonempty file. Raises OSError or ValueError, with a remedy."""
    path = Path(path)
    if os.path.isdir(path):  # these also take a name that no file can have
        raise IsADirectoryError(f"{path} is a folder: choose a text file in it")
    if not os.path.exists(path):
        why = FileNotFoundError()
        raise FileNotFoundError(f"{not_read(path, why)}, or check its name")
    if not os.path.isfile(path):
        raise ValueError(f"{path} is a device or a pipe, not a file: choose a text file")
    if path.stat().st_size == 0:
        raise ValueError(f"{path.name} is empty: choose a file with text in it")
    return path


def character_tokenizer_steps(
    name_or_path: str | Path,
) -> Generator[Progress, None, CharacterTokenizer]:
    """Yields (share, message); returns the tokenizer of every character in the file, sorted.

    "stories" returns that of the stories. Raises OSError or ValueError as `prepare_corpus_steps`.
    """
    if str(name_or_path) == StoriesCorpus.name:
        return story_characters()
    path = check_text_file(name_or_path)
    size = path.stat().st_size
    characters: set[str] = set()
    for text, done in read_characters(path):
        characters.update(text)
        yield done / size, f"collecting the characters of {path.name}"
    return CharacterTokenizer(sorted(characters))


def character_tokenizer(name_or_path: str | Path) -> CharacterTokenizer:
    """Returns the result of `character_tokenizer_steps`."""
    return to_the_end(character_tokenizer_steps(name_or_path))


def prepare_corpus_steps(
    name_or_path: str | Path, tokenizer: Tokenizer, folder: str | Path
) -> Generator[Progress, None, Corpus]:
    """Yields (share, message) about every 20 ms; returns the corpus.

    name_or_path   "stories", or the path of a UTF-8 text file of any size
    folder         caches tokens, in a folder for each file and tokenizer

    Closing the generator leaves no partial files. Raises ValueError for an empty or a binary file
    and for one too short to be split, OSError if the file is missing or the disk is full.
    """
    if str(name_or_path) == StoriesCorpus.name:
        return StoriesCorpus(tokenizer)
    path = check_text_file(name_or_path)
    final = Path(folder) / f"{path.stem[:40]}-{_key(path, tokenizer)}"
    if (final / "corpus.json").exists():
        try:
            return FileCorpus(final)
        except (ValueError, KeyError, TypeError, OSError):
            shutil.rmtree(final, ignore_errors=True)
    n_characters = yield from _count_characters(path)
    n_train = int(0.9 * n_characters)
    if n_train == 0:
        raise ValueError(
            f"{path.name} holds {n_characters} characters, too few for a train and a validation "
            "split: choose a longer text"
        )
    work = Path(folder) / f".{final.name}.{secrets.token_hex(4)}.part"
    work.mkdir(parents=True)
    try:
        counts = yield from _tokenize(path, n_train, tokenizer, work)
        about = {"name": path.name, "vocab_size": tokenizer.vocab_size, "tokens": counts}
        write_json(work / "corpus.json", about | {"split": SPLIT_RULE, "characters": n_characters})
        _move(work, final)
    finally:
        shutil.rmtree(work, ignore_errors=True)
    return FileCorpus(final)


def open_corpus(name_or_path: str | Path, tokenizer: Tokenizer, folder: str | Path) -> Corpus:
    """Returns the corpus, prepared if necessary: the result of `prepare_corpus_steps`."""
    return to_the_end(prepare_corpus_steps(name_or_path, tokenizer, folder))


def _key(path: Path, tokenizer: Tokenizer) -> str:
    """Returns a key that changes with the file, the tokenizer or the split rule."""
    file = path.stat()
    about = [
        str(path.resolve()),
        file.st_size,
        file.st_mtime_ns,
        SPLIT_RULE,
        tokenizer.kind,
        tokenizer.vocabulary,
        sorted(tokenizer.special_tokens.items()),
        getattr(tokenizer, "merges", None),
    ]
    return hashlib.sha256(json.dumps(about).encode()).hexdigest()[:16]


def _count_characters(path: Path) -> Generator[Progress, None, int]:
    """Counts the characters, which also checks that the whole file is text."""
    size = path.stat().st_size
    count = 0
    for text, done in read_characters(path):
        count += len(text)
        yield 0.05 * done / size, f"reading {path.name}"
    return count


def _tokenize(
    path: Path, n_train: int, tokenizer: Tokenizer, folder: Path
) -> Generator[Progress, None, dict[str, int]]:
    """Writes both token files; returns the number of tokens in each."""
    kind = id_type(tokenizer.vocab_size)
    size = path.stat().st_size
    anywhere = tokenizer.kind == "characters"
    specials = list(tokenizer.special_tokens)
    counts = {}
    for split in SPLITS:
        place = [0]
        counts[split] = 0
        with (folder / f"tokens-{split}.bin").open("wb") as file:
            for text in safe_chunks(_part(path, split, n_train, place), specials, anywhere):
                ids = np.array(tokenizer.encode_ids(text), kind)
                file.write(ids.tobytes())
                counts[split] += len(ids)
                share = 0.05 + 0.95 * place[0] / size
                yield min(share, 1.0), f"tokenizing {path.name}"
            file.flush()
            os.fsync(file.fileno())
    return counts


def _part(path: Path, split: str, n_train: int, place: list[int]) -> Iterator[str]:
    """Yields the characters of one split; place[0] is the number of bytes read."""
    left = n_train
    for text, done in read_characters(path):
        place[0] = done
        if split == "train":
            yield text[:left]
        else:
            yield text[left:]
        left = max(0, left - len(text))
        if split == "train" and left == 0:
            return


def _move(work: Path, final: Path) -> None:
    """Moves the finished folder into place; if another process was faster, keeps its folder."""
    try:
        os.replace(work, final)
    except OSError:
        if not (final / "corpus.json").exists():
            raise
