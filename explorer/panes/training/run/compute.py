"""Work off the GUI thread: reading a text's beginning, estimating a run, reading recorded heads,
exporting the numbers of a run.
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

EXCERPT = 1500  # characters of the text on display
MOST_READ = 2_000_000  # bytes of a text that are read before the run
AGAIN = 0.02  # seconds of a repeated speed measurement
MOST_BYTES = 1 << 28  # size limit of a snapshot of the heads


@dataclass(frozen=True)
class Sources:
    """What is known about a run's text and tokenizer before it starts.

    error            why the text cannot be used, with the remedy
    excerpt          the beginning of the text
    characters       length of the text; 0: unknown, or more than MOST_READ
    vocab_size       number of tokens; 0: unknown
    tokenizer_error  why the tokenizer's file cannot be used
    """

    error: str = ""
    excerpt: str = ""
    characters: int = 0
    vocab_size: int = 0
    tokenizer_error: str = ""


UNREAD = Sources()


def read_sources(corpus: str, tokenizer: str) -> Sources:
    """Reads a text (or our stories) and a tokenizer's file. Runs in the I/O pool."""
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
    """Returns the first EXCERPT characters of a text, without a partial last word."""
    lines = [line.rstrip().expandtabs(4) for line in text[: 4 * EXCERPT].splitlines()]
    whole = "\n".join(lines).strip("\n")
    if len(whole) <= EXCERPT:
        return whole
    return f"{whole[:EXCERPT].rsplit(None, 1)[0]}\u2026"


@dataclass(frozen=True)
class Cost:
    """The cost of a run on this machine. `too_large`: why it does not fit into memory; `precision`:
    a note on the precision on this device.
    """

    estimate: Estimate
    machine: Machine
    too_large: str = ""
    precision: str = ""


def estimated(config: TrainingConfig, machine: Machine | None) -> Cost:
    """Estimates a run on the engine's thread. Measures the machine each time and uses the highest
    speed so far, because it may have been busy before.
    """
    from core.training.memory import too_large
    from core.training.precision import precision_note
    from core.training.sizes import estimate
    from core.training.strategies import device_for
    from core.training.this_machine import this_machine

    machine = this_machine().measured() if machine is None else machine.measured(AGAIN)
    found = estimate(config, machine.speed, machine.relative)
    note = ""
    with contextlib.suppress(ValueError):  # the start reports a missing device
        device = device_for(config.device, 0, config.ranks)
        note = precision_note(config.precision, device, machine.relative)
    return Cost(found, machine, too_large(found.bytes_of_all), note)


def read_heads(paths: Sequence[Path], pixels: int) -> list[np.ndarray | None]:
    """Reads the heads of each snapshot, pooled to cells of `pixels` pixels. Runs in the I/O pool.
    None for a snapshot that was thinned out or cannot be read.
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
    """Writes one line per step with all recorded numbers, and validation losses where measured."""
    measured = {int(row["step"]): float(row["validation"]) for row in data.evaluations}
    names = [name for name in (data.steps.dtype.names or ()) if name != "attempt"]
    with replacing(path) as part, part.open("w", encoding="utf-8", newline="") as file:
        writer = csv.writer(file)
        writer.writerow([*names, "validation_loss"])
        for row in data.steps:
            values: list[Any] = [row[name].item() for name in names]
            writer.writerow([*values, measured.get(int(row["step"]), "")])
