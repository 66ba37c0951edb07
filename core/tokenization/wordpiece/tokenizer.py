"""WordPiece, the tokenizer of BERT: the longest piece that fits, from left to right.

A word's first piece is written plainly ("token"), and each further one with "##" before it
("##izer"). At each position, the longest piece in the vocabulary is taken; a word that cannot be
spelled to its end becomes one unknown token, even if parts of it are known.

Source: Schuster and Nakajima 2012; Devlin et al. 2019, section 3. Google's code gives up on words
of more than 200 characters, the Hugging Face tokenizers library on those of more than 100.
"""

import re
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import NamedTuple

from core.files import quoted
from core.tokenization.byte_level import byte_places, clean_text
from core.tokenization.specials import SpecialTokens
from core.tokenization.tokenizer import Encoding, Stage, check_id, check_special, number_pieces
from core.tokenization.word_cache import WordCache
from core.tokenization.wordpiece.bert_text import BertText

UNKNOWN = "[UNK]"
BERT_TOKENS = ("[PAD]", UNKNOWN, "[CLS]", "[SEP]", "[MASK]")
PREFIX = "##"
LONGEST_WORD = 100  # characters
CACHED_RUNS = 50_000  # parts of a text cached with their words and tokens
NO_SPACES = re.compile(r"[^ \t\n\r]+")

Span = tuple[int, int]


class Run(NamedTuple):
    """A part of a text with its words and tokens, and their spans in the part's bytes."""

    words: list[str]
    word_spans: list[Span]
    ids: list[int]
    spans: list[Span]


class Lookup(NamedTuple):
    """One look-up in the vocabulary: the characters start to end of a word, spelled as a piece.

    token  its id; -1 if there is no such piece
    """

    start: int
    end: int
    piece: str
    token: int


class WordPiece:
    """A tokenizer that splits words into their longest pieces.

    vocabulary      pieces by id
    special_tokens  tokens and their ids; each is also in the vocabulary
    text            rules for normalizing text and splitting it into words
    unknown         the piece for a word that cannot be spelled
    longest_word    maximum number of characters in a word; a longer word is unknown
    before, after   special tokens around every text ("[CLS]" and "[SEP]")

    Raises ValueError for a vocabulary with a duplicate piece or without the unknown token, and if a
    token before or after is not a special token.
    """

    kind = "wordpiece"

    def __init__(
        self,
        vocabulary: Sequence[str],
        special_tokens: Mapping[str, int] | None = None,
        *,
        text: BertText | None = None,
        unknown: str = UNKNOWN,
        longest_word: int = LONGEST_WORD,
        before: Sequence[str] = (),
        after: Sequence[str] = (),
    ) -> None:
        self._vocabulary = list(vocabulary)
        self._specials = SpecialTokens(special_tokens or {})
        self._id_of = number_pieces(self._vocabulary, self._specials.ids)
        self.text = text or BertText()
        self.unknown = unknown
        self.longest_word = longest_word
        self.before, self.after = tuple(before), tuple(after)
        self._check()
        self._longest_piece = max(map(len, self._vocabulary))
        self._met = WordCache(longest_word)
        self._known_runs: dict[str, Run] = {}

    def _check(self) -> None:
        if self.unknown not in self._id_of:
            raise ValueError(
                f"the vocabulary has no {quoted(self.unknown)}, which stands for words that it "
                "cannot spell: add it, or say which piece does"
            )
        for token in self.before + self.after:
            check_special(token, self._specials.ids, "round every text")
        if self.longest_word < 1:
            raise ValueError(f"the longest word has {self.longest_word} characters: allow some")

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
    def unknown_id(self) -> int:
        return self._id_of[self.unknown]

    def encode(self, text: str, *, specials: bool = True) -> Encoding:
        """Returns the tokens of a text with their spans in its bytes; spaces and accents have none.

        A lone surrogate counts as U+FFFD, which BERT's normalizer removes. With specials=False, a
        special token written out is ordinary text, and none is added around the text.
        """
        text = clean_text(text)
        ids: list[int] = []
        spans: list[Span] = []
        for start, run in self._runs(text, specials):
            ids += run.ids
            spans += [(start + first, start + last) for first, last in run.spans]
        inside, inside_spans = ids, spans
        if specials:
            ids, spans = self._surround(ids, spans, len(text.encode()))

        def explain() -> tuple[Stage, ...]:
            return self._stages(text, specials, (inside, inside_spans), (ids, spans))

        return Encoding(text, ids, self._spell(ids), spans, explain)

    def _spell(self, ids: Sequence[int]) -> list[str]:
        return [self._vocabulary[token] for token in ids]

    def _runs(self, text: str, specials: bool) -> Iterator[tuple[int, Run]]:
        """Yields the runs between spaces, and where each starts in the text's bytes.

        The four plain kinds of white space always end a word, so each run can be read by itself and
        cached.
        """
        for part, special, (start, end) in self._specials.places(text, specials):
            if special is not None:
                whole = [(0, end - start)]
                yield start, Run([part], whole, [special], whole)
                continue
            at = byte_places(part)
            for match in NO_SPACES.finditer(part):
                written = match.group()
                run = self._known_runs.get(written)
                if run is None:
                    if len(self._known_runs) >= CACHED_RUNS:
                        self._known_runs = {}
                    run = self._known_runs[written] = self._read(written)
                yield start + at[match.start()], run

    def _read(self, written: str) -> Run:
        """Normalizes a part of a text, cuts it into words, and splits the words into pieces."""
        aligned = self.text.align(written)
        at = byte_places(written)
        run = Run([], [], [], [])
        for first, last in self.text.places(aligned.text):
            word = aligned.text[first:last]
            source = aligned.source[first:last]
            run.words.append(word)
            run.word_spans.append((at[source[0]], at[source[-1] + 1]))
            ids, spans = self.match(word)  # step: word
            run.ids.extend(ids)
            run.spans.extend([(at[source[i]], at[source[j - 1] + 1]) for i, j in spans])
        return run

    def _stages(
        self,
        text: str,
        specials: bool,
        model: tuple[list[int], list[Span]],
        after: tuple[list[int], list[Span]],
    ) -> tuple[Stage, ...]:
        normalized: list[str] = []
        normalized_spans: list[Span] = []
        for part, special, span in self._specials.places(text, specials):
            normalized.append(part if special is not None else self.text.normalize(part))
            normalized_spans.append(span)
        words: list[str] = []
        word_spans: list[Span] = []
        for start, run in self._runs(text, specials):
            words += run.words
            word_spans += [(start + first, start + last) for first, last in run.word_spans]
        return (
            Stage("normalizer", normalized, normalized_spans),
            Stage("pre-tokenizer", words, word_spans),
            Stage("model", self._spell(model[0]), model[1]),
            Stage("post-processor", self._spell(after[0]), after[1]),
        )

    def _surround(
        self, ids: list[int], spans: list[Span], end: int
    ) -> tuple[list[int], list[Span]]:
        """Puts the special tokens around a text; their spans are empty."""
        before = [self._id_of[token] for token in self.before]
        after = [self._id_of[token] for token in self.after]
        around = [*before, *ids, *after]  # step: surround
        return around, [(0, 0)] * len(before) + spans + [(end, end)] * len(after)

    def encode_ids(self, text: str, *, specials: bool = True) -> list[int]:
        """Returns only the ids of `encode`; a word that occurred before takes one look-up."""
        ids = self._specials.encode(clean_text(text), self._encode_ordinary, specials)
        return self._surround(ids, [], 0)[0] if specials else ids

    def _encode_ordinary(self, text: str) -> list[int]:
        words = self.text.split(self.text.normalize(text))
        return self._met.encode(words, lambda word: self.match(word)[0])

    def match(self, word: str, seen: list[Lookup] | None = None) -> tuple[list[int], list[Span]]:
        """Returns the pieces of one normalized word and the span of each in its characters.

        Appends every look-up to `seen`, for display.
        """
        ids: list[int] = []
        spans: list[Span] = []
        start, length = 0, len(word)
        if length > self.longest_word:
            return self._give_up(length)
        while start < length:
            prefix = PREFIX if start > 0 else ""
            end = min(length, start + self._longest_piece)
            while end > start:
                piece = prefix + word[start:end]
                token = self._id_of.get(piece, -1)  # step: look
                if seen is not None:
                    seen.append(Lookup(start, end, piece, token))
                if token >= 0:
                    break
                end -= 1
            else:
                return self._give_up(length)
            ids.append(token)  # step: take
            spans.append((start, end))
            start = end
        return ids, spans

    def _give_up(self, length: int) -> tuple[list[int], list[Span]]:
        """Returns one unknown token for a word that cannot be spelled to its end."""
        ids = [self.unknown_id]  # step: unknown
        return ids, [(0, length)]

    def decode(self, ids: Sequence[int]) -> str:
        """Returns the words of these ids, separated by single spaces; lost text is not restored.

        Raises ValueError for an id outside the vocabulary.
        """
        parts: list[str] = []
        for token in ids:
            check_id(token, len(self._vocabulary))
            piece = self._vocabulary[token]
            if parts and piece.startswith(PREFIX):
                piece = piece[len(PREFIX) :]
            elif parts:
                piece = f" {piece}"
            for written, read in CLOSE_UP:
                piece = piece.replace(written, read)
            parts.append(piece)
        return "".join(parts)

    def piece_bytes(self, token: int) -> bytes:
        """Returns the part of a word that the piece spells, without its "##"."""
        check_id(token, len(self._vocabulary))
        piece = self._vocabulary[token]
        inside = piece.startswith(PREFIX) and piece not in self._specials.ids
        return (piece[len(PREFIX) :] if inside else piece).encode()

    def save(self, path: str | Path) -> None:
        """Writes tokenizer.json, which the Hugging Face tokenizers library can also open."""
        from core.tokenization.formats.tokenizer_json import wordpiece_document, write_document

        document = wordpiece_document(
            self._id_of,
            self.special_tokens,
            self.text,
            unknown=self.unknown,
            longest_word=self.longest_word,
            before=self.before,
            after=self.after,
        )
        write_document(path, document)


# English spelling, as in the reference decoder: no space before these.
CLOSE_UP = (
    (" .", "."),
    (" ?", "?"),
    (" !", "!"),
    (" ,", ","),
    (" ' ", "'"),
    (" n't", "n't"),
    (" 'm", "'m"),
    (" 's", "'s"),
    (" 've", "'ve"),
    (" 're", "'re"),
)
