"""Traces how the price of every language is computed: its text, bytes, tokens, and English's.

One step for each language under each tokenizer, in the given order; the steps of its computation
are inside it.
"""

from collections.abc import Generator, Iterator, Sequence
from dataclasses import replace

from core.jobs import to_the_end
from core.numbers import format_number
from core.tokenization.analysis.premiums import REFERENCE, Premium
from core.tokenization.telling import arrays, average, count, quoted, share_said, verb
from core.trace import Step, Trace

BEGINNING = 40  # characters of a text that a title quotes

_PRICE = "core.tokenization.analysis.premiums:_price#premium"
_MEASURE = "core.tokenization.analysis.measures:measure"

Compared = tuple[Premium, Premium]  # a language, and English under the same tokenizer


def premium_trace_steps(compared: Sequence[Compared]) -> Generator[int, None, Trace]:
    """Traces languages in the given order; yields the number done, and returns the trace.

    The trace's `about` holds `count`, the number of languages.
    """
    trace = Trace({"count": len(compared)})
    for told, (result, english) in enumerate(compared, start=1):
        parent = trace.append(premium_step(result, english))
        for step in (*parts_of(result), premium_step(result, english)):
            trace.append(replace(step, parent=parent))
        yield told
    return trace.finish()


def trace_premiums(compared: Sequence[Compared]) -> Trace:
    """Runs premium_trace_steps to the end; returns the trace."""
    return to_the_end(premium_trace_steps(compared))


def premium_step(result: Premium, english: Premium) -> Step:
    """Returns the step that prices a language; `english` is of the same tokenizer."""
    values = {
        "tokens": result.measures.tokens,
        "english": english.measures.tokens,
        "premium": result.premium,
    }
    where = f"{result.language.name} with {result.tokenizer}"
    title = f"{where} takes {format_number(result.premium)} times as many tokens as English"
    if not result.honest:
        lost = share_said(result.measures.lost_share)
        title = f"{where} loses {lost} of the text, too much for a fair comparison"
    elif result.language.code == REFERENCE:
        tokens = count(result.measures.tokens, "token")
        title = f"{where} takes {tokens}, the yardstick for the other languages"
    return Step(
        "languages.premium",
        title,
        r"\text{premium} = \frac{n_{\text{tokens}}}{n_{\text{English}}}",
        _PRICE,
        arrays(values),
    )


def parts_of(result: Premium) -> Iterator[Step]:
    """Yields the steps from the text to its tokens, with the losses."""
    measures = result.measures
    yield _characters(result)
    yield Step(
        "languages.bytes",
        f"In UTF-8, the text takes {count(measures.bytes, 'byte')}, "
        f"{format_number(measures.bytes / max(measures.characters, 1))} per character on average",
        r"n_{\text{bytes}} = \sum_{i=1}^{n} \text{bytes}(c_i)",
        f"{_MEASURE}#bytes",
        arrays({"size": measures.bytes}),
    )
    yield Step(
        "languages.tokens",
        f"{result.tokenizer} splits the text into {count(measures.tokens, 'token')} "
        f"of {average(measures.bytes_per_token, 'byte')} on average",
        r"x \;\to\; t_1 t_2 \ldots t_{n_{\text{tokens}}}",
        f"{_MEASURE}#tokens",
        arrays({"tokens": measures.tokens}),
    )
    if measures.unknown:
        yield Step(
            "languages.lost",
            f"{_unknown(measures.unknown, measures.tokens)}, so "
            f"{count(measures.unknown_bytes, 'byte')} of the text "
            f"{verb(measures.unknown_bytes, 'is', 'are')} lost",
            r"n_{\text{lost}} = \sum_{t_i = \text{unk}} \text{bytes}(t_i)",
            f"{_MEASURE}#lost",
            arrays({"lost": measures.unknown_bytes}),
        )
    if measures.dropped_bytes:
        yield Step(
            "languages.dropped",
            f"{count(measures.dropped_bytes, 'byte')} of the text "
            f"{verb(measures.dropped_bytes, 'has', 'have')} no token",
            r"n_{\text{dropped}} = \sum_{c_i \in \text{no token}} \text{bytes}(c_i)",
            f"{_MEASURE}#dropped",
            arrays({"dropped": measures.dropped_bytes}),
        )
    yield Step(
        "languages.lossless",
        "The ids decode to exactly the same text"
        if measures.lossless
        else "The ids do not decode to the same text",
        r"\text{decode}(\text{encode}(x)) " + ("= x" if measures.lossless else r"\neq x"),
        f"{_MEASURE}#lossless",
        arrays({"lossless": measures.lossless}),
    )


def _characters(result: Premium) -> Step:
    text = " ".join(result.language.text[: 2 * BEGINNING].split())
    shown = text if len(text) <= BEGINNING else f"{text[:BEGINNING].rstrip()}…"
    return Step(
        "languages.characters",
        f"The {result.language.name} text, {quoted(shown)}, has "
        f"{count(result.measures.characters, 'character')}",
        r"x = c_1 c_2 \ldots c_n",
        f"{_MEASURE}#characters",
        arrays({"characters": result.measures.characters}),
    )


def _unknown(unknown: int, tokens: int) -> str:
    """Returns "1 of 24 tokens is unknown", or "All 24 tokens are unknown"."""
    if unknown == tokens:
        return "The only token is unknown" if tokens == 1 else f"All {tokens:,} tokens are unknown"
    return f"{unknown:,} of {count(tokens, 'token')} {verb(unknown, 'is', 'are')} unknown"
