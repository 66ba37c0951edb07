"""The marked line computed the premium that a step tells."""

from core.tokenization import train_tokenizer
from core.tokenization.analysis import language_texts, premium_step, premiums
from tests.core.test_trace import MarkedLines


def test_the_marked_line_computed_the_premium() -> None:
    texts = language_texts()[:3]
    tokenizer = train_tokenizer("bpe", [text.text for text in texts], 300)
    with MarkedLines() as watched:
        results = premiums({"small": tokenizer}, texts)
    for result in results:
        watched.left(premium_step(result, results[0]))
    assert results[0].premium == 1.0
