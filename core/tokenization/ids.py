"""A tokenizer for a model without one: its tokens are their own numbers.

It cannot encode sentences, but ids from elsewhere can be given to the model.
"""

import re
from collections.abc import Sequence
from pathlib import Path

from core.files import quoted, write_json
from core.tokenization.byte_level import clean_text
from core.tokenization.tokenizer import Encoding, check_id

MOST = 1 << 21  # ten times the largest vocabularies
NUMBER = re.compile(r"\s*([0-9]{1,9})(?=\s|$)")


class IdTokenizer:
    """Reads whole numbers separated by spaces: "12 5 7" is the tokens 12, 5 and 7."""

    kind = "ids"

    def __init__(self, vocab_size: int) -> None:
        if not 1 <= vocab_size <= MOST:
            raise ValueError(f"a vocabulary has 1 to {MOST:,} ids, not {vocab_size:,}: use as many")
        self._vocabulary = [str(token) for token in range(vocab_size)]

    @property
    def vocabulary(self) -> list[str]:
        return self._vocabulary

    @property
    def vocab_size(self) -> int:
        return len(self._vocabulary)

    @property
    def special_tokens(self) -> dict[str, int]:
        return {}

    @property
    def unknown_id(self) -> int | None:
        return None

    def encode(self, text: str, *, specials: bool = True) -> Encoding:
        """Returns the ids written in the text; the span of each includes the spaces before it.

        Raises ValueError for anything that is not a number or not an id of the vocabulary.
        """
        text = clean_text(text)
        ids: list[int] = []
        spans: list[tuple[int, int]] = []
        place, end = 0, len(text.rstrip())
        while place < end:
            found = NUMBER.match(text, place)
            if found is None or int(found[1]) >= self.vocab_size:
                word = text[place:].split(maxsplit=1)[0]
                raise ValueError(
                    f"{quoted(word)} is no token: this model came without a tokenizer, so that "
                    f"its tokens are the numbers from 0 to {self.vocab_size - 1:,}. Write some, "
                    "with spaces between them, or put its tokenizer.json beside it"
                )
            ids.append(int(found[1]))
            start = spans[-1][1] if spans else 0
            spans.append((start, start + len(found[0].encode())))
            place = found.end()
        return Encoding(text, ids, [self._vocabulary[token] for token in ids], spans)

    def encode_ids(self, text: str, *, specials: bool = True) -> list[int]:
        """Returns only the ids of `encode`."""
        return self.encode(text).ids

    def decode(self, ids: Sequence[int]) -> str:
        """Returns the numbers, each after a space. Raises ValueError for an unknown id."""
        return b"".join([self.piece_bytes(token) for token in ids]).decode()

    def piece_bytes(self, token: int) -> bytes:
        check_id(token, self.vocab_size)
        return f" {token}".encode()

    def save(self, path: str | Path) -> None:
        """Writes tokenizer.json, which the Hugging Face tokenizers library can also open."""
        model = {
            "type": "WordLevel",
            "vocab": {piece: token for token, piece in enumerate(self._vocabulary)},
            "unk_token": "<unk>",  # not in the vocabulary: other words are an error
        }
        write_json(
            path,
            {
                "version": "1.0",
                "added_tokens": [],
                "normalizer": None,
                "pre_tokenizer": {"type": "WhitespaceSplit"},
                "post_processor": None,
                "decoder": None,
                "model": model,
            },
        )
