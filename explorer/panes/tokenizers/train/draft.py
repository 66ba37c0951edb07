"""What a person sets up before tokenizers are trained: a text, sizes, algorithms. No Qt."""

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
STORIES, TYPED = "stories", "typed"  # the corpora that are no files
LONGEST_TYPED = 100_000  # characters
KILOBYTE = 1000
# Words and their counts of Sennrich et al. 2016, algorithm 1, as a text.
EXAMPLE = " ".join(["low"] * 5 + ["lower"] * 2 + ["newest"] * 6 + ["widest"] * 3)
NUMBERS = {  # the fields into which a number is typed
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
    """A tokenizer to train; `pieces` as typed, "" for as many as the others have."""

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
        """The lane without its own size, on which it does not depend what a text allows."""
        return replace(self, pieces="")

    def size(self, common: int) -> int:
        """How many pieces it is to have; 0 where no number is typed."""
        return max(0, whole_in(self.pieces) or 0) if self.pieces else common

    @property
    def name(self) -> str:
        """ "BPE"; a variant that is not the usual one is named: "BPE (minbpe)"."""
        algorithm = algorithm_of(self.kind)
        usual = self.chosen is algorithm.variants[0]
        return algorithm.title if usual else f"{algorithm.title} ({self.chosen.id})"


USUAL_LANES = tuple(Lane(one.kind, one.variants[0].id) for one in ALGORITHMS)


@dataclass(frozen=True)
class TrainDraft:
    """Numbers are kept as they were typed, so that none is lost. The defaults train at once.

    corpus     "stories", "typed" for `typed`, or the path of a text
    typed      a text that a person has typed or pasted
    kilobytes  how much of the text is read
    lanes      the tokenizers to train; none: one of each algorithm
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
        """The lanes' names; the same lane a second time is numbered."""
        found: list[str] = []
        for lane in self.chosen:
            times = sum(name.split(" #")[0] == lane.name for name in found)
            found.append(f"{lane.name} #{times + 1}" if times else lane.name)
        return tuple(found)

    @property
    def pieces(self) -> int:
        """The pieces of a lane without its own size; 0 where no number is typed."""
        return max(0, whole_in(self.vocab_size) or 0)

    @property
    def sizes(self) -> list[int]:
        """The pieces of each lane."""
        return [lane.size(self.pieces) for lane in self.chosen]

    @property
    def question(self) -> tuple[Any, ...]:
        """All that decides which sizes are possible: the text, how much of it, the algorithms."""
        text = self.typed if self.corpus == TYPED else ""
        lanes = tuple(lane.unsized for lane in self.chosen)
        return self.corpus, text, whole_in(self.kilobytes), lanes

    def texts_steps(self) -> Generator[int, None, Excerpt]:
        """Reads the text; yields how many bytes it has read. Raises what reading raises."""
        n_bytes = KILOBYTE * (whole_in(self.kilobytes) or 1)
        if self.corpus == TYPED:
            yield len(self.typed.encode())
            return excerpt_of(self.typed, n_bytes)
        return (yield from excerpt_steps(self.corpus, n_bytes))

    def errors(self) -> dict[str, str]:
        """What is wrong with a field, with the remedy, by its name."""
        found = refused(NUMBERS, {name: getattr(self, name) for name in NUMBERS})
        if not self.corpus:
            found["corpus"] = "No file is chosen; choose a text, or our stories"
        return found
