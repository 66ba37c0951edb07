"""What a person chooses before tokenizers are trained, as text in fields, and what it means.

Draws nothing. Every field is checked by itself, so that an error stands beside it.
"""

from __future__ import annotations

from collections.abc import Generator, Mapping
from dataclasses import dataclass, replace
from typing import Any

from core.data.excerpt import Excerpt, excerpt_of, excerpt_steps
from core.fields import Field, field
from core.tokenization.lockstep import MOST_LANES, LanePlan
from core.tokenization.lockstep import Options as LaneOptions
from core.tokenization.specials import END_OF_TEXT
from core.tokenization.training import KINDS
from core.tokenization.wordpiece.tokenizer import BERT_TOKENS
from explorer.state.typed_numbers import refused, whole_in

SAMPLE = "Mira whispered that the unluckiest kites fly higher."
LONGEST_SAMPLE = 100  # characters
TYPED = "typed"  # the corpus that is no file
LONGEST_TYPED = 100_000  # characters
# Words and their counts of Sennrich et al. 2016, algorithm 1, as a text.
EXAMPLE = " ".join(["low"] * 5 + ["lower"] * 2 + ["newest"] * 6 + ["widest"] * 3)


@dataclass(frozen=True)
class Variant:
    """One way of an algorithm; `short` tells it from the others in a name, `what` says more."""

    id: str
    title: str
    options: LaneOptions
    short: str = ""
    what: str = ""


@dataclass(frozen=True)
class Algorithm:
    """A kind of core, with what may be chosen about it; the first variant is the usual one."""

    kind: str
    title: str
    what: str
    variants: tuple[Variant, ...]


# <|endoftext|> is everywhere, so that a model can be trained with each of them.
_END = (END_OF_TEXT,)
_TIES = "Among equally frequent pairs, the one that"
_LISTED = (
    "The pieces are those of SentencePiece 0.2.2 and newer. 0.2.1 and older look only at a short "
    "list of pairs, and may learn others of equal count: from the first rare pieces on"
)
ALGORITHMS = (
    Algorithm(
        "bpe",
        "BPE",
        "joins the most frequent pair, beginning with bytes",
        (
            Variant(
                "hf",
                "Hugging Face ties",
                LaneOptions(_END, tie="hf"),
                what=f"{_TIES} Hugging Face's trainer takes",
            ),
            Variant(
                "rustbpe",
                "rustbpe ties",
                LaneOptions(_END, tie="rustbpe"),
                "rustbpe",
                f"{_TIES} rustbpe takes",
            ),
            Variant(
                "minbpe",
                "minbpe ties",
                LaneOptions(_END, tie="minbpe"),
                "minbpe",
                f"{_TIES} minbpe takes",
            ),
        ),
    ),
    Algorithm(
        "wordpiece",
        "WordPiece",
        "joins letters within words, and encodes by the longest match",
        (
            Variant(
                "count",
                "by count",
                LaneOptions((*BERT_TOKENS, *_END), score="count"),
            ),
            Variant(
                "likelihood",
                "by likelihood",
                LaneOptions((*BERT_TOKENS, *_END), score="likelihood"),
                "likelihood",
            ),
        ),
    ),
    Algorithm(
        "sentencepiece-bpe",
        "SentencePiece BPE",
        "joins the most frequent pair, beginning with characters; a space is one",
        (
            Variant("plain", "rare: unknown", LaneOptions(_END), what=_LISTED),
            Variant(
                "bytes",
                "rare: as bytes",
                LaneOptions(_END, byte_fallback=True),
                "bytes",
                _LISTED,
            ),
        ),
    ),
    Algorithm(
        "unigram",
        "Unigram",
        "begins with far too many pieces and drops those that the text misses least",
        (
            Variant("plain", "rare: unknown", LaneOptions(_END)),
            Variant("bytes", "rare: as bytes", LaneOptions(_END, byte_fallback=True), "bytes"),
        ),
    ),
)


def available() -> tuple[Algorithm, ...]:
    """The algorithms that core can train."""
    return tuple(one for one in ALGORITHMS if one.kind in KINDS)


def algorithm_of(kind: str) -> Algorithm:
    return next(one for one in ALGORITHMS if one.kind == kind)


@dataclass(frozen=True)
class Lane:
    """One of the tokenizers to train; `pieces` as typed, "" for as many as the others."""

    kind: str = field(choices=KINDS)
    variant: str
    pieces: str = ""

    @property
    def chosen(self) -> Variant:
        """The variant, or the usual one where there is none of that name."""
        variants = algorithm_of(self.kind).variants
        return next((one for one in variants if one.id == self.variant), variants[0])

    @property
    def plan(self) -> LanePlan:
        return LanePlan(self.kind, self.chosen.options, whole_in(self.pieces))

    @property
    def algorithm(self) -> Lane:
        """Without its own size: what a text allows does not depend on that."""
        return replace(self, pieces="")

    def size(self, common: int) -> int:
        """How many pieces it is to have; 0 where none are typed."""
        return max(0, whole_in(self.pieces) or 0) if self.pieces else common

    @property
    def name(self) -> str:
        title, short = algorithm_of(self.kind).title, self.chosen.short
        return f"{title} ({short})" if short else title


def usual_lanes() -> tuple[Lane, ...]:
    return tuple(Lane(one.kind, one.variants[0].id) for one in available())[:MOST_LANES]


@dataclass(frozen=True)
class TrainDraft:
    """All fields as typed. The defaults train at once.

    corpus     "stories", "typed" for `typed`, or the path of a text
    typed      a text that a person has typed or pasted
    kilobytes  how much of the text is read
    """

    corpus: str = "stories"
    typed: str = field(EXAMPLE, longest=LONGEST_TYPED)
    kilobytes: str = "300"
    vocab_size: str = "1000"
    sample: str = SAMPLE
    lanes: tuple[Lane, ...] = field((), longest=MOST_LANES)

    @property
    def chosen(self) -> tuple[Lane, ...]:
        return self.lanes or usual_lanes()

    @property
    def names(self) -> tuple[str, ...]:
        """The lanes' names; the same lane a second time is numbered."""
        found: list[str] = []
        for lane in self.chosen:
            times = sum(name.split(" #")[0] == lane.name for name in found)
            found.append(f"{lane.name} #{times + 1}" if times else lane.name)
        return tuple(found)

    @property
    def sizes(self) -> list[int]:
        """The pieces of each lane."""
        return [lane.size(self.pieces) for lane in self.chosen]

    @property
    def pieces(self) -> int:
        """The vocabulary's size; 0 where none is typed."""
        value = whole_in(self.vocab_size)
        return max(0, value or 0)

    def texts_steps(self, n_bytes: int) -> Generator[int, None, Excerpt]:
        """Reads about n_bytes of the text; yields how many bytes it has. Raises as reading does."""
        if self.corpus == TYPED:
            yield len(self.typed.encode())
            return excerpt_of(self.typed, n_bytes)
        return (yield from excerpt_steps(self.corpus, n_bytes))

    def change(self, changes: Mapping[str, Any]) -> TrainDraft:
        return replace(self, **changes)


AMOUNTS = {  # the fields into which a number is typed
    about.name: about
    for about in (
        Field(
            "vocab_size",
            int,
            label="Pieces in each vocabulary",
            help="Special tokens included",
            least=1,
            most=100_000,
            remedy="500 to 8,000 is usual",
        ),
        Field(
            "kilobytes",
            int,
            label="Read at most (kB)",
            help="How much of the text is read",
            least=1,
            most=20_000,
            remedy="300 is usual",
        ),
    )
}


def check(draft: TrainDraft, corpus_error: str = "") -> dict[str, str]:
    """Field -> what is wrong with it and the remedy; {} when training can start."""
    errors: dict[str, str] = {"corpus": corpus_error} if corpus_error else {}
    errors |= refused(AMOUNTS, {name: getattr(draft, name) for name in AMOUNTS})
    if draft.corpus == "":
        errors.setdefault("corpus", "No file is chosen; choose a text, or our stories")
    return errors
