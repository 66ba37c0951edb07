r"""Splits a text into words before any merging, with the patterns of well-known tokenizers.

No piece crosses a cut, so the pattern decides what a piece can be: " the" with its space, "'ll",
at most three digits. Each is listed as its makers published it, for other libraries, and runs here
in an equivalent form that backtracks less.

Pure ASCII text, such as most English, is split by Python's own `re` with the ASCII members of each
class, which is three times as fast as Unicode's tables.

    gpt2     Radford et al. 2019; also GPT-3, RoBERTa and many others
    cl100k   GPT-3.5 and GPT-4: any sign may begin a word; up to three digits; separate newlines
    o200k    GPT-4o and later: a word is also cut where lower case changes to upper case
    llama3   Llama 3: cl100k, with blank lines in one piece
    qwen     Qwen 2 and 3: llama3, with single digits
    tekken   Mistral's Tekken: o200k without contractions, with single digits
    smollm2  SmolLM: gpt2, with single digits

Sources: tiktoken's openai_public.py for the first three; the pre_tokenizer in the tokenizer.json
of each of the others.
"""

import re
from collections.abc import Iterator
from dataclasses import dataclass

import regex

_UPPER = r"[\p{Lu}\p{Lt}\p{Lm}\p{Lo}\p{M}]"
_LOWER = r"[\p{Ll}\p{Lm}\p{Lo}\p{M}]"
_LLAMA3 = (
    r"(?i:'s|'t|'re|'ve|'m|'ll|'d)|[^\r\n\p{L}\p{N}]?\p{L}+|\p{N}{1,3}"
    r"| ?[^\s\p{L}\p{N}]+[\r\n]*|\s*[\r\n]+|\s+(?!\S)|\s+"
)
_QWEN = _LLAMA3.replace(r"\p{N}{1,3}", r"\p{N}")
_GPT2 = r"'s|'t|'re|'ve|'m|'ll|'d| ?\p{L}+| ?\p{N}+| ?[^\s\p{L}\p{N}]+|\s+(?!\S)|\s+"
_CL100K = (
    r"'(?i:[sdmt]|ll|ve|re)|[^\r\n\p{L}\p{N}]?+\p{L}++|\p{N}{1,3}+"
    r"| ?[^\s\p{L}\p{N}]++[\r\n]*+|\s++$|\s*[\r\n]|\s+(?!\S)|\s"
)
_O200K = "|".join(
    [
        rf"[^\r\n\p{{L}}\p{{N}}]?{_UPPER}*{_LOWER}+(?i:'s|'t|'re|'ve|'m|'ll|'d)?",
        rf"[^\r\n\p{{L}}\p{{N}}]?{_UPPER}+{_LOWER}*(?i:'s|'t|'re|'ve|'m|'ll|'d)?",
        r"\p{N}{1,3}",
        r" ?[^\s\p{L}\p{N}]+[\r\n/]*",
        r"\s*[\r\n]+",
        r"\s+(?!\S)",
        r"\s+",
    ]
)

_TEKKEN = _O200K.replace("(?i:'s|'t|'re|'ve|'m|'ll|'d)?", "").replace("{1,3}", "")

BATCH = 1 << 16  # characters split at once, which takes a few milliseconds
LOOK_AHEAD = 4  # words that later text may still change: "we", "'", "l", "l"

# The ASCII members of each class, for use inside brackets.
_ASCII_CLASSES = {
    r"\p{L}": "A-Za-z",
    r"\p{N}": "0-9",
    r"\p{Lu}": "A-Z",
    r"\p{Ll}": "a-z",
    r"\p{Lt}": "",
    r"\p{Lm}": "",
    r"\p{Lo}": "",
    r"\p{M}": "",
}


@dataclass(frozen=True, slots=True)
class WordPattern:
    """One way to split text into words.

    name       the name by which it is selected
    published  as its makers wrote it; None if they describe it by more than one pattern
    portable   the same cuts in the regex dialect of tokenizer.json (Oniguruma)
    unicode, ascii  the patterns that run here, for any text and for ASCII
    """

    name: str
    published: str | None
    portable: str
    unicode: regex.Pattern[str]
    ascii: re.Pattern[str]

    def split(self, text: str) -> list[str]:
        """Returns the words of a text; joined, they give the text again."""
        return self.ascii.findall(text) if text.isascii() else self.unicode.findall(text)

    def batches(self, text: str, size: int = BATCH) -> Iterator[list[str]]:
        """Yields the words of `split`, one list at a time, for texts too long to split at once.

        A cut depends on what follows: white space up to its end, a word up to its "'ll". So each
        batch leaves out its last words, and the next begins with them.
        """
        pattern = self.ascii if text.isascii() else self.unicode
        start, length = 0, size
        while start + length < len(text):
            words = pattern.findall(text, start, start + length)
            while words and words[-1].isspace():
                words.pop()
            del words[-LOOK_AHEAD:]
            if words:
                yield words
                start, length = start + sum(map(len, words)), size
            else:  # a single word is longer than `length`
                length *= 2
        if start < len(text):
            yield pattern.findall(text, start)


def _pattern(name: str, published: str | None, portable: str, runs: str) -> WordPattern:
    """Compiles a pattern; `runs` must have every class in brackets and no capturing group."""
    in_ascii = re.sub(r"\\p\{\w+\}", lambda found: _ASCII_CLASSES[found[0]], runs)
    return WordPattern(
        name, published, portable, regex.compile(runs), re.compile(in_ascii, re.ASCII)
    )


# Without \p outside brackets, and possessive where backtracking cannot change the match.
_RUN_GPT2 = r"'(?:[sdmt]|ll|ve|re)| ?[\p{L}]++| ?[\p{N}]++| ?[^\s\p{L}\p{N}]++|\s+(?!\S)|\s"
_RUN_CL100K = (
    r"'(?i:[sdmt]|ll|ve|re)|[^\r\n\p{L}\p{N}]?+[\p{L}]++|[\p{N}]{1,3}+"
    r"| ?[^\s\p{L}\p{N}]++[\r\n]*+|\s++\Z|\s*[\r\n]|\s+(?!\S)|\s"
)
_RUN_LLAMA3 = (
    r"'(?i:[sdmt]|ll|ve|re)|[^\r\n\p{L}\p{N}]?+[\p{L}]++|[\p{N}]{1,3}+"
    r"| ?[^\s\p{L}\p{N}]++[\r\n]*+|\s*[\r\n]|\s+(?!\S)|\s"
)
_RUN_SMOLLM2 = (
    r"'(?:[sdmt]|ll|ve|re)| ?[\p{L}]++|[\p{N}]| ?[^\s\p{L}\p{N}]++"
    r"|\s+(?=[\p{N}])|\s+(?!\S)|\s"
)

PATTERNS = {
    pattern.name: pattern
    for pattern in (
        _pattern("gpt2", _GPT2, _GPT2, _RUN_GPT2),
        _pattern("cl100k", _CL100K, _RUN_CL100K.replace("{1,3}+", "{1,3}"), _RUN_CL100K),
        _pattern("o200k", _O200K, _O200K, _O200K.replace(r"\p{N}{1,3}", r"[\p{N}]{1,3}")),
        _pattern("llama3", _LLAMA3, _LLAMA3, _RUN_LLAMA3),
        _pattern("qwen", _QWEN, _QWEN, _RUN_LLAMA3.replace(r"[\p{N}]{1,3}+", r"[\p{N}]")),
        _pattern("tekken", _TEKKEN, _TEKKEN, _TEKKEN.replace(r"|\p{N}|", r"|[\p{N}]|")),
        _pattern("smollm2", None, _RUN_SMOLLM2, _RUN_SMOLLM2),
    )
}


def word_pattern(name: str) -> WordPattern:
    """Returns the pattern with this name. Raises ValueError for an unknown name."""
    if name not in PATTERNS:
        raise ValueError(f"there is no word pattern {name!r}: choose one of {', '.join(PATTERNS)}")
    return PATTERNS[name]


def name_of_pattern(expression: str) -> str | None:
    """Returns the name of a pattern, given its published or portable expression, or None."""
    for pattern in PATTERNS.values():
        if expression in (pattern.published, pattern.portable):
            return pattern.name
    return None
