"""One token per character: the smallest tokenizer, with the longest sequences.

Its vocabulary is every character of the training text, sorted by code point, as in nanoGPT's
Shakespeare recipe (65 characters). A character missing from the training text has no id.
"""

from collections.abc import Generator, Iterable, Mapping, Sequence
from itertools import pairwise
from pathlib import Path

from core.files import quoted
from core.tokenization.byte_level import byte_places, clean_text
from core.tokenization.specials import SpecialTokens
from core.tokenization.steps import CountingStep
from core.tokenization.tokenizer import Encoding, Stage, check_id, check_special, number_pieces

CHUNK = 1 << 20  # characters between two yields


class CharacterTokenizer:
    """A tokenizer whose pieces are single characters.

    vocabulary      characters and special tokens, by id
    special_tokens  the id of each special token; each is also in the vocabulary
    unknown         the special token for characters without an id; None: encoding such a character
                    raises ValueError
    """

    kind = "characters"

    def __init__(
        self,
        vocabulary: Sequence[str],
        special_tokens: Mapping[str, int] | None = None,
        unknown: str | None = None,
    ) -> None:
        self._vocabulary = list(vocabulary)
        self._specials = SpecialTokens(special_tokens or {})
        self._id_of = number_pieces(self._vocabulary, self._specials.ids)
        self.unknown = unknown
        self._check()

    def _check(self) -> None:
        if not self._vocabulary:
            raise ValueError("the vocabulary is empty: train it on a text with characters in it")
        for piece, token in self._id_of.items():
            if clean_text(piece) != piece:
                raise ValueError(f"the piece {quoted(piece)} is half a character: remove it")
            if len(piece) != 1 and self.special_tokens.get(piece) != token:
                raise ValueError(
                    f"the piece {quoted(piece)} is not one character: list it as a special token, "
                    "or choose another kind of tokenizer"
                )
        if self.unknown is not None:
            check_special(self.unknown, self.special_tokens, "for unknown characters")

    @property
    def vocabulary(self) -> list[str]:
        return self._vocabulary

    @property
    def vocab_size(self) -> int:
        return len(self._vocabulary)

    @property
    def special_tokens(self) -> dict[str, int]:
        return self._specials.ids

    @property
    def unknown_id(self) -> int | None:
        return None if self.unknown is None else self._id_of[self.unknown]

    def encode(self, text: str, *, specials: bool = True) -> Encoding:
        """Returns the tokens of a text with their spans in its UTF-8 bytes.

        Raises ValueError for a character without an id, unless there is an unknown token.
        """
        text = clean_text(text)  # step: normalize
        ids = self.encode_ids(text, specials=specials)
        parts: list[str] = []
        spans: list[tuple[int, int]] = []
        for part, special, (start, end) in self._specials.places(text, specials):
            if special is None:
                places = pairwise(byte_places(part))
                spans += [(start + here, start + there) for here, there in places]
                parts += part
            else:
                spans.append((start, end))
                parts.append(part)
        pieces = [self._vocabulary[token] for token in ids]  # step: pieces

        def explain() -> tuple[Stage, ...]:
            return (
                Stage("normalizer", [text], [(0, len(text.encode()))]),
                Stage("pre-tokenizer", parts, spans),
                Stage("model", pieces, spans),
                Stage("post-processor", pieces, spans),
            )

        return Encoding(text, ids, pieces, spans, explain)

    def encode_ids(self, text: str, *, specials: bool = True) -> list[int]:
        """Returns only the ids of `encode`."""
        return self._specials.encode(clean_text(text), self._encode_ordinary, specials)

    def _encode_ordinary(self, text: str) -> list[int]:
        known = self._id_of
        characters = list(text)  # step: cut
        if self.unknown is not None:
            replacement = known[self.unknown]
            ids = [known.get(one, replacement) for one in characters]  # step: known
            return ids
        try:
            ids = [known[one] for one in characters]  # step: look
            return ids
        except KeyError as error:
            missing = error.args[0]
            raise ValueError(
                f"the character {missing!r} (U+{ord(missing):04X}) at position "
                f"{text.index(missing)} is not in the vocabulary of {self.vocab_size} characters: "
                "remove it from the text, train the tokenizer on a text that holds it, or use the "
                "byte-level BPE, which knows every character"
            ) from None

    def decode(self, ids: Sequence[int]) -> str:
        """Returns the text of ids, special tokens included. Raises ValueError for an unknown id."""
        for token in ids:
            check_id(token, len(self._vocabulary))
        return "".join([self._vocabulary[token] for token in ids])

    def piece_bytes(self, token: int) -> bytes:
        check_id(token, len(self._vocabulary))
        return self._vocabulary[token].encode()

    def save(self, path: str | Path) -> None:
        """Writes tokenizer.json, which the Hugging Face tokenizers library can also open."""
        from core.tokenization.formats.tokenizer_json import character_document, write_document

        document = character_document(self._id_of, self.special_tokens, self.unknown)
        write_document(path, document)


def character_steps(
    texts: Iterable[str], vocab_size: int | None = None, special_tokens: Sequence[str] = ()
) -> Generator[CountingStep, None, CharacterTokenizer]:
    """Collects the characters of the texts, yielding progress; returns the tokenizer.

    vocab_size  maximum number of pieces, including special tokens; None: no limit

    Raises ValueError if the texts are empty or vocab_size is too small for all their characters.
    """
    specials = list(dict.fromkeys(special_tokens))
    found: set[str] = set()
    seen = 0
    for text in texts:
        for start in range(0, len(text), CHUNK):
            chunk = clean_text(text[start : start + CHUNK])
            found.update(chunk)
            seen += len(chunk)
            yield CountingStep(seen, seen, len(found))
    vocabulary = specials + sorted(found - set(specials))
    if not found:
        raise ValueError("the text is empty, so it has no characters: choose a text with some")
    if vocab_size is not None and vocab_size < len(vocabulary):
        raise ValueError(
            f"vocab_size {vocab_size:,} is too small: the text has {len(found):,} different "
            f"characters and there are {len(specials)} special tokens; choose at least "
            f"{len(vocabulary):,}, leave vocab_size out, or use the byte-level BPE"
        )
    return CharacterTokenizer(vocabulary, {token: id_ for id_, token in enumerate(specials)})
