"""Tokens, fertility, losses and premiums, on tokenizers small enough to count by hand."""

import json
from pathlib import Path

import pytest
import tokenizers
from tokenizers import models, normalizers, pre_tokenizers

from core.tokenization import ByteLevelBPE, CharacterTokenizer, Tokenizer
from core.tokenization.analysis import (
    LanguageText,
    excerpt_names,
    language_names,
    language_texts,
    measure,
    premium_steps,
    premiums,
)
from core.tokenization.analysis.measures import count_words, lost_bytes
from core.tokenization.byte_level import ALPHABET
from core.tokenization.formats.library import LibraryTokenizer


def byte_tokenizer() -> ByteLevelBPE:
    return ByteLevelBPE(list(ALPHABET), [])


def words_tokenizer() -> Tokenizer:
    """Knows three words in small letters; everything else is unknown."""
    vocab = {"[UNK]": 0, "the": 1, "cat": 2, "sleeps": 3, "##s": 4}
    made = tokenizers.Tokenizer(models.WordPiece(vocab, unk_token="[UNK]"))
    made.normalizer = normalizers.BertNormalizer()
    made.pre_tokenizer = pre_tokenizers.BertPreTokenizer()
    return LibraryTokenizer(json.loads(made.to_str()), "words")


@pytest.fixture(autouse=True)
def empty_data_folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("LLM_EXPLORER_DATA", str(tmp_path))


def test_a_text_is_measured() -> None:
    found = measure(byte_tokenizer(), "The cat, the naïve one")
    assert (found.tokens, found.bytes, found.characters, found.words) == (23, 23, 22, 5)
    assert found.fertility == 23 / 5
    assert found.bytes_per_token == 1.0
    assert (found.unknown, found.unknown_bytes, found.lost_share) == (0, 0, 0.0)
    assert found.lossless


def test_what_is_unknown_is_counted_in_bytes_of_the_text() -> None:
    found = measure(words_tokenizer(), "the cats አማርኛ sleeps")
    assert found.tokens == 5
    assert found.unknown == 1
    assert found.unknown_bytes == len("አማርኛ".encode())
    assert not found.lossless


def dropping_tokenizer() -> Tokenizer:
    """Knows "a", "b" and "c"; what else there is it leaves out, without a token."""
    made = tokenizers.Tokenizer(models.BPE({"a": 0, "b": 1, "c": 2}, []))
    made.normalizer = normalizers.Sequence([normalizers.NFD(), normalizers.StripAccents()])
    made.pre_tokenizer = pre_tokenizers.Whitespace()
    return LibraryTokenizer(json.loads(made.to_str()), "dropping")


def test_what_is_dropped_without_a_token_is_lost_but_spaces_and_accents_are_not() -> None:
    found = measure(dropping_tokenizer(), "a\u0301bc  \u0436\u0430 cab\n")
    assert (found.tokens, found.unknown, found.dropped_bytes) == (6, 0, len("жа".encode()))
    assert found.lost_share == 4 / found.bytes and not found.lossless
    assert measure(dropping_tokenizer(), "жук").lost_share == 1.0


@pytest.mark.parametrize(
    ("text", "lost"), [("the cats", 0), ("The cats", 1), ("THE cats", 3), ("the አማ", 6)]
)
def test_of_what_comes_back_otherwise_each_character_counts(text: str, lost: int) -> None:
    tokenizer = words_tokenizer()
    assert lost_bytes(tokenizer, tokenizer.encode(text, specials=False)) == lost


def test_lossless_is_measured_on_the_text() -> None:
    assert measure(CharacterTokenizer(["a", "b"]), "abba").lossless
    assert not measure(words_tokenizer(), "The cat").lossless  # its capital is lost
    assert measure(words_tokenizer(), "the cat").lossless


def test_an_encoding_at_hand_is_used() -> None:
    tokenizer = byte_tokenizer()
    encoding = tokenizer.encode("abc", specials=False)
    assert measure(tokenizer, "something else", encoding) == measure(tokenizer, "abc")


def test_an_empty_text_measures_nothing() -> None:
    found = measure(byte_tokenizer(), "")
    assert (found.tokens, found.fertility, found.bytes_per_token) == (0, None, 0.0)
    assert found.lossless


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("It's a well-known fact, isn't it?", 6),
        ("2026 was 3.5 % better", 5),
        ("  \n\t ", 0),
        ("የሰው፡ልጅ፡ሁሉ፡ሲወለድ", 4),  # the word space of Ethiopic
        ("हर सुबह", 2),  # marks belong to their words
        ("می\u200cخواهم بروم", 2),
        ("每天早上，面包师", None),
        ("毎朝パン屋は", None),
        ("ทุกเช้าคนทำขนมปัง", None),
        ("매일 아침 빵집", 3),
        ("A word and 漢字", 3 + 1),
    ],
)
def test_words_are_counted_where_a_script_parts_them(text: str, words: int | None) -> None:
    assert count_words(text) == words


def test_premiums_compare_with_english_under_the_same_tokenizer() -> None:
    texts = [LanguageText("eng", "English", "the cat"), LanguageText("x", "X", "ééé cat sleeps")]
    tools = {"bytes": byte_tokenizer(), "words": words_tokenizer()}
    steps = premium_steps(tools, texts)
    assert next(steps).premium == 1.0
    steps.close()
    results = premiums(tools, texts)
    assert [(one.tokenizer, one.language.code) for one in results] == [
        ("bytes", "eng"),
        ("bytes", "x"),
        ("words", "eng"),
        ("words", "x"),
    ]
    assert [one.premium for one in results] == [1.0, 17 / 7, 1.0, 3 / 2]
    assert [one.honest for one in results] == [True, True, True, False]


def test_without_english_there_is_nothing_to_compare_with() -> None:
    with pytest.raises(ValueError, match="give an English text"):
        premiums({"bytes": byte_tokenizer()}, [LanguageText("deu", "German", "Katze")])


def test_a_text_that_is_dropped_is_no_bargain() -> None:
    texts = [LanguageText("eng", "English", "a cab"), LanguageText("rus", "Russian", "жук, a")]
    english, russian = premiums({"dropping": dropping_tokenizer()}, texts)
    assert english.honest and russian.premium == 1 / 4 and not russian.honest
    silent = [LanguageText("eng", "English", "zzz")]
    with pytest.raises(ValueError, match="no token of the English text: choose"):
        premiums({"dropping": dropping_tokenizer()}, silent)


def test_our_own_sentences_are_in_many_languages_and_scripts() -> None:
    texts = language_texts()
    assert len(texts) >= 20
    assert texts[0].code == "eng"
    assert len({text.code for text in texts}) == len(texts)
    for text in texts:
        assert 80 < len(text.text.encode()) < 1200
        ends = sum(map(text.text.count, ".。।"))
        assert ends == 4 or text.code == "tha", text.name  # Thai sets no full stops
        assert (text.direction == "rtl") == (text.code in ("arb", "heb"))
    chosen = language_texts(("jpn", "deu"))
    assert [text.code for text in chosen] == ["eng", "jpn", "deu"]
    with pytest.raises(ValueError, match="no text in 'tlh'.*deu.*vocabularies"):
        language_texts(("tlh",))


def test_the_declaration_is_used_where_it_is_at_hand(tmp_path: Path) -> None:
    folder = tmp_path / "texts" / "udhr"
    folder.mkdir(parents=True)
    table = {}
    for code, name, way in (
        ("eng", "English", "ltr"),
        ("heb", "Hebrew", "rtl"),
        ("yo", "Y", "ltr"),
    ):
        (folder / f"{code}.txt").write_text(f"text in {name}", encoding="utf-8")
        table[code] = {"name": name, "lang": code, "dir": way}
    (folder / "languages.json").write_text(json.dumps(table))
    assert language_names() == {"eng": "English", "heb": "Hebrew", "yo": "Y"}
    assert [text.code for text in language_texts()] == ["eng", "heb"]  # the usual ones
    assert language_texts(("yo",))[1] == LanguageText("yo", "Y", "text in Y", "ltr")
    assert language_texts(("heb",))[1].direction == "rtl"


def test_an_excerpt_is_not_measured_against_the_whole_text(tmp_path: Path) -> None:
    folder = tmp_path / "texts" / "udhr"
    folder.mkdir(parents=True)
    whole = {"eng": "All human beings are born free. " * 30, "cmn": "人人生而自由。" * 30}
    for code, text in {**whole, "taj": "जम्बुलीङकोरकी का-लेङमो"}.items():
        (folder / f"{code}.txt").write_text(text, encoding="utf-8")
    table = {code: {"name": code.title(), "dir": "ltr"} for code in (*whole, "taj")}
    (folder / "languages.json").write_text(json.dumps(table))
    assert language_names() == {"eng": "Eng", "cmn": "Cmn"}
    assert excerpt_names() == {"taj": "Taj"}
    assert [text.code for text in language_texts(("cmn",))] == ["eng", "cmn"]
    with pytest.raises(ValueError, match="'taj' is only an excerpt.*choose another language"):
        language_texts(("taj",))


def test_every_language_has_a_name_of_its_own(tmp_path: Path) -> None:
    folder = tmp_path / "texts" / "udhr"
    folder.mkdir(parents=True)
    names = {"eng": "English", "mal": "Malayalam", "mal2": "Malayalam", "013": "(Mijisa)"}
    names["zh"] = "(A) and (B) Chinese"
    for code in names:
        (folder / f"{code}.txt").write_text("All human beings are born free.", encoding="utf-8")
    table = {code: {"name": name, "dir": "ltr"} for code, name in names.items()}
    (folder / "languages.json").write_text(json.dumps(table))
    told = ["English", "Malayalam (mal)", "Malayalam (mal2)", "Mijisa", "(A) and (B) Chinese"]
    assert list(language_names().values()) == told
    assert [text.name for text in language_texts(tuple(names))] == told


def test_nothing_is_left_out_of_our_own_sentences() -> None:
    assert excerpt_names() == {}
