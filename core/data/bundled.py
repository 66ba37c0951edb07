"""The tokenizers shipped with the app: four algorithms, trained on one text to one size.

Byte-level BPE belongs to the bundled model; the three others are in resources/tokenizers with
record.json, which records how they were made. `python -m core.data.bundled` trains them again, with
the same pieces each time.
"""

import argparse
import sys
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

from core.data.stories import story
from core.download import file_sha256
from core.files import write_json
from core.resources import resource
from core.tokenization import Tokenizer, train_tokenizer

VOCAB_SIZE = 1536
TOKENIZER_STORIES = 6000  # from seed 0
READ_STORIES = range(5_000_001, 5_000_101)  # in neither split: they measure bytes per token
RECORD_FILE = "record.json"

# Settings of each algorithm besides text and size. Bytes are BPE's alphabet; SentencePiece falls
# back to them as in Llama 2, so these three can encode any text. WordPiece has no such fallback:
# characters outside its alphabet become [UNK].
OPTIONS: Mapping[str, Mapping[str, Any]] = {
    "bpe": {},
    "wordpiece": {},
    "sentencepiece-bpe": {"normalizer": "identity", "byte_fallback": True},
    "unigram": {"normalizer": "identity", "byte_fallback": True},
}


def tokenizer_texts() -> Iterator[str]:
    """Yields the training text of all four."""
    return (story(seed) for seed in range(TOKENIZER_STORIES))


def train_bundled_tokenizer(kind: str) -> Tokenizer:
    """Trains one of the four: "bpe", "wordpiece", "sentencepiece-bpe" or "unigram"."""
    return train_tokenizer(kind, tokenizer_texts(), VOCAB_SIZE, **OPTIONS[kind])


def bundled_tokenizer_file(kind: str) -> Path:
    """Returns the path of the stored one. Raises FileNotFoundError if the app is incomplete."""
    if kind == "bpe":
        return resource("models", "stories", "tokenizer.json")
    return resource("tokenizers", f"{kind}.json")


def export_tokenizers(folder: Path) -> dict[str, Any]:
    """Trains all four and stores in `folder` those that are not the model's, with their record,
    which it returns.
    """
    measured: dict[str, dict[str, Any]] = {}
    texts = [story(seed) for seed in READ_STORIES]
    size = sum(len(text.encode()) for text in texts)
    for kind, options in OPTIONS.items():
        tokenizer = train_bundled_tokenizer(kind)
        tokens = sum(len(tokenizer.encode_ids(text)) for text in texts)
        measured[kind] = {"options": dict(options), "bytes_per_token": round(size / tokens, 3)}
        if kind != "bpe":
            path = folder / f"{kind}.json"
            tokenizer.save(path)
            measured[kind]["sha256"] = file_sha256(path)
    record = {
        "vocab_size": VOCAB_SIZE,
        "stories": TOKENIZER_STORIES,
        "measured_on_stories": [READ_STORIES.start, READ_STORIES.stop - 1],
        "tokenizers": measured,
    }
    write_json(folder / RECORD_FILE, record)
    return record


def main(arguments: list[str] | None = None) -> int:
    """Runs `python -m core.data.bundled`: trains and writes them; returns the exit code."""
    parser = argparse.ArgumentParser(description="Trains the bundled tokenizers again.")
    parser.add_argument("--folder", type=Path, help="where they go (default: resources)")
    options = parser.parse_args(arguments)
    folder = options.folder or resource("tokenizers")
    folder.mkdir(parents=True, exist_ok=True)
    for kind, told in export_tokenizers(folder)["tokenizers"].items():
        print(f"{kind}: {VOCAB_SIZE:,} pieces, {told['bytes_per_token']} bytes per token")
    return 0


if __name__ == "__main__":
    sys.exit(main())
