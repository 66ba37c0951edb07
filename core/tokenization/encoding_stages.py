"""Steps of an encoding trace that all tokenizers share: one per stage, and one per word."""

from __future__ import annotations

from core.tokenization.sentencepiece.normalizer import readable
from core.tokenization.sentencepiece.tokenizer import SentencePieceBPE
from core.tokenization.telling import arrays, count, quoted, shortened, shown, verb, visible
from core.tokenization.tokenizer import Tokenizer
from core.tokenization.unigram.tokenizer import Unigram
from core.trace import Step

_BPE = "core.tokenization.bpe.tokenizer:ByteLevelBPE"
_WORDPIECE = "core.tokenization.wordpiece.tokenizer:WordPiece"
_SENTENCEPIECE = "core.tokenization.sentencepiece.tokenizer:SentencePieceBPE"
_UNIGRAM = "core.tokenization.unigram.tokenizer:Unigram"
_CHARACTERS = "core.tokenization.characters:CharacterTokenizer"
_SPECIAL = "core.tokenization.specials:SpecialTokens.encode#special"
_WORD_OF = {
    "bpe": f"{_BPE}.encode_word",
    "wordpiece": f"{_WORDPIECE}._read",
    "sentencepiece-bpe": f"{_SENTENCEPIECE}.encode_word",
    "unigram": f"{_UNIGRAM}._encode_ordinary",
    "characters": f"{_CHARACTERS}._encode_ordinary",
}


def normalizer_step(name: str, normalized: str, code: str) -> Step:
    """Describes the text after normalization."""
    return Step(
        "encoding.normalizer",
        f"After normalization, the text is {quoted(shortened(visible(normalized)))}",
        r"x \to \text{normalize}(x)",
        code,
        arrays({name: normalized}),
    )


def special_step(tokenizer: Tokenizer, part: str, special: int) -> Step:
    """Describes a special token, which is never cut."""
    return Step(
        "encoding.special",
        f"{quoted(visible(part))} is a special token, so it is never cut",
        r"x \in S \;\Rightarrow\; x",
        _SPECIAL,
        arrays({"part": part, "special": special}),
    )


def whole_step(part: str, code: str) -> Step:
    """Describes a piece that is matched in the text before words are cut."""
    return Step(
        "encoding.whole",
        f"{quoted(visible(part))} is one piece wherever it occurs",
        r"x \in U \;\Rightarrow\; x",
        code,
        arrays({"part": part}),
    )


def words_step(name: str, words: list[str], code: str, what: str = "word") -> Step:
    """Describes how the text is cut into words."""
    title = f"The text is cut into {count(len(words), what)}; no token spans two of them"
    if len(words) < 2:
        whole = quoted(shortened(readable(words[0]))) if words else "The text"
        title = f"{whole} is {verb(len(words), 'a single', 'no')} {what}, so nothing is cut"
    return Step(
        "encoding.pre-tokenizer",
        title,
        r"x = w_1 w_2 \ldots w_m",
        code,
        arrays({name: words}),
    )


def word_step(
    tokenizer: Tokenizer,
    word: str,
    ids: list[int],
    mark: str = "word",
    value: list[int] | int | None = None,
    name: str = "",
) -> Step:
    """Describes the tokens of one word."""
    pieces = " ".join(
        quoted(shown(tokenizer.vocabulary[token], tokenizer.piece_bytes(token))) for token in ids
    )
    if isinstance(tokenizer, SentencePieceBPE | Unigram):
        word = readable(word)
    return Step(
        "encoding.model",
        f"{quoted(shortened(visible(word)))} becomes {count(len(ids), 'token')}: "
        f"{shortened(pieces)}",
        r"w \to t_1 t_2 \ldots t_k",
        f"{_WORD_OF[tokenizer.kind]}#{mark}",
        arrays({"ids": ids} if value is None else {name or mark: value}),
    )


def tokens_step(name: str, text: str, tokens: list[str] | list[int], code: str) -> Step:
    """Describes the tokens of the whole text, in order."""
    return Step(
        "encoding.post-processor",
        f"The text {quoted(shortened(visible(text)))} becomes {count(len(tokens), 'token')}",
        r"x \to t_1 t_2 \ldots t_n",
        code,
        arrays({name: tokens}),
    )
