"""What runs off the window's thread: looking at a text, estimating a run, reading recorded heads,
writing the numbers of a run.
"""

from __future__ import annotations

import contextlib
import csv
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from core.files import replacing
from core.jobs import to_the_end
from core.training.config import BUILT_IN, CHARACTERS, STORIES, TrainingConfig
from core.training.this_machine import Machine
from explorer.runs.run_data import RunData
from explorer.widgets.pooling import pool_heads

if TYPE_CHECKING:
    from core.training.sizes import Estimate

EXCERPT = 1500  # characters of a text that are shown
MOST_READ = 2_000_000  # bytes of a text that are looked at beforehand
AGAIN = 0.02  # seconds for which the machine is measured anew
MOST_BYTES = 1 << 28  # of one snapshot of the heads


@dataclass(frozen=True)
class Sources:
    """What is known of the text that a run is to learn from, and of its tokenizer.

    error            why the text cannot be learned, with the remedy
    excerpt          how it begins
    characters       how many it has; 0: not known, or more than MOST_READ
    vocab_size       how many tokens there are; 0: not known
    tokenizer_error  why its tokenizer's file cannot be used
    """

    error: str = ""
    excerpt: str = ""
    characters: int = 0
    vocab_size: int = 0
    tokenizer_error: str = ""


UNREAD = Sources()


def read_sources(corpus: str, tokenizer: str) -> Sources:
    """In the I/O pool: looks at a text (or our stories) and at a tokenizer's file."""
    from core.data import story_characters
    from core.data.excerpt import excerpt_steps
    from core.tokenization import open_tokenizer

    vocab_size, tokenizer_error, ours = 0, "", corpus == STORIES
    if tokenizer not in BUILT_IN:
        try:
            vocab_size = open_tokenizer(tokenizer).vocab_size
        except (ValueError, OSError) as error:
            tokenizer_error = str(error)
    try:
        found = to_the_end(excerpt_steps(corpus, EXCERPT if ours else MOST_READ))
    except (ValueError, OSError) as error:
        return Sources(str(error), "", 0, vocab_size, tokenizer_error)
    text = "\n\n".join(found.texts)
    if tokenizer == CHARACTERS:
        vocab_size = story_characters().vocab_size if ours else len(set(text))
    characters = len(text) if found.whole and not ours else 0
    return Sources("", _beginning(text), characters, vocab_size, tokenizer_error)


def _beginning(text: str) -> str:
    """The first EXCERPT characters, line by line, without a word that is cut."""
    lines = [line.rstrip().expandtabs(4) for line in text[: 4 * EXCERPT].splitlines()]
    whole = "\n".join(lines).strip("\n")
    if len(whole) <= EXCERPT:
        return whole
    return f"{whole[:EXCERPT].rsplit(None, 1)[0]}\u2026"


@dataclass(frozen=True)
class Cost:
    """What a run would take on this machine. `too_large`: why its memory does not hold it;
    `precision`: what to know of the precision there.
    """

    estimate: Estimate
    machine: Machine
    too_large: str = ""
    precision: str = ""


def estimated(config: TrainingConfig, machine: Machine | None) -> Cost:
    """On the engine's thread. The machine is measured each time and the best counts, as it may have
    been busy before.
    """
    from core.training.memory import too_large
    from core.training.precision import precision_note
    from core.training.sizes import estimate
    from core.training.strategies import device_for
    from core.training.this_machine import this_machine

    machine = this_machine().measured() if machine is None else machine.measured(AGAIN)
    found = estimate(config, machine.speed)
    note = ""
    with contextlib.suppress(ValueError):  # a device that is not here is told at the start
        note = precision_note(config.precision, device_for(config.device, 0, config.ranks))
    return Cost(found, machine, too_large(found.bytes_of_all), note)


def read_heads(paths: Sequence[Path], pixels: int) -> list[np.ndarray | None]:
    """In the I/O pool: the heads of each snapshot, pooled to cells of so many pixels; None where it
    was thinned away or cannot be read.
    """
    from core.tensor_files import read_tensors

    found: list[np.ndarray | None] = []
    for path in paths:
        try:
            attention = read_tensors(path, ["attention"], max_bytes=MOST_BYTES)["attention"]
            if attention.dtype != np.uint8:
                attention = np.rint(attention * 255).astype(np.uint8)
            found.append(pool_heads(attention, pixels))
        except (OSError, ValueError):
            found.append(None)
    return found


def save_csv(data: RunData, path: Path) -> None:
    """One line a step with every recorded number; validation loss where it was measured."""
    measured = {int(row["step"]): float(row["validation"]) for row in data.evaluations}
    names = [name for name in (data.steps.dtype.names or ()) if name != "attempt"]
    with replacing(path) as part, part.open("w", encoding="utf-8", newline="") as file:
        writer = csv.writer(file)
        writer.writerow([*names, "validation_loss"])
        for row in data.steps:
            values: list[Any] = [row[name].item() for name in names]
            writer.writerow([*values, measured.get(int(row["step"]), "")])
