"""A tokenizer.json of any kind, run by the Hugging Face tokenizers library.

Our own classes run the files that they match exactly; the library runs all others, such as one with
a normalizer that none of the classes has, behind the same protocol. Its positions count characters
of the text; here they become bytes, and a character that several tokens share is divided among
them.

The library holds Python's lock while it encodes one text, which would freeze a window; it releases
the lock while it encodes a list of texts. So every text is passed as a list of one.
"""

import threading
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import tokenizers

from core.files import GET_AGAIN, write_atomically
from core.tokenization.byte_level import byte_places, clean_text
from core.tokenization.formats.library_opening import library_tokenizer
from core.tokenization.formats.limits import check_for_library
from core.tokenization.formats.sentencepiece.documents import has_charsmap
from core.tokenization.formats.spelling import Spelling, spelling_of
from core.tokenization.specials import SpecialTokens
from core.tokenization.telling import readable_text, shown, visible
from core.tokenization.tokenizer import Encoding, Stage, check_id

KINDS = {
    "BPE": "bpe",
    "WordPiece": "wordpiece",
    "Unigram": "unigram",
    "WordLevel": "words",
}
NOWHERE = (0, 0)  # the position of a token that was added around the text
SPARE_IDS = 1 << 16  # ids without a piece that a vocabulary may have, besides one for each piece


class LibraryTokenizer:
    """A tokenizer that the Hugging Face library runs.

    document  the parsed tokenizer.json; `name` is the file, for messages
    raw       its bytes, if available: saves serializing the document again

    A table of character rules is applied in the library's way, which differs from SentencePiece's:
    see core.tokenization.formats.sentencepiece.documents. `has_charsmap` tells whether there is
    one. Truncation and padding, which a file may request, are turned off: every text is encoded
    whole. Raises ValueError, with a remedy, for a document that the library cannot load.
    """

    def __init__(self, document: Mapping[str, Any], name: str, raw: bytes | None = None) -> None:
        check_for_library(document, name)
        wanted = _keep_spaces(document)
        with readable_errors(name):
            self._library = library_tokenizer(wanted, raw if wanted is document else None)
            self._library.no_truncation()
            self._library.no_padding()
            pieces = self._library.get_vocab(with_added_tokens=True)
            added = self._library.get_added_tokens_decoder()
            around = self._library.encode("").ids
        model = document["model"]
        self.kind = KINDS.get(_model_type(model), "other")
        self._vocabulary = _by_id(pieces, name)
        self._unused = set(range(len(self._vocabulary))) - set(pieces.values())
        for token in around:
            if token >= len(self._vocabulary):
                raise ValueError(
                    f"{name} puts the id {token:,} round every text, which no piece has: "
                    f"{GET_AGAIN}"
                )
        self._special_ids = {
            token.content: number for number, token in sorted(added.items()) if token.special
        }
        self._added = {number: token.content for number, token in added.items()}
        self._spelling: Spelling = spelling_of(document)
        self._unknown_id = _unknown_id(model, pieces)
        self._lock = threading.Lock()  # the library's switch for special tokens is for all threads
        self._finder = SpecialTokens({text: i for text, i in self._special_ids.items() if text})
        self.has_charsmap = has_charsmap(document)

    @property
    def vocabulary(self) -> list[str]:
        return self._vocabulary

    @property
    def vocab_size(self) -> int:
        return len(self._vocabulary)

    @property
    def special_tokens(self) -> dict[str, int]:
        return self._special_ids

    @property
    def unknown_id(self) -> int | None:
        return self._unknown_id

    def encode(self, text: str, *, specials: bool = True) -> Encoding:
        """Returns the tokens of a text with their spans in its UTF-8 bytes.

        With specials=True special tokens that are written in the text are found, and those that
        the file adds around every text ("[CLS]") are included, with empty spans.
        """
        text = clean_text(text)
        encoding = self._encode(text, specials)
        ids: list[int] = encoding.ids
        # One at a time: encoding.offsets would make the whole list while it blocks other threads.
        offsets = [encoding.token_to_chars(place) or NOWHERE for place in range(len(ids))]
        spans = self._byte_spans(text, ids, offsets)
        pieces = self._spelled(encoding, ids)

        def explain() -> tuple[Stage, ...]:
            return self._stages(text, specials, pieces, spans, encoding.special_tokens_mask)

        return Encoding(text, ids, pieces, spans, explain)

    def encode_ids(self, text: str, *, specials: bool = True) -> list[int]:
        return self._encode(clean_text(text), specials).ids

    def _encode(self, text: str, specials: bool) -> tokenizers.Encoding:
        with self._lock, readable_errors(f"the {self.kind} tokenizer"):
            self._library.encode_special_tokens = not specials
            encode = self._library.encode_batch
            found = encode([text], add_special_tokens=specials)  # step: encode
            return found[0]

    def decode(self, ids: Sequence[int]) -> str:
        """Decodes ids, including special tokens, with the file's own decoder."""
        for token in ids:
            check_id(token, len(self._vocabulary))
        with self._lock, readable_errors(f"the {self.kind} tokenizer"):
            return self._library.decode_batch([list(ids)], skip_special_tokens=False)[0]

    def piece_bytes(self, token: int) -> bytes:
        """Returns the bytes that a token stands for inside a text; an id without a piece has none.

        A first word may lose the space before it when it is decoded.
        """
        check_id(token, len(self._vocabulary))
        if token in self._unused:
            return b""
        if token in self._added:
            return self._added[token].encode()
        return self._spelling.to_bytes(self._vocabulary[token])

    def readable(self, part: str, stage: str) -> str:
        """Returns a part of a stage's output as the app displays it: "␣the" for a piece "▁the"."""
        data = self._spelling.to_bytes(part)
        if stage in ("model", "post-processor"):
            return shown(part, data)
        # In a byte-level tokenizer, words are spelled like pieces: "Ġthe", "naÃ¯ve". A part whose
        # bytes are not text is no such word, but, for example, a special token.
        if stage == "pre-tokenizer" and self._spelling.byte_level:
            text = readable_text(data)
            return visible(part if text is None else text)
        space = self._spelling.space
        return visible(part.replace(space, " ") if space else part)

    def save(self, path: str | Path) -> None:
        """Writes tokenizer.json."""
        with readable_errors(str(path)):
            text = self._library.to_str(pretty=False)
        write_atomically(path, text + "\n")

    def _spelled(self, encoding: tokenizers.Encoding, ids: Sequence[int]) -> list[str]:
        """Returns the pieces; a Unigram's unknown strings are spelled as in the text."""
        if self._unknown_id in ids:
            return encoding.tokens
        return [self._vocabulary[token] for token in ids]

    def _byte_spans(
        self, text: str, ids: Sequence[int], offsets: Sequence[tuple[int, int]]
    ) -> list[tuple[int, int]]:
        """Converts spans in characters to spans in bytes.

        If a token starts before the previous one ends, both hold parts of one character: it is
        cut after as many bytes as the previous token has.
        """
        byte_at = byte_places(text)
        begins_next = [len(text)] * (len(ids) + 1)  # where the next token with characters begins
        for index in reversed(range(len(ids))):
            first, last = offsets[index]
            begins_next[index] = first if first < last else begins_next[index + 1]
        spans: list[tuple[int, int]] = []
        end = 0
        for index, (first, last) in enumerate(offsets):
            if first == last:  # no text
                spans.append((end, end))
                continue
            start, stop = max(end, byte_at[first]), max(end, byte_at[last])
            if byte_at[begins_next[index + 1]] < stop:
                stop = min(stop, start + len(self.piece_bytes(ids[index])))
            spans.append((start, stop))
            end = stop
        return spans

    def _stages(
        self,
        text: str,
        specials: bool,
        pieces: list[str],
        spans: list[tuple[int, int]],
        added: Sequence[int],
    ) -> tuple[Stage, ...]:
        """Returns the text after each stage; special tokens pass all stages unchanged."""
        normalized: list[str] = []
        places: list[tuple[int, int]] = []
        words: list[str] = []
        cuts: list[tuple[int, int]] = []
        for part, special, (start, stop) in self._finder.places(text, specials):
            if special is None:
                changed, found = self._cut(part)
            else:
                changed, found = part, [(part, 0, stop - start)]
            normalized.append(changed)  # step: normalized
            places.append((start, stop))
            words.extend(cut[0] for cut in found)  # step: words
            cuts += [(start + first, start + last) for _, first, last in found]
        by_template = [
            flag == 1 and first == last for flag, (first, last) in zip(added, spans, strict=True)
        ]
        kept = [index for index, extra in enumerate(by_template) if not extra]
        model = [pieces[index] for index in kept]  # step: model
        return (
            Stage("normalizer", normalized, places),
            Stage("pre-tokenizer", words, cuts),
            Stage("model", model, [spans[index] for index in kept]),
            Stage("post-processor", pieces, spans),
        )

    def _cut(self, part: str) -> tuple[str, list[tuple[str, int, int]]]:
        """Normalizes a part of the text; returns it, and its words with spans in the part."""
        with readable_errors(f"the {self.kind} tokenizer"):
            cut = tokenizers.PreTokenizedString(part)
            normalizer, pre_tokenizer = self._library.normalizer, self._library.pre_tokenizer
            if normalizer is not None:
                cut.normalize(normalizer.normalize)
            whole = "".join(word for word, _, _ in cut.get_splits())
            if pre_tokenizer is not None:
                pre_tokenizer.pre_tokenize(cut)
            splits = cut.get_splits(offset_referential="original", offset_type="byte")
        return whole, [(word, first, last) for word, (first, last), _ in splits]


@contextmanager
def readable_errors(name: str) -> Iterator[None]:
    """Turns errors in the library into ValueErrors, including its panics (BaseExceptions)."""
    try:
        yield
    except (KeyboardInterrupt, SystemExit, GeneratorExit):
        raise
    except BaseException as error:
        raise ValueError(
            f"{name} cannot be used by the tokenizers library ({str(error)[:200]}): it may be "
            f"damaged, or of a newer version than {tokenizers.__version__}; {GET_AGAIN}"
        ) from error


def _model_type(model: Mapping[str, Any]) -> str:
    return str(model.get("type") or ("BPE" if "merges" in model else "WordLevel"))


def _by_id(pieces: Mapping[str, int], name: str) -> list[str]:
    """Returns the pieces by id; an id without a piece gets the name "<unused id>"."""
    if not pieces:
        raise ValueError(f"{name} has an empty vocabulary: {GET_AGAIN}")
    if len(set(pieces.values())) < len(pieces):
        raise ValueError(f"{name} gives one id to two pieces: {GET_AGAIN}")
    size = max(pieces.values()) + 1
    if size > 2 * len(pieces) + SPARE_IDS:
        raise ValueError(
            f"{name} has {len(pieces):,} pieces, but ids up to {size - 1:,}: {GET_AGAIN}"
        )
    vocabulary = [f"<unused {token}>" for token in range(size)]
    for piece, token in pieces.items():
        vocabulary[token] = piece
    return vocabulary


def _unknown_id(model: Mapping[str, Any], pieces: Mapping[str, int]) -> int | None:
    """Returns the id of the unknown token; None if there is none or byte pieces replace it."""
    if model.get("byte_fallback") and all(f"<0x{byte:02X}>" in pieces for byte in range(256)):
        return None
    if type(model.get("unk_id")) is int:
        return model["unk_id"]
    unknown = model.get("unk_token")
    return pieces.get(unknown) if isinstance(unknown, str) else None


def _keep_spaces(document: Mapping[str, Any]) -> Mapping[str, Any]:
    """Returns the document, or a copy whose post-processor keeps spaces in the spans of words."""
    wanted = document.get("post_processor")
    changed = _with_spaces(wanted)
    return document if changed == wanted else {**document, "post_processor": changed}


def _with_spaces(part: Any) -> Any:
    if isinstance(part, dict):
        return {
            key: False if key == "trim_offsets" else _with_spaces(value)
            for key, value in part.items()
        }
    return [_with_spaces(item) for item in part] if isinstance(part, list) else part
