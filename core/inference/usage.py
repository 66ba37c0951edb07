"""Usage of a model, from its files: the tokens that end a text, and the chat template.

A chat template is a Jinja text that turns a conversation into a prompt. It is only read here;
`chat_template` fills it in, within limits, because it is untrusted.
"""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any, NamedTuple

from core.files import quoted, read_json, read_text
from core.tokenization import END_OF_TEXT, Tokenizer
from core.transformer.weights import CONFIG_FILE

TOKENIZER_CONFIG = "tokenizer_config.json"
GENERATION_CONFIG = "generation_config.json"
TEMPLATE_FILE = "chat_template.jinja"
LONGEST_TEMPLATE = 1 << 16  # characters; those of real models have at most twenty thousand
# Names in templates, and in GGUF files.
GGUF_NAMES = {
    "bos_token": "bos",
    "eos_token": "eos",
    "unk_token": "unknown",
    "pad_token": "padding",
    "sep_token": "seperator",  # the spelling in GGUF
}


class Usage(NamedTuple):
    """The tokens that end a text or an answer, the first of which ends any text; the chat template;
    and the special tokens with a name in it: ("bos_token", "<s>").
    """

    end_ids: tuple[int, ...] = ()
    chat_template: str | None = None
    token_names: tuple[tuple[str, str], ...] = ()


UNKNOWN = Usage()


def usage_of_checkpoint(tokenizer: Tokenizer) -> Usage:
    """Our own checkpoints end each text of their corpus with one token."""
    end = tokenizer.special_tokens.get(END_OF_TEXT)
    return Usage(() if end is None else (end,))


def usage_of_gguf(metadata: Mapping[str, Any], vocab_size: int) -> Usage:
    """`eot` ends an answer, `eos` a text; many files have only one of them."""
    ends = [metadata.get(f"tokenizer.ggml.{name}_token_id") for name in ("eos", "eot")]
    template = _template(metadata.get("tokenizer.chat_template"))
    pieces, names = metadata.get("tokenizer.ggml.tokens", ()), {}
    for name, key in GGUF_NAMES.items():
        for token in _ids([metadata.get(f"tokenizer.ggml.{key}_token_id")], len(pieces)):
            names[name] = pieces[token]
    return Usage(_ids(ends, vocab_size), template, tuple(names.items()))


def usage_of_folder(folder: Path, vocab_size: int) -> Usage:
    """Reads generation_config.json, or else config.json; the template has a file of its own, or is
    in tokenizer_config.json, under the name "default" if there are several.

    Raises ValueError for damaged files, and for an end token that the vocabulary lacks.
    """
    ends = _object(folder / GENERATION_CONFIG).get("eos_token_id")
    if ends is None:
        ends = _object(folder / CONFIG_FILE).get("eos_token_id")
    about = _object(folder / TOKENIZER_CONFIG)
    if (folder / TEMPLATE_FILE).is_file():
        template: Any = read_text(folder / TEMPLATE_FILE, LONGEST_TEMPLATE)
    else:
        template = about.get("chat_template")
    if isinstance(template, list):
        named = [one for one in template if isinstance(one, dict) and one.get("name") == "default"]
        template = named[0].get("template") if named else None
    names = [(name, _content(about.get(name))) for name in GGUF_NAMES]
    known = tuple((name, content) for name, content in names if content is not None)
    given = ends if isinstance(ends, list) else [] if ends is None else [ends]
    found = _ids(given, vocab_size)
    if any(one not in found for one in given):
        raise ValueError(
            f"{folder} ends a text with eos_token_id {quoted(ends)}, and the ids of its vocabulary "
            f"are 0 to {vocab_size - 1:,}: correct that entry of {GENERATION_CONFIG} or "
            f"{CONFIG_FILE}, or take it out"
        )
    return Usage(found, _template(template), known)


def _object(path: Path) -> dict[str, Any]:
    """Returns a JSON object from a file; {} if there is no file, or another value in it."""
    values = read_json(path) if path.is_file() else None
    return values if isinstance(values, dict) else {}


def _ids(given: list[Any], vocab_size: int) -> tuple[int, ...]:
    """Returns the valid tokens, each once."""
    fitting = [one for one in given if type(one) is int and 0 <= one < vocab_size]
    return tuple(dict.fromkeys(fitting))


def _content(given: Any) -> str | None:
    """Returns the text of a special token, given as a string or as an object with settings."""
    content = given.get("content") if isinstance(given, dict) else given
    return content if isinstance(content, str) else None


def _template(given: Any) -> str | None:
    fits = isinstance(given, str) and 0 < len(given) <= LONGEST_TEMPLATE
    return given if fits else None
