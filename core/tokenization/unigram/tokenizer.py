"""Unigram: a text to ids and back, by the most probable pieces.

Every piece has a score, the logarithm of its probability. Of all ways to cut a text, the one with
the largest total score is chosen; `lattice` shows all of them.

Source: Kudo 2018, "Subword Regularization"; Kudo and Richardson 2018, "SentencePiece".
"""

from collections.abc import Iterator, Sequence
from itertools import pairwise
from typing import Any

import numpy as np

from core.files import quoted
from core.tokenization.byte_level import clean_text
from core.tokenization.sentencepiece.base import Found, SentencePieceTokenizer
from core.tokenization.sentencepiece.normalizer import SentencePieceNormalizer
from core.tokenization.sentencepiece.pieces import Piece, PieceType
from core.tokenization.sentencepiece.vocabulary import UNKNOWN_SURFACE
from core.tokenization.tokenizer import Encoding
from core.tokenization.unigram.lattice import UNKNOWN_PENALTY, Lattice, Path, build_lattice
from core.tokenization.unigram.piece_trie import PieceTrie
from core.tokenization.unigram.search import Search

USER_DEFINED_SCORE = -0.1  # better than any other way to cut what a user-defined piece covers


class Unigram(SentencePieceTokenizer):
    """Cuts a text in the most probable way; the score of a piece is the log of its probability.

    Arguments and errors are those of SentencePieceTokenizer. Also raises ValueError if the
    vocabulary has no normal piece, or a score that is not a finite number.
    """

    kind = model_type = "unigram"

    def __init__(
        self,
        pieces: Sequence[Piece],
        normalizer: SentencePieceNormalizer | None = None,
        *,
        byte_fallback: bool = False,
        unknown_surface: str = UNKNOWN_SURFACE,
    ) -> None:
        super().__init__(
            pieces, normalizer, byte_fallback=byte_fallback, unknown_surface=unknown_surface
        )
        self._scores = scores_of(self.pieces.pieces)
        unused = self.pieces.unused
        found = {text: id_ for text, id_ in self.pieces.ids.items() if text not in unused}
        self._search = Search(
            PieceTrie(list(found), list(found.values())),
            self._scores,
            self.pieces.unknown,
            unknown_score(self.pieces.pieces),
        )

    @property
    def scores(self) -> np.ndarray:
        """The logarithm of each piece's probability (V); user-defined ones have a fixed score."""
        return self._scores

    def sample(
        self, text: str, alpha: float, generator: np.random.Generator, *, specials: bool = True
    ) -> Encoding:
        """Encodes the text in a random way, drawn by the ways' probabilities to the power alpha.

        Raises ValueError for an alpha below 0.
        """

        def find(normalized: str) -> Found:
            return found_on(self.lattice_of(normalized).sample(alpha, generator))

        return self._encoding(clean_text(text), specials, find)

    def n_best(self, text: str, n: int) -> list[Path]:
        """Returns the n most probable ways to cut the normalized text, the best first."""
        return self.lattice(text).n_best(n)

    def lattice(self, text: str) -> Lattice:
        """Returns all ways to cut a text into pieces; special tokens are ordinary text."""
        return self.lattice_of(self.normalizer.normalize(clean_text(text)))

    def lattice_of(self, normalized: str) -> Lattice:
        """Returns the lattice of a text that is already normalized."""
        search = self._search
        return build_lattice(
            normalized, search.trie, search.scores, search.unknown_id, search.unknown_score
        )

    def document(self) -> dict[str, Any]:
        from core.tokenization.formats.sentencepiece.documents import unigram_document

        return unigram_document(self.pieces, self.normalizer, self.scores)

    def _encode_ordinary(self, text: str) -> list[int]:
        normalized = self.normalizer.normalize(text)
        ids, ends = self._search.best(normalized)  # step: best
        if self.pieces.unknown not in ids:
            return ids
        return self.pieces.finish_ids(_named(normalized, ids, ends))

    def _find(self, normalized: str) -> Found:
        """Returns the strings that a normalized text is cut into, with their ids."""
        return list(_named(normalized, *self._search.best(normalized)))


def scores_of(pieces: Sequence[Piece]) -> np.ndarray:
    """Returns each piece's score (V), rounded to 32 bits; user-defined ones have a fixed score."""
    scores = np.array([piece.score for piece in pieces], dtype=np.float32).astype(np.float64)
    if not np.isfinite(scores).all():
        piece = pieces[int(np.argmin(np.isfinite(scores)))]
        raise ValueError(
            f"the score of the piece {quoted(piece.text)} is {piece.score}: every piece needs a "
            "number, the logarithm of its probability; get the file again"
        )
    for token, piece in enumerate(pieces):
        if piece.type == PieceType.USER_DEFINED:
            scores[token] = USER_DEFINED_SCORE
    return scores


def unknown_score(pieces: Sequence[Piece]) -> float:
    """Returns a score so low that a path uses the unknown only as a last resort."""
    normal = [piece.score for piece in pieces if piece.type == PieceType.NORMAL]
    if not normal:
        raise ValueError("the vocabulary has no piece that a text could be made of: train it again")
    return float(np.float32(min(normal)) - UNKNOWN_PENALTY)


def found_on(path: Path) -> Found:
    """Returns the strings of a path, with their ids."""
    return [(node.piece, node.id) for node in path.nodes]


def _named(text: str, ids: Sequence[int], ends: Sequence[int]) -> Iterator[tuple[str, int]]:
    """Yields the strings that a text is cut into at these ends, with their ids."""
    for (start, end), token in zip(pairwise([0, *ends]), ids):
        yield text[start:end], token
