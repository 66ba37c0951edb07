"""The cost of a text under a tokenizer, in the three units that are usually compared.

Source: Rust et al. 2021, "How Good is Your Tokenizer?" (fertility is tokens per word).
"""

from core.tokenization.telling import arrays
from core.trace import Step

_HERE = "core.tokenization.analysis.rates"


def bytes_per_token(size: int, tokens: int) -> float:
    """Returns the bytes of text that a token stands for on average; 0 if there is no token."""
    if not tokens:
        return 0.0
    ratio = size / tokens  # step: bytes-per-token
    return ratio


def tokens_per_word(tokens: int, words: int | None) -> float | None:
    """Returns the fertility: how many tokens a word takes on average.

    Returns None for a text without words, or in a script without spaces between words.
    """
    if not words:
        return None
    fertility = tokens / words  # step: tokens-per-word
    return fertility


def cost(tokens: int, price: float) -> float:
    """Returns the cost of this many tokens, given the price of a million tokens."""
    amount = tokens * price / 1_000_000  # step: cost
    return amount


def bytes_per_token_step(size: int, tokens: int) -> Step:
    """Returns the step that computes `bytes_per_token`."""
    ratio = bytes_per_token(size, tokens)
    return Step(
        "rates.bytes-per-token",
        "How much text a token stands for",
        r"\frac{n_{\text{bytes}}}{n_{\text{tokens}}}",
        f"{_HERE}:bytes_per_token#bytes-per-token",
        arrays({"size": size, "tokens": tokens, "ratio": ratio}),
    )


def tokens_per_word_step(tokens: int, words: int) -> Step:
    """Returns the step that computes `tokens_per_word`. Raises ValueError if words is 0."""
    fertility = tokens_per_word(tokens, words)
    if fertility is None:
        raise ValueError("a text without words has no tokens per word: take another text")
    return Step(
        "rates.tokens-per-word",
        "How many tokens a word takes",
        r"\text{fertility} = \frac{n_{\text{tokens}}}{n_{\text{words}}}",
        f"{_HERE}:tokens_per_word#tokens-per-word",
        arrays({"tokens": tokens, "words": words, "fertility": fertility}),
    )


def cost_step(tokens: int, price: float) -> Step:
    """Returns the step that computes `cost`."""
    return Step(
        "rates.cost",
        "What the text costs",
        r"\text{cost} = n_{\text{tokens}} \cdot \frac{\text{price}}{10^6}",
        f"{_HERE}:cost#cost",
        arrays({"tokens": tokens, "price": price, "amount": cost(tokens, price)}),
    )
