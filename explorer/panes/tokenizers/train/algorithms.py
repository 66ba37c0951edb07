"""The four algorithms that can be trained, and the variants of each. No Qt."""

from __future__ import annotations

from dataclasses import dataclass

from core.tokenization.lockstep import Options
from core.tokenization.specials import END_OF_TEXT
from core.tokenization.wordpiece.tokenizer import BERT_TOKENS


@dataclass(frozen=True)
class Variant:
    """A variant of an algorithm, explained in `help`."""

    id: str
    title: str
    options: Options
    help: str


@dataclass(frozen=True)
class Algorithm:
    """A kind of tokenizer that core trains; the first variant is the usual one."""

    kind: str
    title: str
    help: str
    variants: tuple[Variant, ...]

    def variant(self, name: str) -> Variant:
        """Returns the variant of that id, or the usual one if there is none."""
        return next((one for one in self.variants if one.id == name), self.variants[0])


# <|endoftext|> is in each vocabulary, so that a model can be trained with any of them.
_END = (END_OF_TEXT,)
_WORDPIECE = (*BERT_TOKENS, *_END)
_SAME = (
    "SentencePiece 0.2.2 and newer learn the same pieces as this program; older versions look at "
    "fewer pairs and may choose another pair of equal frequency"
)


def _ties(name: str, library: str) -> Variant:
    help = f"Of equally frequent pairs, merges the one that {library} would merge"
    return Variant(name, f"ties: {library}", Options(_END, tie=name), help)


def _rare(help: str) -> tuple[Variant, ...]:
    """Returns the variants for characters so rare that they have no piece."""
    unknown, bytes = "Very rare characters become <unk>", "Very rare characters become bytes"
    return (
        Variant("plain", "rare: <unk>", Options(_END), unknown + help),
        Variant("bytes", "rare: bytes", Options(_END, byte_fallback=True), bytes + help),
    )


ALGORITHMS = (
    Algorithm(
        "bpe",
        "BPE",
        "Begins with bytes and merges the most frequent pair, again and again",
        (_ties("hf", "Hugging Face"), _ties("rustbpe", "rustbpe"), _ties("minbpe", "minbpe")),
    ),
    Algorithm(
        "wordpiece",
        "WordPiece",
        "Merges letters within words; encodes a word with the longest pieces that fit",
        (
            Variant(
                "count",
                "score: count",
                Options(_WORDPIECE, score="count"),
                "Merges the most frequent pair, as Hugging Face's trainer does",
            ),
            Variant(
                "likelihood",
                "score: likelihood",
                Options(_WORDPIECE, score="likelihood"),
                "Merges the pair that makes the text most likely, as Google's paper describes it",
            ),
        ),
    ),
    Algorithm(
        "sentencepiece-bpe",
        "SentencePiece BPE",
        "Begins with characters, including the space, and merges the most frequent pair",
        _rare(f". {_SAME}"),
    ),
    Algorithm(
        "unigram",
        "Unigram",
        "Begins with far too many pieces and drops those that the text needs least",
        _rare(""),
    ),
)


def algorithm_of(kind: str) -> Algorithm:
    return next(one for one in ALGORITHMS if one.kind == kind)
