"""Parallel texts: the same content in many languages.

The Universal Declaration of Human Rights in more than 500 languages, once
`python3 dev.py vocabularies` has put it into the data folder; otherwise a few sentences in 25. A
text that is only an excerpt is omitted: its tokens cannot be compared with those of all of English.
"""

import re
from collections import Counter
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path

from core.files import read_json, read_text
from core.resources import data_folder
from core.tokenization.analysis.sentences import SENTENCES

# Languages with many readers, in many scripts: the default choice for a chart.
USUAL = (
    *("eng", "spa", "por_BR", "fra", "deu_1996", "ita", "nld", "pol", "ces", "ron_2006", "hun"),
    *("fin", "swe", "tur", "ell_monotonic", "rus", "ukr", "arb", "heb", "pes_1", "urd", "hin"),
    *("ben", "tam", "tel", "mal", "tha", "mya", "kat", "hye", "amh", "cmn_hans", "cmn_hant"),
    *("jpn", "kor", "vie", "ind", "tgl", "swh", "yor", "hau_NG", "zul", "som", "khm", "lao", "bod"),
)

# A text with fewer bytes than this share of the English one is an excerpt. The shortest whole one
# has a share of 0.46; for four languages there is only Article 1, with 0.03 to 0.08.
WHOLE = 0.25


@dataclass(frozen=True, slots=True)
class LanguageText:
    """A text in one language.

    code       "eng", "cmn_hans"; name is the language's English name
    direction  "ltr" or "rtl"
    """

    code: str
    name: str
    text: str
    direction: str = "ltr"


def declaration_folder() -> Path:
    """Returns the folder of the Declaration, which exists only if it was downloaded."""
    return data_folder() / "texts" / "udhr"


def has_declaration() -> bool:
    """True if the Declaration has been downloaded."""
    return (declaration_folder() / "languages.json").is_file()


def language_names() -> dict[str, str]:
    """Returns the languages with whole texts: code -> English name."""
    if not has_declaration():
        return {code: name for code, name, _, _ in SENTENCES}
    return _named(lambda code: not _is_excerpt(code))


def excerpt_names() -> dict[str, str]:
    """Returns the languages with only an excerpt, which cannot be compared: code -> name."""
    return _named(_is_excerpt) if has_declaration() else {}


def _named(wanted: Callable[[str], bool]) -> dict[str, str]:
    table = read_json(declaration_folder() / "languages.json")
    return {code: name for code, name in _names(table).items() if wanted(code)}


def _names(table: Mapping[str, Mapping[str, str]]) -> dict[str, str]:
    """Returns the names of the languages: brackets around a whole name removed, all unique."""
    given = {code: re.sub(r"^\(([^()]+)\)$", r"\1", about["name"]) for code, about in table.items()}
    often = Counter(given.values())
    return {code: name if often[name] == 1 else f"{name} ({code})" for code, name in given.items()}


def _is_excerpt(code: str) -> bool:
    text, english = (declaration_folder() / f"{one}.txt" for one in (code, "eng"))
    if not text.is_file() or not english.is_file():
        return False
    return text.stat().st_size < WHOLE * english.stat().st_size


def language_texts(codes: tuple[str, ...] | None = None) -> list[LanguageText]:
    """Returns texts of the same content; English is always included, and comes first.

    codes  the wanted languages; None: the usual ones (or all of our own sentences)

    Raises ValueError, with a remedy, for a language without a whole text.
    """
    if not has_declaration():
        texts = [LanguageText(code, name, text, way) for code, name, way, text in SENTENCES]
    else:
        texts = _declaration(USUAL if codes is None else ("eng", *codes))
    if codes is None:
        return texts
    by_code = {text.code: text for text in texts}
    missing = [code for code in codes if code not in by_code]
    if missing and missing[0] in excerpt_names():
        raise ValueError(
            f"the text in {missing[0]!r} is only an excerpt, which cannot be compared with the "
            "whole one in English: choose another language of language_names()"
        )
    if missing:
        raise ValueError(
            f"there is no text in {missing[0]!r}: choose among {', '.join(language_names())}; "
            "`python3 dev.py vocabularies` gets one in more than 500 languages"
        )
    return [by_code[code] for code in dict.fromkeys(("eng", *codes))]


def _declaration(codes: tuple[str, ...]) -> list[LanguageText]:
    folder = declaration_folder()
    table = read_json(folder / "languages.json")
    names = _names(table)
    texts = []
    for code in codes:
        path = folder / f"{code}.txt"
        if code in table and path.is_file() and not _is_excerpt(code):
            text = read_text(path)
            texts.append(LanguageText(code, names[code], text, table[code]["dir"]))
    return texts
