"""The texts of Languages: headline, legend, the words after a bar."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from core.numbers import format_number
from core.tokenization.analysis import Premium
from core.tokenization.analysis.premiums import REFERENCE
from core.tokenization.telling import average, count, share_said, verb
from core.trace import Step
from explorer.panes.tokenizers.languages.compute import Texts
from explorer.panes.tokenizers.languages.row_order import mean_premium, median_premium

IDLE = "How many tokens the same text takes in each language, compared with English"
KEY = (
    "Each bar shows the tokens relative to English (the line), with their number beside it. "
    "A check mark means lossless; hatching means that text is lost."
)
ADD = "Choose the tokenizers to compare"
SCOPES = "Shows the most widely used languages, or every language in which the text exists"
STOP = "Stops measuring and keeps the results so far (Esc)"
STOPPED = "Stopped: only the results so far are shown"
NO_MATCH = "No language matches your search."
AXIS = "tokens / English"
SYMBOLS = {
    "premium": "n_tokens is the number of tokens in this text, and n_English is the number in the "
    "English version.",
    "characters": "x is the text; c₁ … cₙ are its characters.",
    "bytes": "n_bytes is the number of UTF-8 bytes in the text; c₁ … cₙ are its characters.",
    "tokens": "x is the text; t₁, t₂, … are its tokens.",
    "lost": "n_lost is the number of bytes that are lost because their tokens t are unknown.",
    "dropped": "n_dropped is the number of bytes that are dropped because their characters c have "
    "no token.",
    "lossless": "x is the text.",
}
MEANINGLESS = "Too much of the text is lost for a fair comparison of token counts."


def times(premium: float) -> str:
    return f"{format_number(premium)}\u00d7"


def mark(result: Premium) -> tuple[str, str]:
    """Returns the icon after a bar (is the text restored?), and the words after it: the premium and
    the number of tokens."""
    measures = result.measures
    lost = share_said(measures.lost_share)
    how = "unknown" if measures.unknown else "dropped"
    said = f"{times(result.premium)}  {measures.tokens:,}"
    if not result.honest:
        return "warning", f"no fair comparison: {lost} of the text is {how}"
    if measures.unknown or measures.dropped_bytes:
        return "warning", f"{said}, {lost} {how}"
    if not measures.lossless:
        return "warning", f"{said}, lossy"
    return "success", said


def described(name: str, result: Premium) -> str:
    """Describes a bar in words, for its tooltip and for screen readers."""
    measures = result.measures
    is_english = result.language.code == REFERENCE
    ratio = format_number(result.premium)
    relative = "" if is_english else f", {ratio} times as many as English"
    lines = [
        f"{result.language.name} with {name}",
        count(measures.tokens, "token") + relative,
        f"{average(measures.bytes_per_token, 'byte')} per token",
    ]
    if measures.fertility is not None:
        lines.append(f"{average(measures.fertility, 'token')} per word")
    share = share_said(measures.lost_share)
    if measures.unknown:
        are = verb(measures.unknown, "is", "are")
        unknown = count(measures.unknown, "token")
        lines.append(f"{unknown} {are} unknown: {share} of the text is lost")
    elif measures.dropped_bytes:
        lines.append(f"{share} of the text has no token and is lost")
    elif measures.lossless:
        lines.append("lossless: the ids decode to exactly this text")
    else:
        lines.append("lossy: letters, accents or spaces have changed")
    if not result.honest:
        lines.append(MEANINGLESS)
    return "\n".join(lines)


def badge(results: Iterable[Premium], error: str = "") -> tuple[str, str]:
    """Returns a tokenizer's icon and label in the legend: does it restore the texts?"""
    if error:
        return "error", "failed: try again"
    known = list(results)
    if not known:
        return "", ""
    lossy = sum(not one.measures.lossless for one in known)
    every = f"{verb(len(known), '', 'all ')}{count(len(known), 'text')}"
    if not lossy:
        return "success", f"lossless in {every}"
    some = every if lossy == len(known) else f"{lossy:,} of {count(len(known), 'text')}"
    return "warning", f"lossy in {some}"


def about(name: str, results: Sequence[Premium], error: str = "") -> str:
    """Returns the tooltip of a tokenizer in the legend."""
    if error:
        return f"{name}\n{error}\nClick to try again"
    lossy = sum(not one.measures.lossless for one in results)
    unknown = sum(one.measures.unknown > 0 for one in results)
    whole = len(results) - lossy
    lines = [name, f"The ids restore {whole:,} of {count(len(results), 'text')}"]
    if unknown:
        contain = verb(unknown, "contains", "contain")
        lines.append(f"{count(unknown, 'text')} {contain} unknown tokens, so part of it is lost")
    return "\n".join(lines)


def headline(named: Sequence[tuple[str, Sequence[Premium]]], running: bool = False) -> str:
    """Names the most expensive language, so far if `running`; `named` are (tokenizer, results)."""
    rates: dict[str, list[tuple[float, str]]] = {}  # by language
    languages: set[str] = set()
    for name, results in named:
        for one in results:
            if one.language.code == REFERENCE:
                continue
            languages.add(one.language.name)
            if one.honest:
                rates.setdefault(one.language.name, []).append((one.premium, name))
    if not rates:
        return IDLE
    overall = {
        language: mean_premium([rate for rate, _ in some]) for language, some in rates.items()
    }
    dearest = max(overall, key=lambda language: overall[language])
    low, high = min(rates[dearest]), max(rates[dearest])
    begins = "So far, with" if running else "With"
    most = format_number(high[0])
    said = f"{begins} {high[1]}, {dearest} takes {most} times as many tokens as English"
    if low[1] != high[1]:
        said += f" ({format_number(low[0])} times with {low[1]})"
    by_one = [one for name, results in named if name == high[1] for one in results]
    middle = median_premium(by_one)
    if middle is not None:
        said += f"; the median language takes {format_number(middle)} times as many"
    unfair = len(languages) - len(rates)
    return f"{said}; {count(unfair, 'language')} cannot be compared" if unfair else said


def shown(languages: int, total: int) -> str:
    """Returns how many of all languages the chart shows, in words."""
    what = count(total, "language")
    return f"{languages:,} of {what}" if languages < total else what


def source(texts: Texts) -> str:
    """Describes the texts."""
    more = " with the same content in every language"
    if texts.available > len(texts.texts):
        more = f", which exists in full in {count(texts.available, 'language')}"
    elif texts.excerpts:
        more += f" ({count(len(texts.excerpts), 'excerpt')} left out)"
    return f"The chart compares {texts.source}{more}."


def excerpts(texts: Texts) -> str:
    """Lists the languages that are left out, with the reason; "" if there are none."""
    if not texts.excerpts:
        return ""
    return (
        f"These languages are left out because only an excerpt exists: {', '.join(texts.excerpts)}"
    )


def note(step: Step) -> str:
    """Returns the words after a bar at a step inside it; "" for the premium itself."""
    number = int(next(iter(step.values.values())))
    match part_of(step):
        case "lost":
            return f"{count(number, 'byte')} lost"
        case "dropped":
            return f"{count(number, 'byte')} without a token"
        case "lossless":
            return "text restored" if number else "text changed"
        case "bytes" | "characters" | "tokens" as what:
            return count(number, what[:-1])
    return ""


def part_of(step: Step) -> str:
    """Returns the last part of a step's name: "bytes" of "languages.bytes"."""
    return step.name.rpartition(".")[2]
