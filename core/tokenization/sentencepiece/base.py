"""What SentencePiece's two algorithms have in common: everything but how a text is cut.

Special tokens part the text. What stands between two of them is normalized and cut into strings
(there the two differ); the vocabulary turns these into tokens, and every token knows the bytes of
the text that it stands for.

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

Found = list[tuple[str, int]]  # strings of a normalized text, with their ids or the unknown's
Span = tuple[int, int]


class SentencePieceTokenizer(ABC):
    """A tokenizer of pieces with scores.

    pieces           by id
    normalizer       what happens to a text before; None: nmt_nfkc with all rules for spaces
    byte_fallback    a character without a piece is written with its bytes; else it is unknown
    unknown_surface  what an unknown token is decoded to

    Raises ValueError for a vocabulary without its unknown piece or bytes, or with a piece twice.
    """

    kind: str
    model_type: str  # what a model file calls it
    cuts_words = False  # whether a normalized text is cut into words before pieces are looked for

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
        """The strings that a normalized text is cut into; together they are the text."""

    @abstractmethod
    def document(self) -> dict[str, Any]:
        """What tokenizer.json says about it.

        Raises ValueError where the format cannot say what the tokenizer does.
        """

    @abstractmethod
    def _encode_ordinary(self, text: str) -> list[int]:
        """The ids of a text without special tokens, as fast as possible."""

    def _cut(self, normalized: str) -> list[str]:
        """The parts of a normalized text that no piece crosses."""
        return [normalized]

    @property
    def vocabulary(self) -> list[str]:
        return self.pieces.spelled

    @property
    def vocab_size(self) -> int:
        return len(self.pieces)

    @property
    def unknown_id(self) -> int:
        """The unknown piece; with byte_fallback no text needs it."""
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

    def encode_ids(self, text: str, *, specials: bool = True) -> list[int]:
        """encode(text).ids without the rest, in a time that grows with the text's length."""
        return self._specials.encode(clean_text(text), self._encode_ordinary, specials)

    def decode(self, ids: Sequence[int]) -> str:
        """The text of these ids, without control pieces and the space that was put in front.

        What the normalizer changed stays changed. Bytes that are no character become U+FFFD.
        Raises ValueError for an id outside the vocabulary.
        """
        return self.pieces.decode(ids, self.normalizer)

    def piece_bytes(self, token: int) -> bytes:
        """The bytes that one token stands for; "▁" is a space.

        Raises ValueError for an id outside the vocabulary.
        """
        return self.pieces.piece_bytes(token)

    def save(self, path: str | Path) -> None:
        """Writes a SentencePiece model where the path ends in ".model", else tokenizer.json.

        Both open in the library they come from: sentencepiece, and Hugging Face's tokenizers.
        Raises ValueError where the format cannot say what the tokenizer does.
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
        """The normalized text and its words."""
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
    """The same with positions in a longer text, of which this is the part from `offset` on."""
    if offset == 0:
        return normalized
    return Normalized(normalized.text, [offset + start for start in normalized.starts])


def spans_of(strings: Sequence[str], normalized: Normalized) -> list[Span]:
    """Where each of the strings, which together are the normalized text, stands in the original."""
    spans: list[Span] = []
    place = 0
    for string in strings:
        end = place + len(string)
        spans.append((normalized.starts[place], normalized.starts[end]))
        place = end
    return spans
