"""Whether data can be learned from, before anything starts: by its first megabyte, and the base's
tokenizer and chat template. Nothing of the base's weights is read.

    found = check_data(FinetuningSettings(data="mine.jsonl", broken_lines="skip"), block_size=256)
    found.told      "mine.jsonl: 20 examples, 2 of them held out; 1 broken line ..."
    found.broken    1
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path

from core.data.chunks import read_characters
from core.data.text import check_text_file
from core.files import MEGABYTE
from core.finetuning.example_files import read_examples_steps
from core.finetuning.loading import vocabulary_of
from core.finetuning.settings import BUILT_IN, STORIES, FinetuningSettings
from core.jobs import to_the_end
from core.tokenization import Tokenizer

MOST_CHECKED = MEGABYTE  # bytes of a file


@dataclass(frozen=True, slots=True)
class DataFound:
    """One line about the data, "" of our own; and how many lines of its file hold no example."""

    told: str = ""
    broken: int = 0


def check_data(settings: FinetuningSettings, block_size: int) -> DataFound:
    """What the data of the settings holds for their base, which reads `block_size` tokens.

    Raises OSError or ValueError, with the remedy, for a base or a file that is not there or cannot
    be read, a text too short for one sequence, fewer than two examples, and conversations that the
    base has no chat template for; BrokenLinesError for lines that hold no example, unless the
    settings say to skip them. What was found is remembered until the file changes.
    """
    path = Path(settings.data)
    found = _found(settings, block_size, path.stat().st_mtime_ns if path.is_file() else 0)
    if isinstance(found, Exception):
        raise found.with_traceback(None)
    return found


@lru_cache(maxsize=8)
def _found(
    settings: FinetuningSettings, block_size: int, changed: int
) -> DataFound | ValueError | OSError:
    try:
        return _read(settings, block_size)
    except (ValueError, OSError) as error:
        return error


def _read(settings: FinetuningSettings, block_size: int) -> DataFound:
    context = settings.context_in(block_size)
    if settings.data in (*BUILT_IN, STORIES):
        return DataFound()
    path, words = check_text_file(settings.data), vocabulary_of(settings.base)
    if settings.holds_examples:
        found = to_the_end(read_examples_steps(words, settings, context, MOST_CHECKED))
        return DataFound(found.describe(), found.broken)
    return DataFound(_check_text(path, words.tokenizer, context))


def _check_text(path: Path, tokenizer: Tokenizer, context: int) -> str:
    """One line about a text, of which a tenth is held out."""
    read, done, size = "", 0, path.stat().st_size
    for text, done in read_characters(path):
        read += text
        if done >= MOST_CHECKED:
            break
    if done < size:
        return f"{path.name}: a text of {size:,} bytes"
    held_out = len(tokenizer.encode_ids(read[int(0.9 * len(read)) :]))
    if held_out <= context:
        raise ValueError(
            f"the tenth of {path.name} that is held out needs {context + 1:,} tokens for one "
            f"sequence, and has {held_out:,}; choose a longer text"
        )
    return f"{path.name}: a text of {len(read):,} characters"
