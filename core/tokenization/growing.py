"""Shows how a vocabulary in training splits one sample text, step by step.

Each class consumes the steps of one trainer and knows after every step how the current vocabulary
splits the text. Nothing is encoded from scratch: each step updates only what it has changed. After
the last step, the text is split exactly as the finished tokenizer splits it.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import accumulate, pairwise
from typing import Protocol

import numpy as np

from core.tokenization.bpe.merging import NEVER, Found, merge_all
from core.tokenization.bpe.patterns import word_pattern
from core.tokenization.byte_level import CHARACTER_OF_BYTE, clean_text
from core.tokenization.sentencepiece.normalizer import SentencePieceNormalizer
from core.tokenization.sentencepiece.pieces import meta_pieces
from core.tokenization.sentencepiece.text import LONGEST_PIECE
from core.tokenization.sentencepiece.vocabulary import SentencePieceVocabulary
from core.tokenization.steps import (
    AlphabetStep,
    FinishStep,
    MaximizeStep,
    MergeStep,
    PruneStep,
    SeedStep,
    TrainingStep,
)
from core.tokenization.unigram.lattice import UNKNOWN_PENALTY, Lattice, Node
from core.tokenization.wordpiece.bert_text import BertText
from core.tokenization.wordpiece.tokenizer import PREFIX, UNKNOWN, WordPiece

Span = tuple[int, int]


@dataclass(frozen=True, slots=True)
class Split:
    """The split of a text into pieces.

    pieces  as the vocabulary spells them
    spans   (start, end) of each in the UTF-8 bytes of the text
    """

    pieces: tuple[str, ...]
    spans: tuple[Span, ...]


class Growing(Protocol):
    """A text under a growing vocabulary; `take` updates `split` if a step changes it."""

    split: Split

    def take(self, step: TrainingStep) -> None:
        """Applies a step that a trainer has just yielded."""


class GrowingBPE:
    """Byte-level BPE: a merge applies to the words in which its two pieces are neighbors."""

    def __init__(self, text: str, pattern: str = "gpt2") -> None:
        words = word_pattern(pattern).split(clean_text(text))
        self._bytes = [word.encode() for word in words]
        self._words: list[list[int]] = []
        self._spelled: dict[int, str] = {}
        self._ranks: dict[tuple[int, int], Found] = {}
        self.split = Split((), ())

    def take(self, step: TrainingStep) -> None:
        if isinstance(step, AlphabetStep):
            ids = {piece: token for token, piece in enumerate(step.pieces)}
            byte_ids = [ids[character] for character in CHARACTER_OF_BYTE]
            self._spelled = {ids[character]: character for character in CHARACTER_OF_BYTE}
            self._ranks = {}
            self._words = [[byte_ids[byte] for byte in word] for word in self._bytes]
            self._renew()
        elif isinstance(step, MergeStep):
            pair = (step.left, step.right)
            self._ranks[pair] = (step.rank, step.token)
            self._spelled[step.token] = step.piece
            # All earlier merges are already done, so the new one is next, and may enable earlier
            # ones again: the same order as encoding from scratch.
            touched = [word for word in self._words if pair in pairwise(word)]
            for word in touched:
                word[:] = merge_all(word, self._ranks)
            if touched:
                self._renew()

    def _renew(self) -> None:
        pieces = tuple(self._spelled[token] for word in self._words for token in word)
        ends = list(accumulate(map(len, pieces), initial=0))  # a byte is one character here
        self.split = Split(pieces, tuple(pairwise(ends)))


class GrowingWordPiece:
    """WordPiece: the longest match among the pieces so far; only pieces in the text matter.

    The steps list all special tokens, but only the unknown token is used here.
    """

    def __init__(self, text: str, rules: BertText | None = None) -> None:
        self._text = text
        self._rules = rules or BertText()
        self._normalized = self._rules.normalize(clean_text(text))
        self._pieces: list[str] = []
        self.split = Split((), ())

    def take(self, step: TrainingStep) -> None:
        if isinstance(step, AlphabetStep):
            self._pieces = [UNKNOWN, *(p for p in step.pieces if p != UNKNOWN)]
        elif isinstance(step, MergeStep) and step.piece.removeprefix(PREFIX) in self._normalized:
            self._pieces.append(step.piece)
        else:
            return
        so_far = WordPiece(self._pieces, {UNKNOWN: 0}, text=self._rules)
        encoding = so_far.encode(self._text, specials=False)
        self.split = Split(tuple(encoding.pieces), tuple(encoding.spans))


class _Joined:
    """The merge table of SentencePiece: a pair joins into the piece spelled like both, if any."""

    def __init__(self) -> None:
        self.spelled: list[str] = []
        self._id_of: dict[str, int] = {}

    def add(self, piece: str) -> int:
        if piece not in self._id_of:
            self._id_of[piece] = len(self.spelled)
            self.spelled.append(piece)
        return self._id_of[piece]

    def get(self, pair: tuple[int, int], default: Found = NEVER, /) -> Found:
        token = self._id_of.get(self.spelled[pair[0]] + self.spelled[pair[1]])
        return default if token is None else (token, token)


class _Normalized:
    """A text normalized by SentencePiece; converts its parts to a Split.

    Unknown neighbors form one token, or one per byte with byte_fallback.
    """

    def __init__(self, text: str, normalizer: str, byte_fallback: bool) -> None:
        self._normalized = SentencePieceNormalizer(normalizer).trace(text)
        self.text = self._normalized.text
        meta = meta_pieces(byte_fallback=byte_fallback)
        self._untrained = SentencePieceVocabulary(meta, byte_fallback)

    def tell(self, parts: Sequence[tuple[str, bool]]) -> Split:
        """Returns the split. `parts`: strings that concatenate to the text; True if known."""
        untrained = self._untrained
        # Known parts get ids after the untrained pieces, in the order of the parts.
        numbers = [
            len(untrained) + place if known else untrained.unknown
            for place, (_, known) in enumerate(parts)
        ]
        strings = [part for part, _ in parts]
        ids, spans = untrained.finish(zip(strings, numbers), self._normalized)
        spelled = [*untrained.spelled, *strings]
        return Split(tuple(spelled[token] for token in ids), tuple(spans))


class GrowingSentencePieceBPE:
    """SentencePiece's BPE: neighbors are joined if a piece is spelled like both together."""

    def __init__(
        self, text: str, normalizer: str = "nmt_nfkc", byte_fallback: bool = False
    ) -> None:
        self._text = _Normalized(text, normalizer, byte_fallback)
        self._joined = _Joined()
        self._symbols: list[int] = []
        self._unknown: set[int] = set()
        self.split = Split((), ())

    def take(self, step: TrainingStep) -> None:
        if isinstance(step, AlphabetStep):
            self._symbols = [self._joined.add(character) for character in self._text.text]
            known = set(step.pieces)
            self._unknown = {s for s in self._symbols if self._joined.spelled[s] not in known}
            self._renew()
        elif isinstance(step, MergeStep):
            self._joined.add(step.piece)
            if step.piece in self._text.text:
                self._symbols = merge_all(self._symbols, self._joined)
                self._renew()

    def _renew(self) -> None:
        spelled = self._joined.spelled
        self.split = self._text.tell([(spelled[s], s not in self._unknown) for s in self._symbols])


class GrowingUnigram:
    """Unigram: the most probable path through the lattice of pieces with their current scores."""

    def __init__(
        self, text: str, normalizer: str = "nmt_nfkc", byte_fallback: bool = False
    ) -> None:
        self._text = _Normalized(text, normalizer, byte_fallback)
        # The start positions of each substring that could be a piece.
        self._places: dict[str, list[int]] = {}
        for start in range(len(self._text.text)):
            for end in range(start + 1, min(start + LONGEST_PIECE, len(self._text.text)) + 1):
                self._places.setdefault(self._text.text[start:end], []).append(start)
        self.split = Split((), ())

    def take(self, step: TrainingStep) -> None:
        if isinstance(step, SeedStep | MaximizeStep | PruneStep | FinishStep):
            self._cut(step.pieces, step.scores)

    def _cut(self, pieces: Sequence[str], scores: np.ndarray) -> None:
        nodes = [
            Node(start, start + len(piece), piece, token, float(scores[token]))
            for token, piece in enumerate(pieces)
            for start in self._places.get(piece, ())
        ]
        nodes.sort(key=lambda node: (node.start, node.end))
        single = {node.start for node in nodes if node.end == node.start + 1}
        unknown = float(scores.min() - UNKNOWN_PENALTY) if len(scores) else 0.0
        text = self._text.text
        nodes += [
            Node(place, place + 1, text[place], -1, unknown)
            for place in range(len(text))
            if place not in single
        ]
        path = Lattice(text, nodes).viterbi().path
        self.split = self._text.tell([(node.piece, node.id >= 0) for node in path.nodes])
