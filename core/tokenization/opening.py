"""Opens a tokenizer file by its content, not by its name."""

import codecs
import re
from collections.abc import Callable, Mapping
from os import PathLike
from pathlib import Path

from core.files import GET_AGAIN, not_read, open_to_read, quoted
from core.tokenization.formats.documents import tokenizer_from_document
from core.tokenization.formats.merges import PAIRS, is_vocabulary, read_vocabulary_and_merges
from core.tokenization.formats.ranks import read_ranks
from core.tokenization.formats.reading import read_bounded_json, read_bytes
from core.tokenization.formats.tekken import tekken_from_document
from core.tokenization.formats.wordlist import read_wordlist
from core.tokenization.tokenizer import Tokenizer

# File names searched for in a folder, the most complete format first.
FOLDER_FILES = (
    *("tokenizer.json", "tekken.json", "tokenizer.model", "spiece.model"),
    *("sentencepiece.bpe.model", *PAIRS, "vocab.txt"),
)
WEIGHTS = (".safetensors", ".bin", ".pt", ".pth", ".ckpt", ".h5", ".onnx")
OUR_CONFIG = b'"architecture"'  # the key of our checkpoints; other programs write "architectures"
HEAD = 4096  # bytes read to recognize a file
RANK_LINE = re.compile(rb"[A-Za-z0-9+/]+={0,2} \d+\r?\n")
JSON_START = re.compile(rb"(\xef\xbb\xbf)?\s*(\{|\[(?!\w+\]\s))")  # "[PAD]" begins a vocab.txt
PAIR_LINE = re.compile(r"[^ ]+ [^ ]+")

PICKLE = "is a pickle, which can run any code, so it is never opened: get tokenizer.json"
# First bytes of files often mistaken for a tokenizer's, with what they are and a remedy.
NO_TEXTS = (
    (b"version https://git-lfs", "stands for a file that was not fetched: run `git lfs pull`"),
    (b"PK\x03\x04", "is an archive or a pickle: unpack it, and open the tokenizer's file inside"),
    (b"\x1f\x8b", "is compressed: unpack it first"),
    *((bytes([0x80, protocol]), PICKLE) for protocol in range(2, 6)),
)
PAGE = "is a web page, not the file it offers: download it again"
NOT_TOKENIZERS = (*NO_TEXTS, (b"<!doctype", PAGE), (b"<html", PAGE))
# Byte order marks of UTF-16 and UTF-32; little-endian UTF-32 begins with the mark of UTF-16.
MARKS = (codecs.BOM_UTF16_LE, codecs.BOM_UTF16_BE, codecs.BOM_UTF32_BE)
CONTROLS = re.compile(rb"[\x00-\x08\x0e-\x1a\x1c-\x1f]")  # characters that no text contains


def open_tokenizer(
    path: str | Path,
    *,
    pattern: str | None = None,
    special_tokens: Mapping[str, int] | None = None,
    normalizer: str | None = None,
) -> Tokenizer:
    """Opens any tokenizer file, a folder that contains one, or a well-known tokenizer by name.

    Formats: tokenizer.json, SentencePiece's .model, .tiktoken, tekken.json, vocab.txt, vocab.json
    with merges.txt, and the tokenizer inside a GGUF model. Names are those of known.toml ("gpt2");
    such a tokenizer must already be on this machine.

    pattern, special_tokens, normalizer  for a .tiktoken file, which does not contain them

    Raises ValueError, with a remedy, if the file is broken, truncated, too large or of an
    unsupported kind; FileNotFoundError if there is none; and PermissionError.
    """
    given = path
    if not isinstance(path, str | PathLike):
        raise ValueError(f"{quoted(path)} is no path of a file: give a string, or a Path")
    path = Path(path)
    try:
        there = path.exists()
    except PermissionError as error:
        raise PermissionError(not_read(path, error)) from error
    except OSError:  # no file can have such a name
        there = False
    if not there:
        return open_known(str(given))
    if path.is_dir():
        path = _in_folder(path)
    try:
        kind = recognize_kind(path)
        if kind == "ranks":
            return read_ranks(path, pattern, special_tokens, normalizer)
        return READERS[kind](path)
    except (RecursionError, MemoryError) as error:
        raise ValueError(f"{path} needs more memory than a tokenizer can: {GET_AGAIN}") from error


def open_known(name: str) -> Tokenizer:
    """Opens a well-known tokenizer that is on this machine. Raises FileNotFoundError otherwise."""
    from core.tokenization.known import find_known, known_tokenizers

    entry = known_tokenizers().get(name)
    if entry is None:
        raise FileNotFoundError(
            f"there is no tokenizer {quoted(name)}: give a file, a folder that holds one, or one "
            f"of {', '.join(known_tokenizers())}"
        )
    found = find_known(name)
    if found is None:
        raise FileNotFoundError(
            f"{entry.title} is not on this machine: download it in the app, with "
            f"`python3 dev.py vocabularies {name}`, or by hand from {entry.address}"
        )
    return open_tokenizer(found.path)


def recognize_kind(path: Path) -> str:
    """Recognizes a file by its first bytes and returns its key in READERS, or "ranks".

    Raises ValueError, which says what the file is instead, for other files.
    """
    head = _head(path)
    if not head:
        raise ValueError(f"{path} is empty: {GET_AGAIN}")
    if head.startswith(b"GGUF"):
        return "gguf"
    for start, what in NOT_TOKENIZERS:
        if head[: len(start)].lower() == start.lower():
            raise ValueError(f"{path} {what}")
    if head[8:9] == b"{" and head[:1] not in b"{ \r\n\t":
        raise ValueError(f"{path} holds a model's weights, not its tokenizer: {BESIDE}")
    if RANK_LINE.match(head):
        return "ranks"
    if JSON_START.match(head):
        return "json"
    if head[:1] == b"\n" and b"\0" in head:  # a protobuf message whose first field is a message
        return "sentencepiece"
    try:
        # The head may end inside a character, and its last line may be incomplete.
        decoder = codecs.getincrementaldecoder("utf-8-sig")()
        lines = decoder.decode(head, final=len(head) < HEAD).split("\n")
    except UnicodeDecodeError:
        raise ValueError(f"{path} is no tokenizer file of a known format: {BESIDE}") from None
    if "\0" in head.decode("latin-1"):
        raise ValueError(f"{path} is no tokenizer file of a known format: {BESIDE}")
    body = lines[1:-1] if lines[0].startswith("#version") else lines[:-1]
    if body and all(PAIR_LINE.fullmatch(line.rstrip("\r")) for line in body):
        return "merges"
    return "wordlist"


def is_tokenizer(path: Path) -> bool:
    """Returns True if a file looks like a tokenizer's rather than like ordinary text, or a folder
    like a tokenizer's rather than like a model's.

    Text and a word list are both lines of words: a list is recognized by its name, by special
    pieces such as "[UNK]", or by continuing pieces ("##ing"). Text includes web pages and files not
    in UTF-8. Raises ValueError for anything else, such as an archive, and OSError if the file
    cannot be read.
    """
    if path.is_dir():
        return tokenizer_in(path) is not None and not _is_of_model(path)
    head = _head(path)
    try:
        kind = recognize_kind(path)
    except ValueError:
        if _is_text(head):
            return False
        raise
    if kind == "json":
        named = path.name.startswith(("tokenizer", "tekken", "vocab"))
        return named or any(key in head for key in JSON_KEYS) or bool(PIECE_TO_ID.match(head))
    if kind == "merges":
        return head.startswith(b"#version") or path.name.startswith("merges")
    if kind == "wordlist":
        named_so = path.name.startswith("vocab") and b" " not in head  # prose has spaces
        return named_so or any(piece in head for piece in LIST_PIECES)
    return True


def _is_of_model(folder: Path) -> bool:
    """Returns True if a folder contains weights, or the config of one of our checkpoints."""
    if any(file.suffix in WEIGHTS for file in folder.iterdir()):
        return True
    config = folder / "config.json"
    return config.is_file() and OUR_CONFIG in _head(config)


def _head(path: Path) -> bytes:
    with open_to_read(path) as file:
        return file.read(HEAD)


def _is_text(head: bytes) -> bool:
    """Returns True if a file of no known format is at least text, in any encoding."""
    if not head or any(head.startswith(start) for start, _ in NO_TEXTS):
        return False
    return head.startswith(MARKS) or CONTROLS.search(head) is None


JSON_KEYS = (b'"added_tokens"', b'"truncation"', b'"vocab"', b'"num_special_tokens"')
PIECE_TO_ID = re.compile(rb'\s*\{\s*"(?:[^"\\]|\\.)+"\s*:\s*\d+\s*,')  # the start of a vocab.json
LIST_PIECES = (b"[UNK]\n", b"[UNK]\r\n", b"[PAD]\n", b"[PAD]\r\n", b"\n##")
BESIDE = "choose tokenizer.json, a .model, .tiktoken or GGUF file, or vocab.txt"


def _in_folder(folder: Path) -> Path:
    found = tokenizer_in(folder)
    if found is None:
        raise FileNotFoundError(
            f"{folder} holds no tokenizer: put one of {', '.join(FOLDER_FILES)} there"
        )
    return found


def tokenizer_in(folder: Path) -> Path | None:
    """Returns the tokenizer file of a folder, preferring the most complete format, or None."""
    for name in FOLDER_FILES:
        if (folder / name).is_file():
            return folder / name
    for ending in ("*.tiktoken", "*.model", "*.gguf"):
        for found in sorted(folder.glob(ending)):
            return found
    return None


def _read_json(path: Path) -> Tokenizer:
    """Reads one of the three JSON formats, recognized by its keys."""
    document = read_bounded_json(path)
    if is_vocabulary(document):
        return read_vocabulary_and_merges(path)
    if isinstance(document, dict) and "model" not in document and "config" in document:
        return tekken_from_document(document, str(path))
    return tokenizer_from_document(document, str(path), read_bytes(path))


def _read_gguf(path: Path) -> Tokenizer:
    from core.tokenization.formats.gguf import read_gguf_tokenizer

    return read_gguf_tokenizer(path)


def _read_sentencepiece(path: Path) -> Tokenizer:
    from core.tokenization.formats.sentencepiece.files import open_model

    return open_model(path)


READERS: Mapping[str, Callable[[Path], Tokenizer]] = {
    "gguf": _read_gguf,
    "json": _read_json,
    "sentencepiece": _read_sentencepiece,
    "merges": read_vocabulary_and_merges,
    "wordlist": read_wordlist,
}
