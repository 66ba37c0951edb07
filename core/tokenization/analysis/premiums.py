"""What a language costs against English: tokens for the same content, under the same tokenizer.

Source: Petrov et al. 2023, "Language Model Tokenizers Introduce Unfairness Between Languages".
"""

from collections.abc import Generator, Mapping, Sequence
from dataclasses import dataclass

from core.tokenization.analysis.languages import LanguageText
from core.tokenization.analysis.measures import Measures, measure
from core.tokenization.tokenizer import Tokenizer

REFERENCE = "eng"
MOSTLY_UNKNOWN = 0.1  # a larger share of lost bytes makes the premium meaningless


@dataclass(frozen=True, slots=True)
class Premium:
    """One language under one tokenizer.

    premium   its tokens divided by those of English: 4.0 is four times as dear
    honest    False where so much of the text is unknown that the count says nothing
    """

    tokenizer: str
    language: LanguageText
    measures: Measures
    premium: float

    @property
    def honest(self) -> bool:
        return self.measures.unknown_share <= MOSTLY_UNKNOWN


def premium_steps(
    tokenizers: Mapping[str, Tokenizer], texts: Sequence[LanguageText]
) -> Generator[Premium, None, list[Premium]]:
    """Measures every language under every tokenizer; yields each result, returns all of them.

    tokenizers  by the name that the results carry
    texts       of the same content, English among them

    Raises ValueError where there is no English text to compare with, or it is empty.
    """
    english = next((text for text in texts if text.code == REFERENCE), None)
    if english is None or not english.text:
        raise ValueError("a premium is measured against English: give an English text too")
    results = []
    for name, tokenizer in tokenizers.items():
        base = measure(tokenizer, english.text)
        for text in texts:
            measures = base if text is english else measure(tokenizer, text.text)
            results.append(Premium(name, text, measures, measures.tokens / base.tokens))
            yield results[-1]
    return results


def premiums(tokenizers: Mapping[str, Tokenizer], texts: Sequence[LanguageText]) -> list[Premium]:
    """premium_steps, to the end."""
    steps = premium_steps(tokenizers, texts)
    while True:
        try:
            next(steps)
        except StopIteration as end:
            return end.value
