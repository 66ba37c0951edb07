"""The common base of SentencePiece's two algorithms: everything but how a text is cut.

Special tokens divide the text. The text between two of them is normalized and cut into strings,
which is where the two algorithms differ; the vocabulary turns these into tokens, each with the span
of bytes of the text that it stands for.

Source: Kudo and Richardson 2018, section 3.
"""

from abc import ABC, abstractmethod
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

from core.tokenization.byte_level import clean_text
from core.tokenization.sentencepiece.normalizer import Normalized, SentencePieceNormalizer
from core.tokenization.sentencepiece.pieces import Piece
from core.tokenization.sentencepiece.vocabulary import UNKNOWN_SURFACE, SentencePieceVocabulary
from core.tokenization.specials import SpecialTokens
from core.tokenization.tokenizer import Encoding, Stage

Found = list[tuple[str, int]]  # strings of a normalized text, with their ids or the unknown id
Span = tuple[int, int]


class SentencePieceTokenizer(ABC):
    """A tokenizer of pieces with scores.

    pieces           by id
    normalizer       applied to a text before it is cut; None: nmt_nfkc with all rules for spaces
    byte_fallback    a character without a piece becomes its bytes; otherwise it is unknown
    unknown_surface  the text that an unknown token is decoded to

    Raises ValueError for a vocabulary that lacks its unknown piece or bytes, or repeats a piece.
    """

    kind: str
    model_type: str  # its name in a model file
    cuts_words = False  # whether a normalized text is cut into words before it is cut into pieces

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

    @abstractmethod
    def _find(self, normalized: str) -> Found:
        """Returns the strings that a normalized text is cut into; joined, they are the text."""

    @abstractmethod
    def document(self) -> dict[str, Any]:
        """Returns the tokenizer as a tokenizer.json document.

        Raises ValueError, with a remedy, if the format cannot express what the tokenizer does.
        """

    @abstractmethod
    def _encode_ordinary(self, text: str) -> list[int]:
        """Returns the ids of a text without special tokens, as fast as possible."""

    def _cut(self, normalized: str) -> list[str]:
        """Returns the words of a normalized text: no piece reaches from one into the next."""
        return [normalized]

    @property
    def vocabulary(self) -> list[str]:
        return self.pieces.spelled

    @property
    def vocab_size(self) -> int:
        return len(self.pieces)

    @property
    def unknown_id(self) -> int:
        """The id of the unknown piece; with byte_fallback no text needs it."""
        return self.pieces.unknown

    @property
    def special_tokens(self) -> dict[str, int]:
        """The unknown piece and the control pieces, with their ids."""
        return self.pieces.special_tokens

    def encode(self, text: str, *, specials: bool = True) -> Encoding:
        """Returns the tokens of a text with their spans in its bytes.

        A lone surrogate counts as U+FFFD. With specials=True a special token that is written out in
        the text becomes that token, and the text between two of them is encoded by itself; with
        specials=False it is ordinary text, as in SentencePiece.
        """
        return self._encoding(clean_text(text), specials, self._find)

    def encode_ids(self, text: str, *, specials: bool = True) -> list[int]:
        """Returns encode(text).ids alone, in a time that is proportional to the text's length."""
        return self._specials.encode(clean_text(text), self._encode_ordinary, specials)

    def decode(self, ids: Sequence[int]) -> str:
        """Returns the text of these ids, without control pieces and the space added in front.

        The normalizer's changes are not undone. Bytes that form no character become U+FFFD.
        Raises ValueError for an id outside the vocabulary.
        """
        return self.pieces.decode(ids, self.normalizer)

    def piece_bytes(self, token: int) -> bytes:
        """Returns the bytes that one token stands for; "▁" is a space.

        Raises ValueError for an id outside the vocabulary.
        """
        return self.pieces.piece_bytes(token)

    def save(self, path: str | Path) -> None:
        """Writes a SentencePiece model if the path ends in ".model", otherwise a tokenizer.json.

        Each opens in the library of its format: sentencepiece, or Hugging Face's tokenizers.
        Raises ValueError, with a remedy, if the format cannot express what the tokenizer does.
        """
        from core.tokenization.formats.sentencepiece.model import to_model, write_model
        from core.tokenization.formats.tokenizer_json import write_document

        if Path(path).suffix == ".model":
            write_model(path, to_model(self.model_type, self.pieces, self.normalizer))
        else:
            write_document(path, self.document())

    def _encoding(self, text: str, specials: bool, find: Callable[[str], Found]) -> Encoding:
        model = Stage("model", [], [])
        ids: list[int] = []
        spans: list[Span] = []
        for part, special, (start, end) in self._specials.places(text, specials):
            if special is None:
                normalized = placed(self.normalizer.trace(part), start)
                found = find(normalized.text)
                new_ids, new_spans = self.pieces.finish(found, normalized)
                strings = [string for string, _ in found]
                places = spans_of(strings, normalized)
            else:
                new_ids, new_spans = [special], [(start, end)]
                strings, places = [part], new_spans
            model.parts.extend(strings)
            model.spans.extend(places)
            ids += new_ids
            spans += new_spans
        spelled = self.vocabulary
        pieces = [spelled[token] for token in ids]  # step: pieces

        def explain() -> tuple[Stage, ...]:
            last = Stage("post-processor", pieces, spans)
            return (*self._stages_before(text, specials), model, last)

        return Encoding(text, ids, pieces, spans, explain)

    def _stages_before(self, text: str, specials: bool) -> list[Stage]:
        """Returns the stages before the model: the normalized text, and its words if it is cut."""
        whole = Stage("normalizer", [], [])
        cut = Stage("pre-tokenizer", [], [])
        for part, special, span in self._specials.places(text, specials):
            words, spans = [part], [span]
            if special is None:
                normalized = placed(self.normalizer.trace(part), span[0])
                part = normalized.text
                words = self._cut(part)
                spans = spans_of(words, normalized)
            whole.parts.append(part)
            whole.spans.append(span)
            cut.parts.extend(words)
            cut.spans.extend(spans)
        return [whole, cut] if self.cuts_words else [whole]


def placed(normalized: Normalized, offset: int) -> Normalized:
    """Shifts the positions to those in a longer text, in which this part starts at `offset`."""
    if offset == 0:
        return normalized
    return Normalized(normalized.text, [offset + start for start in normalized.starts])


def spans_of(strings: Sequence[str], normalized: Normalized) -> list[Span]:
    """Returns the span in the original of each of the strings that make up the normalized text."""
    spans: list[Span] = []
    place = 0
    for string in strings:
        end = place + len(string)
        spans.append((normalized.starts[place], normalized.starts[end]))
        place = end
    return spans
