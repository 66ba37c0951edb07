"""The words that both SentencePiece trainers count, and the rules for pieces made of them.

A text is a list of lines. Each is normalized, so that words begin with "▁"; the rarest characters
become one sign that no piece may contain; then the lines are cut before every "▁", and the words
are counted.

Source: Kudo and Richardson 2018; the exact rules and their order are those of SentencePiece 0.2.1.
"""

import functools
from collections import Counter
from collections.abc import Generator, Iterable, Iterator, Sequence
from dataclasses import dataclass
from numbers import Real

import numpy as np
import regex

from core.files import quoted
from core.jobs import Pace
from core.tokenization.byte_level import clean_text
from core.tokenization.counting import count_words
from core.tokenization.sentencepiece.normalizer import SPACE, SentencePieceNormalizer, one_of
from core.tokenization.sentencepiece.pieces import Piece
from core.tokenization.sentencepiece.scripts import script
from core.tokenization.steps import CountingStep

RARE = "▅"  # U+2585 replaces characters too rare for the vocabulary
BOUNDARY = "\t"  # replaces a meta piece that is written out in the text; no piece crosses it
LONGEST_LINE = 4192  # bytes; longer lines are skipped, unless they are most of the text
LONGEST_PIECE = 16  # characters
CHARACTER_COVERAGE = 0.9995
BATCH = 4096  # lines, far less than 30 ms of work
_SENTENCE_END = ".!?。！？"
_WORD = regex.compile(f"{SPACE}?[^{SPACE}]+|{SPACE}")


@dataclass(frozen=True, slots=True)
class TrainingText:
    """A text prepared for training.

    lines       normalized lines, rare characters replaced by U+2585
    words       words with their counts, the most frequent first, equals by their bytes
    characters  the characters that the vocabulary must hold, with their counts, most frequent first
    """

    lines: list[str]
    words: list[tuple[str, int]]
    characters: list[tuple[str, int]]


def prepare(
    texts: Iterable[str],
    normalizer: SentencePieceNormalizer,
    meta: Sequence[Piece] = (),
    character_coverage: float = CHARACTER_COVERAGE,
    longest_line: int = LONGEST_LINE,
) -> Generator[CountingStep, None, TrainingText]:
    """Prepares the texts, line by line, and yields its progress; returns the text for training.

    character_coverage  share of all characters, between 0 and 1, that the vocabulary must spell;
                        the rarest ones beyond it are replaced
    longest_line        the largest size, in bytes, of a line that is not skipped

    Raises ValueError if nothing to train on remains, and for a coverage outside its range.
    """
    is_number = isinstance(character_coverage, Real)
    if not (is_number and 0 < character_coverage <= 1):
        raise ValueError(
            f"character_coverage {quoted(character_coverage)} is no share of the text: choose a "
            "number above 0 and at most 1, such as 0.9995"
        )
    lines = yield from normalized_lines(texts, normalizer, meta, longest_line)
    read = CountingStep(sum(map(len, lines)), len(lines), len(lines))
    counts: Counter[str] = Counter()
    for start in range(0, len(lines), BATCH):
        counts.update("".join(lines[start : start + BATCH]))
        yield read
    for sign in ("\0", BOUNDARY, " "):
        del counts[sign]
    characters = required_characters(counts, character_coverage)
    rare = "".join(counts.keys() - {character for character, _ in characters})
    rare += f"\0 {BOUNDARY}"  # RARE serves as a boundary, too: no piece may contain it
    replacing = str.maketrans(dict.fromkeys(rare, RARE))
    for start in range(0, len(lines), BATCH):
        batch = slice(start, start + BATCH)
        lines[batch] = [line.translate(replacing) for line in lines[batch]]
        yield read
    if not characters:
        raise ValueError("the text holds nothing but spaces: choose a text with some words")
    words = yield from count_words((len(line), split_words(line)) for line in lines)
    return TrainingText(lines, by_frequency(words), characters)


def split_lines(texts: Iterable[str]) -> Iterator[str]:
    """Yields the lines without their ends, with lone surrogates replaced by U+FFFD."""
    for text in texts:
        yield from clean_text(text).split("\n")


def normalized_lines(
    texts: Iterable[str],
    normalizer: SentencePieceNormalizer,
    meta: Sequence[Piece],
    longest_line: int,
) -> Generator[CountingStep, None, list[str]]:
    """Returns the lines as the tokenizer will see them, without empty and overlong ones.

    If most of the text is in overlong lines, as in one without line ends, these are cut into
    shorter ones: SentencePiece would learn from the small remainder, or from nothing.
    """
    written_out = one_of(piece.text for piece in meta)
    lines: list[str] = []
    long: list[str] = []
    characters = short_bytes = long_bytes = 0
    pace = Pace()

    def take(line: str) -> None:
        lines.append(written_out.sub(BOUNDARY, normalizer.normalize(line)))

    for line in split_lines(texts):
        characters += len(line)
        size = len(line.encode())
        if size > longest_line and RARE not in line:
            long.append(line)
            long_bytes += size
        elif line and RARE not in line:
            take(line)
            short_bytes += size
        if pace.is_due():
            yield CountingStep(characters, len(lines), len(lines))
            pace.go_on()
    if long_bytes > short_bytes:
        for line in long:
            for part in cut_line(line, longest_line):
                take(part)
                if pace.is_due():
                    yield CountingStep(characters, len(lines), len(lines))
                    pace.go_on()
    if not lines:
        raise ValueError(
            "the text is empty: choose a text with some words"
            if not characters
            else f"every line of the text holds {RARE} (U+2585), which stands for rare characters: "
            "take it out"
        )
    return _without_empty(lines)


def cut_line(line: str, longest: int) -> Iterator[str]:
    """Cuts a line into parts of at most `longest` bytes: after a sentence, otherwise after a space,
    otherwise between any two characters.
    """
    room = max(1, longest // 4)  # a character takes at most 4 bytes
    at_most = f".{{0,{room - 1}}}"
    ends = rf".{{1,{room}}}\Z|{at_most}[{_SENTENCE_END}]|{at_most} |.{{1,{room}}}"
    return (found[0] for found in regex.finditer(ends, line, regex.DOTALL))


def _without_empty(lines: list[str]) -> list[str]:
    """Replaces each empty line by the last line, as SentencePiece does."""
    lines = list(lines)
    place = 0
    while place < len(lines):
        if not lines[place]:
            lines[place] = lines[-1]
            lines.pop()
        place += 1
    return lines


def required_characters(counts: Counter[str], coverage: float) -> list[tuple[str, int]]:
    """Returns the most frequent characters that together make up this share of the text."""
    total = counts.total()
    required: list[tuple[str, int]] = []
    covered = 0
    for character, times in by_frequency(counts):
        if np.float32(covered / total) >= np.float32(coverage):
            break
        required.append((character, times))
        covered += times
    return required


def split_words(line: str) -> list[str]:
    """Cuts a normalized line before every "▁".

    >>> split_words("▁two▁words")
    ['▁two', '▁words']
    """
    return _WORD.findall(line)


def by_frequency(counts: Counter[str]) -> list[tuple[str, int]]:
    """Sorts counted strings, the most frequent first, equals in the order of their bytes."""
    # Code points and UTF-8 bytes have the same order.
    return sorted(counts.items(), key=lambda item: (-item[1], item[0]))


def check_size(vocab_size: int, meta: Sequence[Piece], text: TrainingText) -> None:
    """Raises ValueError if the vocabulary cannot hold the meta pieces and required characters."""
    smallest = len(meta) + len(text.characters)
    if vocab_size < smallest:
        raise ValueError(
            f"vocab_size {vocab_size:,} is too small: {len(text.characters):,} characters and "
            f"{len(meta)} special pieces need {smallest:,}; choose at least {smallest:,}, or a "
            "lower character_coverage"
        )


@functools.lru_cache(maxsize=1 << 16)
def piece_script(character: str) -> str:
    """Returns the script of a character in a piece: the three scripts of Japanese count as one."""
    name = script(character)
    if name in ("Hiragana", "Katakana") or character == "ー":
        return "Han"
    return name


def is_valid_piece(piece: str, longest: int = LONGEST_PIECE) -> bool:
    """True if training may make a piece of these characters.

    It must not be longer than `longest`, contain a replaced character, have "▁" anywhere but in
    front, or mix scripts; an accent without a script takes that of the character before it.
    """
    if not 0 < len(piece) <= longest or SPACE in piece[1:]:
        return False
    before: str | None = None
    for character in piece:
        if character in (RARE, BOUNDARY, "\0", " "):
            return False
        if character == SPACE:
            continue
        now: str | None = piece_script(character)
        if now == "Inherited":
            now = before
        elif before not in (None, now):
            return False
        before = now
    return True
