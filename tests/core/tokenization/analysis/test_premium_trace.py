"""The marked lines computed what the steps of a premium tell, and the steps keep their order."""

import pytest

from core.numbers import format_number
from core.tokenization import WordPiece, train_tokenizer
from core.tokenization.analysis import (
    language_texts,
    premium_step,
    premium_trace_steps,
    premiums,
    trace_premiums,
)
from tests.core.test_trace import MarkedLines
from tests.core.tokenization.analysis.test_measures import dropping_tokenizer

PARTS = ["languages.characters", "languages.bytes", "languages.tokens"]


def tokenizers():
    """One that gives every text back, and one that knows Latin letters alone."""
    letters = [chr(code) for code in range(ord("a"), ord("z") + 1)]
    narrow = ["[UNK]", ".", ",", *letters, *(f"##{letter}" for letter in letters)]
    texts = [text.text for text in language_texts()[:3]]
    return {
        "bytes": train_tokenizer("bpe", texts, 300),
        "narrow": WordPiece(narrow, {"[UNK]": 0}),
    }


def compared(results):
    english = {one.tokenizer: one for one in results if one.language.code == "eng"}
    return [(one, english[one.tokenizer]) for one in results]


def test_the_marked_lines_computed_what_every_step_tells() -> None:
    with MarkedLines() as watched:
        results = premiums(tokenizers(), language_texts())
    trace = trace_premiums(compared(results))
    assert trace.complete and trace.about["count"] == len(results) == 50
    for step in trace:
        watched.left(step)
    assert any(step.name == "languages.lost" for step in trace)
    assert results[0].premium == 1.0


def test_a_language_is_one_step_and_what_led_to_its_premium_lies_inside() -> None:
    results = premiums(tokenizers(), language_texts())[::-1]
    trace = trace_premiums(compared(results))
    outer = trace.children(None)
    assert len(outer) == len(results)
    for index, result in zip(outer, results, strict=True):
        assert trace[index].value("premium") == result.premium
        inside = [trace[part] for part in trace.children(index)]
        lost = ["languages.lost"] if result.measures.unknown else []
        assert [step.name for step in inside] == [
            *PARTS,
            *lost,
            "languages.lossless",
            "languages.premium",
        ]
        assert inside[1].value("size") == result.measures.bytes
        assert inside[2].value("tokens") == result.measures.tokens
        assert (
            f"{format_number(result.premium)} times" in trace[index].title
            or result.language.code == "eng"
            or not result.honest
        )


def test_titles_say_what_is_measured_in_words_and_numbers() -> None:
    results = {one.language.code: one for one in premiums(tokenizers(), language_texts())[25:]}
    german, russian, english = results["deu"], results["rus"], results["eng"]
    assert premium_step(german, english).title == (
        f"German with narrow takes {format_number(german.premium)} times as many tokens as English"
    )
    assert premium_step(english, english).title == (
        f"English with narrow takes {english.measures.tokens} tokens, the yardstick for the other "
        "languages"
    )
    assert "too much for a fair comparison" in premium_step(russian, english).title
    titles = [step.title for step in trace_premiums([(russian, english)])]
    assert titles[1].startswith("The Russian text, “")
    assert f"{russian.measures.bytes:,} bytes" in titles[2]
    assert f" {russian.measures.tokens:,} tokens of " in titles[3]
    of_all = f"{russian.measures.unknown:,} of {russian.measures.tokens:,} tokens are unknown"
    assert of_all in titles[4] and "do not" in titles[5]
    assert titles[6] == titles[0]
    single = premiums({"bytes": tokenizers()["bytes"]}, [language_texts()[0]])[0]
    assert trace_premiums([(single, single)])[2].title.endswith(
        " bytes, 1 per character on average"
    )


def test_what_no_token_stands_for_is_a_step() -> None:
    with MarkedLines() as watched:
        results = premiums({"dropping": dropping_tokenizer()}, language_texts())
    russian = next(one for one in results if one.language.code == "rus")
    step = next(
        step for step in trace_premiums([(russian, results[0])]) if step.name == "languages.dropped"
    )
    watched.left(step)
    assert step.value("dropped") == russian.measures.dropped_bytes
    assert f"{russian.measures.dropped_bytes:,} bytes" in step.title


@pytest.mark.parametrize("after", [0, 1, 7])
def test_telling_may_be_given_up_after_any_language(after: int) -> None:
    steps = premium_trace_steps(compared(premiums(tokenizers(), language_texts())))
    for told in range(1, after + 1):
        assert next(steps) == told
    steps.close()
