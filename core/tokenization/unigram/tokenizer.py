"""Unigram: a text to ids and back, by the most probable pieces.

Every piece has a score, the logarithm of its probability. Of all ways to cut a text the one whose
scores sum to the most is taken; `lattice` shows all of them.

Source: Kudo 2018, "Subword Regularization"; Kudo and Richardson 2018, "SentencePiece".
"""

from collections.abc import Callable, Iterator, Sequence
from itertools import accumulate, pairwise
from pathlib import Path as FilePath

import numpy as np

from core.tokenization.byte_level import clean_text
from core.tokenization.sentencepiece.normalizer import Normalized, SentencePieceNormalizer
from core.tokenization.sentencepiece.pieces import Piece, PieceType
from core.tokenization.sentencepiece.vocabulary import UNKNOWN_SURFACE, SentencePieceVocabulary
from core.tokenization.specials import SpecialTokens
from core.tokenization.tokenizer import Encoding, Stage
from core.tokenization.unigram.lattice import Lattice, Path, build_lattice
from core.tokenization.unigram.piece_trie import PieceTrie
from core.tokenization.unigram.search import Search

USER_DEFINED_SCORE = -0.1  # better than any other way to cut what a user-defined piece covers
UNKNOWN_PENALTY = np.float32(10.0)  # the unknown scores so much less than the least likely piece

Found = list[tuple[str, int]]


class Unigram:
    """A tokenizer of pieces with probabilities.

    pieces         by id; the score of each is the logarithm of its probability
    normalizer     what happens to a text before; None: nmt_nfkc with all rules for spaces
    byte_fallback  a character without a piece is written with its bytes; else it is unknown
    unknown_surface  what an unknown token is decoded to

    Raises ValueError for a vocabulary without its unknown piece or bytes, with a piece twice,
    without any normal piece, or with a score that is no number.
    """

    kind = "unigram"

    def __init__(
        self,
        pieces: Sequence[Piece],
        normalizer: SentencePieceNormalizer | None = None,
        *,
        byte_fallback: bool = False,
        unknown_surface: str = UNKNOWN_SURFACE,
    ) -> None:
        self.pieces = SentencePieceVocabulary(pieces, byte_fallback, unknown_surface)
        self.normalizer = (normalizer or SentencePieceNormalizer()).protecting(
            list(self.pieces.user_defined)
        )
        self._specials = SpecialTokens(self.pieces.special_tokens)
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
    def vocabulary(self) -> list[str]:
        return self.pieces.spelled

    @property
    def vocab_size(self) -> int:
        return len(self.pieces)

    @property
    def scores(self) -> np.ndarray:
        """(V) the logarithm of each piece's probability; user-defined ones have a fixed score."""
        return self._scores

    @property
    def unknown_id(self) -> int:
        """The unknown piece, which byte_fallback never uses."""
        return self.pieces.unknown

    @property
    def special_tokens(self) -> dict[str, int]:
        """The unknown piece and the control pieces."""
        return self.pieces.special_tokens

    def encode(self, text: str, *, specials: bool = True) -> Encoding:
        """The tokens of a text with their places in its bytes.

        A lone surrogate counts as U+FFFD. With specials=True a special token that is written out in
        the text is that token, and what stands between two of them is a text of its own; with
        specials=False it is ordinary text, as SentencePiece has it.
        """
        return self._encoding(clean_text(text), specials, self._find)

    def sample(
        self, text: str, alpha: float, generator: np.random.Generator, *, specials: bool = True
    ) -> Encoding:
        """One of the many ways to write the text, drawn by their probabilities to the power alpha.

        Raises ValueError for an alpha below 0.
        """

        def find(normalized: str) -> Found:
            return found_on(self.lattice_of(normalized).sample(alpha, generator))

        return self._encoding(clean_text(text), specials, find)

    def n_best(self, text: str, n: int) -> list[Path]:
        """The n most probable ways to write the normalized text, the best first."""
        return self.lattice(text).n_best(n)

    def lattice(self, text: str) -> Lattice:
        """All ways to write a text, by its pieces; special tokens are ordinary text."""
        return self.lattice_of(self.normalizer.normalize(clean_text(text)))

    def lattice_of(self, normalized: str) -> Lattice:
        """The same for a text that is normalized already."""
        search = self._search
        return build_lattice(
            normalized, search.trie, search.scores, search.unknown_id, search.unknown_score
        )

    def encode_ids(self, text: str, *, specials: bool = True) -> list[int]:
        """encode(text).ids without the rest, in a time that grows with the text's length."""
        text = clean_text(text)
        if not specials:
            return self._encode_ordinary(text)
        return self._specials.encode(text, self._encode_ordinary)

    def decode(self, ids: Sequence[int]) -> str:
        """The text of these ids, without control pieces and the space that was put in front.

        Raises ValueError for an id outside the vocabulary.
        """
        return self.pieces.decode(ids, self.normalizer)

    def piece_bytes(self, token: int) -> bytes:
        """The bytes that one token stands for. Raises ValueError for an id that does not exist."""
        return self.pieces.piece_bytes(token)

    def save(self, path: str | FilePath) -> None:
        """Writes a SentencePiece model where the path ends in ".model", else tokenizer.json.

        Both open in the library they come from: sentencepiece, and Hugging Face's tokenizers.
        """
        from core.tokenization.formats.sentencepiece.unigram_documents import save_unigram

        save_unigram(path, self)

    def _encode_ordinary(self, text: str) -> list[int]:
        normalized = self.normalizer.normalize(text)
        ids, ends = self._search.best(normalized)  # step: best
        if self.pieces.unknown not in ids:
            return ids
        return self.pieces.finish_ids(_named(normalized, ids, ends))

    def _find(self, normalized: str) -> Found:
        """The strings that a normalized text is cut into, with their ids."""
        return list(_named(normalized, *self._search.best(normalized)))

    def _encoding(self, text: str, specials: bool, find: Callable[[str], Found]) -> Encoding:
        normal = Stage("normalizer", [], [])
        model = Stage("model", [], [])
        ids: list[int] = []
        spans: list[tuple[int, int]] = []
        start = 0
        for part, special in self._specials.split(text) if specials else [(text, None)]:
            end = start + len(part.encode())
            if special is None:
                normalized = _placed(self.normalizer.trace(part), start)
                found = find(normalized.text)
                new_ids, new_spans = self.pieces.finish(found, normalized)
                strings, places = [string for string, _ in found], _spans(found, normalized)
                part = normalized.text
            else:
                new_ids, new_spans = [special], [(start, end)]
                strings, places = [part], new_spans
            normal.parts.append(part)
            normal.spans.append((start, end))
            model.parts.extend(strings)
            model.spans.extend(places)
            ids += new_ids
            spans += new_spans
            start = end
        pieces = [self.pieces.spelled[token] for token in ids]  # step: pieces
        stages = (normal, model, Stage("post-processor", pieces, spans))
        return Encoding(text, ids, pieces, spans, lambda: stages)


def scores_of(pieces: Sequence[Piece]) -> np.ndarray:
    """(V) the score of each piece, rounded to 32 bits; that of user-defined ones is fixed."""
    scores = np.array([piece.score for piece in pieces], dtype=np.float32).astype(np.float64)
    if not np.isfinite(scores).all():
        piece = pieces[int(np.argmin(np.isfinite(scores)))]
        raise ValueError(
            f"the score of the piece {piece.text!r} is {piece.score}: every piece needs a number, "
            "the logarithm of its probability; get the file again"
        )
    for token, piece in enumerate(pieces):
        if piece.type == PieceType.USER_DEFINED:
            scores[token] = USER_DEFINED_SCORE
    return scores


def unknown_score(pieces: Sequence[Piece]) -> float:
    """A score that no path takes where it need not."""
    normal = [piece.score for piece in pieces if piece.type == PieceType.NORMAL]
    if not normal:
        raise ValueError("the vocabulary has no piece that a text could be made of: train it again")
    return float(np.float32(min(normal)) - UNKNOWN_PENALTY)


def found_on(path: Path) -> Found:
    """The strings of a path, with their ids."""
    return [(node.piece, node.id) for node in path.nodes]


def _placed(normalized: Normalized, offset: int) -> Normalized:
    """The same with positions in a longer text, of which this is the part from `offset` on."""
    return Normalized(normalized.text, [offset + start for start in normalized.starts])


def _spans(found: Found, normalized: Normalized) -> list[tuple[int, int]]:
    """Where each string that was found stands in the original."""
    ends = list(accumulate(len(string) for string, _ in found))
    return [
        (normalized.starts[start], normalized.starts[end]) for start, end in pairwise([0, *ends])
    ]


def _named(text: str, ids: Sequence[int], ends: Sequence[int]) -> Iterator[tuple[str, int]]:
    """The strings that a text is cut into at these ends, with their ids."""
    for (start, end), token in zip(pairwise([0, *ends]), ids):
        yield text[start:end], token
