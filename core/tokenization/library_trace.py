"""Traces a tokenizer that the Hugging Face library runs: the text after each stage.

The library returns the output of its normalizer, pre-tokenizer, model and post-processor. Which
merges or longest matches led to it is computed in the library's compiled code, not in this package,
so no step claims to show it.
"""

from __future__ import annotations

from collections.abc import Iterator

from core.tokenization.formats.library import LibraryTokenizer
from core.tokenization.telling import Told, arrays, count, quoted, shortened, visible
from core.tokenization.tokenizer import Stage
from core.trace import Step

_LIBRARY = "core.tokenization.formats.library:LibraryTokenizer"
_RULES = {
    "bpe": "joins pairs in the order in which its merges were learned",
    "wordpiece": "takes the longest piece that fits, again and again",
    "unigram": "takes the most probable way to spell the text",
    "words": "looks up whole words",
}


def library_steps(tokenizer: LibraryTokenizer, text: str, specials: bool) -> Iterator[Told]:
    """Yields four steps, one per stage. Raises ValueError if the library cannot encode the text."""
    encoding = tokenizer.encode(text, specials=specials)
    for stage in encoding.stages:
        yield _step(tokenizer, stage, text, specials), ()


def _step(tokenizer: LibraryTokenizer, stage: Stage, text: str, specials: bool) -> Step:
    parts = stage.parts
    written = shortened(" ".join(quoted(tokenizer.readable(part, stage.name)) for part in parts))
    if stage.name == "normalizer":
        how = ", by the file's table as Hugging Face applies it" if tokenizer.has_charsmap else ""
        title, name = f"The library's normalizer gives {written}{how}", "normalized"
        formula = r"x \to \text{normalize}(x)"
    elif stage.name == "pre-tokenizer":
        words = count(len(parts), "word")
        title = f"The library cuts the text into {words}; no token spans two of them"
        if len(parts) < 2:
            title = f"The library finds {words}, so it cuts nothing"
        formula, name = r"x = w_1 w_2 \ldots w_m", "words"
    elif stage.name == "model":
        rule = _RULES.get(tokenizer.kind, "follows a rule that it does not reveal")
        title = f"The library's model {rule}: {written}"
        formula, name = r"w \to t_1 t_2 \ldots t_k", "model"
    else:
        return Step(
            "encoding.post-processor",
            f"The library returns {count(len(parts), 'token')} for the text "
            f"{quoted(shortened(visible(text)))}",
            r"x \to t_1 t_2 \ldots t_n",
            f"{_LIBRARY}._encode#encode",
            arrays({"text": text, "specials": specials}),
        )
    values = arrays({name: parts})
    return Step(f"encoding.{stage.name}", title, formula, f"{_LIBRARY}._stages#{name}", values)
