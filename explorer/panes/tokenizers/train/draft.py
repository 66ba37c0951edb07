"""The setup of a training of tokenizers: text, sizes, algorithms. No Qt."""

from __future__ import annotations

from collections.abc import Generator
from dataclasses import dataclass, replace
from typing import Any

from core.data.excerpt import Excerpt, excerpt_of, excerpt_steps
from core.fields import Field, field
from core.tokenization.lockstep import MOST_LANES, LanePlan
from core.tokenization.training import KINDS
from explorer.panes.tokenizers.train.algorithms import ALGORITHMS, Variant, algorithm_of
from explorer.state.typed_numbers import refused, whole_in

SAMPLE = "Mira whispered that the unluckiest kites fly higher."
LONGEST_SAMPLE = 100  # characters
STORIES, TYPED = "stories", "typed"  # corpora that are not files
LONGEST_TYPED = 100_000  # characters
KILOBYTE = 1000
# The words and counts in algorithm 1 of Sennrich et al. 2016, as a text.
EXAMPLE = " ".join(["low"] * 5 + ["lower"] * 2 + ["newest"] * 6 + ["widest"] * 3)
NUMBERS = {  # the fields with typed numbers
    "vocab_size": Field(
        "vocab_size",
        int,
        label="Pieces in each vocabulary",
        help="This number includes the special tokens",
        least=1,
        most=100_000,
        remedy="500 to 8,000 is usual",
    ),
    "kilobytes": Field(
        "kilobytes",
        int,
        label="Read at most (kB)",
        help="At most this much of the text is read",
        least=1,
        most=20_000,
        remedy="300 is usual",
    ),
}


@dataclass(frozen=True)
class Lane:
    """A tokenizer to train; `pieces` as typed, "" for the common size."""

    kind: str = field(choices=KINDS)
    variant: str
    pieces: str = ""

    @property
    def chosen(self) -> Variant:
        return algorithm_of(self.kind).variant(self.variant)

    @property
    def plan(self) -> LanePlan:
        return LanePlan(self.kind, self.chosen.options, whole_in(self.pieces))

    @property
    def unsized(self) -> Lane:
        """The lane without its own size, which does not affect the sizes that a text allows."""
        return replace(self, pieces="")

    def size(self, common: int) -> int:
        """Returns the number of pieces to train; 0 if the typed size is not a number."""
        return max(0, whole_in(self.pieces) or 0) if self.pieces else common

    @property
    def name(self) -> str:
        """The name, "BPE", with the variant unless it is the usual one: "BPE (minbpe)"."""
        algorithm = algorithm_of(self.kind)
        usual = self.chosen is algorithm.variants[0]
        return algorithm.title if usual else f"{algorithm.title} ({self.chosen.id})"


USUAL_LANES = tuple(Lane(one.kind, one.variants[0].id) for one in ALGORITHMS)


@dataclass(frozen=True)
class TrainDraft:
    """The setup. Numbers are stored as typed, so that no input is lost. The defaults are valid.

    corpus     "stories", "typed" for `typed`, or the path of a text
    typed      a text that the user has typed or pasted
    kilobytes  the most of the text to read, in kB
    lanes      the tokenizers to train; empty for one of each algorithm
    """

    corpus: str = STORIES
    typed: str = field(EXAMPLE, longest=LONGEST_TYPED)
    kilobytes: str = "300"
    vocab_size: str = "1000"
    sample: str = SAMPLE
    lanes: tuple[Lane, ...] = field((), longest=MOST_LANES)

    @property
    def chosen(self) -> tuple[Lane, ...]:
        return self.lanes or USUAL_LANES

    @property
    def names(self) -> tuple[str, ...]:
        """The lanes' names; duplicates are numbered."""
        found: list[str] = []
        for lane in self.chosen:
            times = sum(name.split(" #")[0] == lane.name for name in found)
            found.append(f"{lane.name} #{times + 1}" if times else lane.name)
        return tuple(found)

    @property
    def pieces(self) -> int:
        """The common number of pieces; 0 if the typed one is not a number."""
        return max(0, whole_in(self.vocab_size) or 0)

    @property
    def sizes(self) -> list[int]:
        """The number of pieces of each lane."""
        return [lane.size(self.pieces) for lane in self.chosen]

    @property
    def question(self) -> tuple[Any, ...]:
        """The inputs that determine the possible sizes: text, amount to read, algorithms."""
        text = self.typed if self.corpus == TYPED else ""
        lanes = tuple(lane.unsized for lane in self.chosen)
        return self.corpus, text, whole_in(self.kilobytes), lanes

    def texts_steps(self) -> Generator[int, None, Excerpt]:
        """Reads the text; yields the number of bytes read so far. Raises the errors of reading."""
        n_bytes = KILOBYTE * (whole_in(self.kilobytes) or 1)
        if self.corpus == TYPED:
            yield len(self.typed.encode())
            return excerpt_of(self.typed, n_bytes)
        return (yield from excerpt_steps(self.corpus, n_bytes))

    def errors(self) -> dict[str, str]:
        """Returns errors with their remedy, by name of the field."""
        found = refused(NUMBERS, {name: getattr(self, name) for name in NUMBERS})
        if not self.corpus:
            found["corpus"] = "No file is chosen; choose a text, or our stories"
        return found
