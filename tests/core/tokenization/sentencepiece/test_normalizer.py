"""SentencePiece's normalizer: all rules, spaces, and where every character came from."""

import random
import struct
import unicodedata
from itertools import product

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from core.tokenization.formats.sentencepiece.charsmap import (
    CharsMap,
    nmt_nfkc_table,
    write_charsmap,
)
from core.tokenization.formats.sentencepiece.double_array import DoubleArray, Tree, pack
from core.tokenization.formats.sentencepiece.model import parse_model
from core.tokenization.sentencepiece.normalizer import SentencePieceNormalizer
from core.tokenization.sentencepiece.rules import (
    NEW_LOOK_ALIKES,
    NEW_PAIRS,
    CharacterRules,
    apply,
    nmt_nfkc,
)
from core.tokenization.sentencepiece.scripts import script
from tests.core.tokenization.sentencepiece.reference import any_texts, train_reference

SETTINGS = [
    {"add_dummy_prefix": dummy, "remove_extra_whitespaces": remove}
    for dummy, remove in product((True, False), repeat=2)
]
NAMES = ("nmt_nfkc", "identity")


def all_rules(rules: CharacterRules) -> dict[str, str]:
    """The rules written out: every sequence with every look-alike of its characters."""
    alike: dict[str, list[str]] = {}
    for character, plain in rules.plain.items():
        alike.setdefault(plain, [plain]).append(character)
    written = dict(rules.singles)
    for sequence, result in rules.sequences.items():
        for spelled in product(*(alike.get(character, [character]) for character in sequence)):
            written["".join(spelled)] = result
    return written


def entries(table: bytes) -> dict[str, str]:
    """A table read the plain way, by walking the whole double array."""
    size = struct.unpack_from("<I", table)[0]
    trie = DoubleArray(np.frombuffer(table, "<u4", size // 4, 4))
    strings = table[4 + size :]
    found = {}
    waiting = [(0, b"")]
    while waiting:
        node, key = waiting.pop()
        value = trie.value(node)
        if value is not None:
            found[key.decode()] = strings[value : strings.index(b"\0", value)].decode()
        waiting += [(child, key + bytes([byte])) for byte, child in trie.children(node)]
    return found


# -- rules ------------------------------------------------------------------------------------


def test_the_rules_are_nfkc_where_unicode_has_a_composed_form():
    rules = nmt_nfkc()
    for text in ("ﬁ", "Ａ", "é", "㌔", "ｶﾞ", "각", "ΐ", "½", "ﷺ", "①"):
        decomposed = unicodedata.normalize("NFD", text)
        assert apply(rules, text) == unicodedata.normalize("NFKC", text)
        assert apply(rules, decomposed) == unicodedata.normalize("NFKC", text)


def test_odd_spaces_become_spaces_and_control_characters_go():
    rules = nmt_nfkc()
    assert apply(rules, "a\tb\nc\u200bd\u00a0e\x07f\x7f") == "a b c d ef"
    assert apply(rules, "～\u200d") == "～\u200d"


def test_the_additions_are_what_a_later_unicode_says():
    known = [pair for pair, whole in NEW_PAIRS.items() if unicodedata.name(chr(whole), "")]
    for pair in known:
        text = "".join(map(chr, pair))
        assert unicodedata.normalize("NFC", text) == chr(NEW_PAIRS[pair])
    for character, plain in NEW_LOOK_ALIKES.items():
        if unicodedata.name(character, ""):
            assert unicodedata.normalize("NFKD", character) == plain


@pytest.mark.peers
def test_the_computed_rules_are_those_of_sentencepiece_one_by_one():
    model = parse_model(train_reference(["ab cd"] * 3, 10, hard_vocab_limit=False), "the model")
    reference = entries(model.normalizer.charsmap)
    assert len(reference) == 225_262
    assert all_rules(nmt_nfkc()) == reference


# -- tables -----------------------------------------------------------------------------------


def test_our_table_holds_exactly_our_rules():
    assert entries(nmt_nfkc_table()) == all_rules(nmt_nfkc())


def test_a_table_read_back_says_which_characters_it_touches():
    assert CharsMap(nmt_nfkc_table()).touched == nmt_nfkc().touched


rule_sets = st.dictionaries(st.text("abcé漢", min_size=1, max_size=4), st.text("xyé ", max_size=3))


@given(rule_sets, st.text("abcé漢 ", max_size=20))
def test_any_rules_survive_being_written_as_a_table(rules: dict[str, str], text: str):
    singles = {key: value for key, value in rules.items() if len(key) == 1}
    sequences = {key: value for key, value in rules.items() if len(key) > 1}
    ours = CharacterRules(singles, {}, sequences)
    if not rules:
        return
    table = CharsMap(write_charsmap(ours))
    assert entries(table.table) == rules
    assert all(table.match(text, place) == ours.match(text, place) for place in range(len(text)))


@given(st.dictionaries(st.binary(min_size=1, max_size=6).filter(lambda key: 0 not in key),
                       st.integers(0, 2**31 - 1), min_size=1, max_size=40))  # fmt: skip
def test_a_double_array_gives_back_every_string_and_no_other(strings: dict[bytes, int]):
    tree = Tree()

    def build(beginning: bytes) -> int:
        longer = {key[: len(beginning) + 1] for key in strings if key.startswith(beginning)}
        longer.discard(beginning)
        return tree.node(strings.get(beginning), {key[-1]: build(key) for key in longer})

    trie = DoubleArray(pack(tree, build(b"")))
    for key, value in strings.items():
        node = trie.walk(0, key)
        assert node is not None and trie.value(node) == value
    found = []
    waiting = [(0, b"")]
    while waiting:
        node, key = waiting.pop()
        if trie.value(node) is not None:
            found.append(key)
        waiting += [(child, key + bytes([byte])) for byte, child in trie.children(node)]
    assert sorted(found) == sorted(strings)


@pytest.mark.parametrize(
    "table",
    [
        b"",
        b"\0\0\0",
        b"\0\0\0\0abc",
        struct.pack("<I", 4),
        struct.pack("<I", 3) + b"abcdefg",
        struct.pack("<I", 1 << 31) + b"abcdefg",
        struct.pack("<II", 4, 0x300) + b"no zero byte",
    ],
)
def test_a_damaged_table_is_refused_or_holds_nothing(table: bytes):
    try:
        rules = CharsMap(table)
    except ValueError as error:
        assert "get the file again" in str(error)
    else:
        assert not rules.touched


def test_a_table_of_loops_is_refused():
    """Every node leads to the same 255 nodes: rules without end."""
    size = 256
    units = np.array([place | place << 10 for place in range(size)], np.uint32)
    with pytest.raises(ValueError, match="far more rules"):
        CharsMap(struct.pack("<I", 4 * size) + units.tobytes() + b"a\0")


@given(st.binary(max_size=400))
def test_random_bytes_are_no_table_or_a_harmless_one(data: bytes):
    try:
        rules = CharsMap(struct.pack("<I", len(data) // 8 * 4) + data)
        SentencePieceNormalizer(rules).normalize("Any text é")
    except ValueError as error:
        assert "get the file again" in str(error)


# -- spaces and places ------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("two words", "▁two▁words"),
        ("  two   words  ", "▁two▁words"),
        ("", ""),
        ("   ", ""),
        ("\x01", ""),
        ("a\u00a8", "▁a▁\u0308"),
        ("▁a▁", "▁a"),
    ],
)
def test_spaces_are_joined_and_made_visible(text: str, expected: str):
    assert SentencePieceNormalizer().normalize(text) == expected


def test_identity_keeps_what_it_is_told_to_keep():
    keeping = SentencePieceNormalizer("identity", remove_extra_whitespaces=False)
    assert keeping.normalize(" a  b\tＡ ") == "▁▁a▁▁b\tＡ▁"
    suffix = SentencePieceNormalizer("identity", whitespace_as_suffix=True)
    assert suffix.normalize(" a  b ") == "a▁b▁"
    plain = SentencePieceNormalizer("identity", escape_whitespaces=False)
    assert plain.normalize(" a  b ") == " a b"


def test_an_unknown_name_is_refused_with_the_known_ones():
    with pytest.raises(ValueError, match="choose nmt_nfkc or identity"):
        SentencePieceNormalizer("nfkc_cf")


def test_every_character_knows_where_it_came_from():
    traced = SentencePieceNormalizer().trace("  é ﬁn")
    assert traced.text == "▁é▁fin"
    assert traced.starts == [2, 2, 4, 5, 5, 8, 9]


def test_protected_pieces_pass_the_rules_untouched():
    normalizer = SentencePieceNormalizer(protected=["Ａ", "  "])
    assert normalizer.normalize("ＡＢ") == "▁ＡB"
    assert normalizer.trace("xＡＢ").starts == [0, 0, 1, 4, 7]
    assert normalizer.protecting(()).normalize("ＡＢ") == "▁AB"


def test_a_lone_surrogate_counts_as_a_replacement_character():
    assert SentencePieceNormalizer("identity").normalize("a\ud800b") == "▁a\ufffdb"
    assert SentencePieceNormalizer().trace("a\ud800b").text == "▁a▁b"


@given(st.text(), st.sampled_from(SETTINGS), st.sampled_from(NAMES))
def test_places_never_fall_and_end_inside_the_text(text: str, settings: dict, name: str):
    normalizer = SentencePieceNormalizer(name, **settings)
    traced = normalizer.trace(text)
    assert traced.text == normalizer.normalize(text)
    assert len(traced.starts) == len(traced.text) + 1
    assert traced.starts == sorted(traced.starts)
    assert 0 <= traced.starts[-1] <= len(text.encode("utf-8", "replace")) * 3


@given(st.text())
def test_normalizing_twice_changes_nothing_more_for_spaces(text: str):
    normalizer = SentencePieceNormalizer("identity")
    once = normalizer.normalize(text)
    assert "  " not in once and not once.startswith(" ")
    assert " " not in once


@pytest.mark.peers
@pytest.mark.parametrize("settings", SETTINGS, ids=str)
@pytest.mark.parametrize("name", NAMES)
def test_text_and_places_are_those_of_sentencepiece(name: str, settings: dict):
    spm = pytest.importorskip("sentencepiece")
    reference = spm.SentencePieceNormalizer(rule_name=name, escape_whitespaces=True, **settings)
    ours = SentencePieceNormalizer(name, **settings)
    rules = nmt_nfkc()
    rng = random.Random(7)
    pool = [*rules.singles, *rules.plain, *rules.sequences, *([" ", "▁", "a", "\u0301"] * 900)]
    texts = any_texts(400, seed=1)
    texts += ["".join(rng.choices(pool, k=rng.randint(0, 12))) for _ in range(400)]
    for text in texts:
        expected, places = reference.normalize(text, with_offsets=True)
        traced = ours.trace(text)
        assert traced.text == expected == ours.normalize(text)
        if expected:  # the reference counts characters
            assert traced.starts == [len(text[:place].encode()) for place in places]


# -- scripts ----------------------------------------------------------------------------------


def test_scripts_are_those_of_unicode_9():
    assert [script(c) for c in "aж7 漢\u0301ع"] == [
        *("Latin", "Cyrillic", "Common", "Common", "Han", "Inherited", "Arabic")
    ]
    assert script("\u1c89") == "Common"  # Cyrillic since Unicode 16
    assert script("\u0953") == "Devanagari"  # any script since
    assert script("\ud800") == "Common"


@pytest.mark.peers
def test_scripts_are_those_of_sentencepiece_for_all_of_unicode():
    """A letter joins with "!" exactly where the library calls it common or inherited."""
    codes = [
        code
        for code in (*range(0x21, 0xD800), *range(0xE000, 0x20000), *range(0xE0000, 0xE0200))
        if code not in (0x2581, 0x2585)
    ]
    codes = codes[::7]
    for first in range(0, len(codes), 3000):
        part = [chr(code) for code in codes[first : first + 3000]]
        model = train_reference(
            ["!" + character for character in part],
            3 * len(part) + 50,
            normalization_rule_name="identity",
            hard_vocab_limit=False,
            character_coverage=1.0,
            add_dummy_prefix=False,
            remove_extra_whitespaces=False,
        )
        joined = {piece.text for piece in parse_model(model, "the model").pieces}
        for character in part:
            expected = script(character) in ("Common", "Inherited")
            assert ("!" + character in joined) == expected, hex(ord(character))
