"""A check of training data before a run starts: reads the first megabyte of the data, and the
base's tokenizer and chat template, but none of the base's weights.

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
    """A line that describes the data ("" for built-in data), and the number of broken lines."""

    told: str = ""
    broken: int = 0


def check_data(settings: FinetuningSettings, block_size: int) -> DataFound:
    """Checks the data of the settings for their base, which reads `block_size` tokens.

    Raises OSError or ValueError, with a remedy, for a base or file that is missing or unreadable, a
    text too short for one sequence, fewer than two examples, and conversations if the base has no
    chat template; BrokenLinesError for lines that hold no example, unless the settings skip them.
    Results are cached until the file changes.
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
    """Returns a line that describes a text; checks that its held-out tenth is long enough."""
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
