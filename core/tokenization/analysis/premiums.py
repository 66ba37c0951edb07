"""The price of a language relative to English: tokens for the same content, same tokenizer.

Source: Petrov et al. 2023, "Language Model Tokenizers Introduce Unfairness Between Languages".
"""

from collections.abc import Generator, Mapping, Sequence
from dataclasses import dataclass

from core.jobs import to_the_end
from core.tokenization.analysis.languages import LanguageText
from core.tokenization.analysis.measures import Measures, measure
from core.tokenization.tokenizer import Tokenizer

REFERENCE = "eng"
MOSTLY_LOST = 0.1  # a larger share of lost bytes makes the premium meaningless


@dataclass(frozen=True, slots=True)
class Premium:
    """One language under one tokenizer.

    premium   its tokens divided by those of English: 4.0 is four times as expensive
    honest    False if too much of the text is lost for the count to mean anything
    """

    tokenizer: str
    language: LanguageText
    measures: Measures
    premium: float

    @property
    def honest(self) -> bool:
        """Whether the tokenizer preserves most of the text; otherwise few tokens mean little."""
        return self.measures.lost_share <= MOSTLY_LOST


def premium_steps(
    tokenizers: Mapping[str, Tokenizer], texts: Sequence[LanguageText]
) -> Generator[Premium, None, list[Premium]]:
    """Measures every language under every tokenizer; yields each result, returns all of them.

    tokenizers  by the name used in the results
    texts       of the same content, including English

    Raises ValueError, with a remedy, if there is no English text, if it is empty, or if a tokenizer
    encodes it to no token.
    """
    english = next((text for text in texts if text.code == REFERENCE), None)
    if english is None or not english.text:
        raise ValueError("a premium is measured against English: give an English text too")
    results = []
    for name, tokenizer in tokenizers.items():
        base = measure(tokenizer, english.text)
        if not base.tokens:
            raise ValueError(
                "the tokenizer makes no token of the English text: choose one that has its letters"
            )
        for text in texts:
            measures = base if text is english else measure(tokenizer, text.text)
            premium = _price(measures.tokens, base.tokens)
            results.append(Premium(name, text, measures, premium))
            yield results[-1]
    return results


def _price(tokens: int, english: int) -> float:
    """Returns the token count of a text, relative to that of its English version."""
    premium = tokens / english  # step: premium
    return premium


def premiums(tokenizers: Mapping[str, Tokenizer], texts: Sequence[LanguageText]) -> list[Premium]:
    """Runs premium_steps to the end; returns all results."""
    return to_the_end(premium_steps(tokenizers, texts))
