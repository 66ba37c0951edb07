"""WordPiece against the Hugging Face library: ids, offsets, decoding; what cannot be."""

import json
import random
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import pytest
import tokenizers
from hypothesis import given
from hypothesis import strategies as st
from tokenizers import decoders, models, normalizers, pre_tokenizers, processors

from core.tokenization import Tokenizer, WordPiece, open_tokenizer, train_tokenizer
from core.tokenization.byte_level import byte_places
from core.tokenization.formats.own_wordpiece import read_wordpiece
from core.tokenization.wordpiece.bert_text import BertText
from core.tokenization.wordpiece.tokenizer import BERT_TOKENS
from tests.core.tokenization.reference import prose
from tests.core.tokenization.wordpiece.test_bert_text import ASSIGNED, TRICKY, tricky_texts

CLS, SEP = 2, 3


def small_vocabulary() -> list[str]:
    """Most of the tricky characters, some pairs, and what real words need."""
    letters = sorted({c for c in BertText().normalize("".join(TRICKY)) if not c.isspace()})
    known = letters[: len(letters) * 3 // 4]
    trained = train_tokenizer("wordpiece", prose(2, 2000) + " don't stop. it's", 500)
    pieces = [*trained.vocabulary, *known, *("##" + letter for letter in known), "##az", "aza"]
    return list(dict.fromkeys(pieces))


VOCABULARY = small_vocabulary()
SPECIALS = {token: VOCABULARY.index(token) for token in BERT_TOKENS}
OURS = WordPiece(VOCABULARY, SPECIALS, before=["[CLS]"], after=["[SEP]"])


@pytest.fixture(scope="module")
def reference() -> tokenizers.Tokenizer:
    ids = {piece: token for token, piece in enumerate(VOCABULARY)}
    made = tokenizers.Tokenizer(models.WordPiece(ids, unk_token="[UNK]"))
    made.normalizer = normalizers.BertNormalizer()
    made.pre_tokenizer = pre_tokenizers.BertPreTokenizer()
    made.post_processor = processors.BertProcessing(("[SEP]", SEP), ("[CLS]", CLS))
    made.decoder = decoders.WordPiece()
    made.add_special_tokens(list(BERT_TOKENS))
    return made


def texts() -> list[str]:
    rng = random.Random(9)
    found = tricky_texts(3000) + [prose(seed, 40) for seed in range(60)]
    found += ["".join(rng.choices("abcABC éz' \n", k=rng.randint(0, 30))) for _ in range(1000)]
    found += [text[:5] + "[MASK]" + text[5:] + "[SEP]" for text in found[:300]]
    return [*found, "x" * 100, "x" * 101, "é" * 100 + " " + "é" * 101, ""]


def test_ids_and_offsets_equal_the_reference(reference: tokenizers.Tokenizer) -> None:
    for text in texts():
        ours, theirs = OURS.encode(text), reference.encode(text)
        assert ours.ids == theirs.ids, ascii(text)
        assert OURS.encode_ids(text) == ours.ids
        at = byte_places(text)
        assert ours.spans[1:-1] == [(at[a], at[b]) for a, b in theirs.offsets[1:-1]], ascii(text)
        assert ours.spans[0] == (0, 0) and ours.spans[-1] == (at[-1], at[-1])


def test_without_special_tokens_the_text_stands_alone(reference: tokenizers.Tokenizer) -> None:
    for text in texts()[::7]:
        if "[" not in text:
            theirs = reference.encode(text, add_special_tokens=False)
            assert OURS.encode(text, specials=False).ids == theirs.ids
            assert OURS.encode_ids(text, specials=False) == theirs.ids
    ids = OURS.encode("a [MASK]", specials=False).ids
    assert not set(ids) & {SPECIALS["[MASK]"], CLS, SEP}


def test_decoding_any_ids_equals_the_reference(reference: tokenizers.Tokenizer) -> None:
    rng = random.Random(3)
    for _ in range(2000):
        ids = [rng.randrange(len(VOCABULARY)) for _ in range(rng.randint(0, 9))]
        assert OURS.decode(ids) == reference.decode(ids, skip_special_tokens=False)
    sentence = OURS.encode("Don't stop. It's here, isn't it?", specials=False)
    expected = reference.decode(sentence.ids, skip_special_tokens=False)
    assert OURS.decode(sentence.ids) == expected


@given(st.text(ASSIGNED))
def test_spans_never_fall_and_stages_agree(text: str) -> None:
    encoding = OURS.encode(text)
    data = text.encode()
    end = 0
    for start, stop in encoding.spans:
        assert 0 <= start <= stop <= len(data) and start >= min(end, start)
        data[start:stop].decode()  # whole characters
    assert [start for start, _ in encoding.spans] == sorted(start for start, _ in encoding.spans)
    normalizer, words, model, last = encoding.stages
    assert [stage.name for stage in encoding.stages] == [
        "normalizer", "pre-tokenizer", "model", "post-processor",
    ]  # fmt: skip
    assert normalizer.parts == ([BertText().normalize(text)] if text else normalizer.parts)
    assert words.parts == BertText().split(BertText().normalize(text))
    assert last.parts == encoding.pieces and last.spans == encoding.spans
    assert last.parts[1:-1] == model.parts and last.spans[1:-1] == model.spans
    assert all(len(stage.parts) == len(stage.spans) for stage in encoding.stages)


@given(st.text(st.characters()))
def test_a_lone_surrogate_is_dropped_like_broken_text(text: str) -> None:
    OURS.encode(text).text.encode()
    with_it = OURS.encode_ids("a\ud800b")
    assert with_it == OURS.encode_ids("ab")


@pytest.mark.parametrize("cased", [False, True])
def test_the_reference_loads_what_was_saved_and_agrees(tmp_path: Path, cased: bool) -> None:
    for around in ({}, {"before": ["[CLS]"], "after": ["[SEP]"]}):
        text = BertText(lowercase=not cased, strip_accents=True, ideograms=not cased)
        ours = WordPiece(VOCABULARY, SPECIALS, text=text, longest_word=30, **around)
        ours.save(tmp_path / "tokenizer.json")
        reference = tokenizers.Tokenizer.from_file(str(tmp_path / "tokenizer.json"))
        for sample in texts()[::5]:
            ids = ours.encode_ids(sample)
            assert reference.encode(sample).ids == ids
            assert reference.decode(ids, skip_special_tokens=False) == ours.decode(ids)
        opened = open_tokenizer(tmp_path)
        assert isinstance(opened, WordPiece)
        assert (opened.text, opened.longest_word) == (text, 30)
        assert (opened.before, opened.after) == (ours.before, ours.after)
        assert opened.encode(prose(3, 90)) == ours.encode(prose(3, 90))


@pytest.mark.parametrize(
    ("stage", "change"),
    [
        ("model", {"continuing_subword_prefix": "@@"}),
        ("model", {"max_input_chars_per_word": 0}),
        ("normalizer", {"lowercase": None}),
        ("normalizer", {"type": "NFC"}),
        ("pre_tokenizer", {"type": "Whitespace"}),
        ("decoder", {"cleanup": False}),
        ("post_processor", {"single": [{"Sequence": {"id": "A", "type_id": 0}}] * 2}),
        ("post_processor", {"single": 7}),
        ("post_processor", {"special_tokens": {}}),
    ],
)
def test_what_it_does_not_do_it_does_not_read(stage: str, change: dict[str, Any]) -> None:
    document = saved_document()
    assert isinstance(read_wordpiece(document, "file"), WordPiece)
    document[stage].update(change)
    assert read_wordpiece(document, "file") is None


def test_a_broken_file_is_named() -> None:
    document = saved_document()
    document["model"]["unk_token"] = "<unk>"
    with pytest.raises(ValueError, match="file: the vocabulary has no '<unk>'"):
        read_wordpiece(document, "file")


def saved_document() -> dict[str, Any]:
    with TemporaryDirectory() as folder:
        OURS.save(Path(folder) / "tokenizer.json")
        return json.loads((Path(folder) / "tokenizer.json").read_text(encoding="utf-8"))


def test_stages_of_a_sentence_by_hand() -> None:
    stages = OURS.encode("Éa [MASK] qx").stages
    assert stages[0].parts == ["ea ", "[MASK]", " qx"]
    assert stages[0].spans == [(0, 4), (4, 10), (10, 13)]
    assert stages[1].parts == ["ea", "[MASK]", "qx"]
    assert stages[1].spans == [(0, 3), (4, 10), (11, 13)]
    assert stages[3].parts[0] == "[CLS]" and stages[3].parts[-1] == "[SEP]"
    assert "[CLS]" not in stages[2].parts


def test_a_word_is_unknown_as_a_whole() -> None:
    tokenizer = WordPiece(["[UNK]", "un", "##know", "##n"], {"[UNK]": 0}, longest_word=8)
    encoding = tokenizer.encode("unknown unknow unknowx")
    assert encoding.pieces == ["un", "##know", "##n", "un", "##know", "[UNK]"]
    assert encoding.spans == [(0, 2), (2, 6), (6, 7), (8, 10), (10, 14), (15, 22)]
    assert tokenizer.encode("unknunkn unknunknu").spans == [(0, 8), (9, 18)]
    assert tokenizer.unknown_id == 0


def test_pieces_stand_for_their_bytes() -> None:
    tokenizer = WordPiece(["[UNK]", "##é", "a", "##"], {"[UNK]": 0})
    assert [tokenizer.piece_bytes(token) for token in range(4)] == [
        b"[UNK]",
        "é".encode(),
        b"a",
        b"",
    ]
    with pytest.raises(ValueError, match="outside the vocabulary"):
        tokenizer.piece_bytes(4)
    with pytest.raises(ValueError, match="outside the vocabulary"):
        tokenizer.decode([-1])


def test_long_texts_without_spaces_are_no_trap() -> None:
    for text in ("a" * 200_000, "^" * 50_000, "漢" * 20_000):
        encoding = OURS.encode(text, specials=False)
        assert encoding.ids == OURS.encode_ids(text, specials=False)


def test_what_was_met_before_is_read_alike(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("core.tokenization.word_cache.CACHED_WORDS", 5)
    monkeypatch.setattr("core.tokenization.wordpiece.tokenizer.CACHED_RUNS", 5)
    forgetful = WordPiece(VOCABULARY, SPECIALS)
    text = prose(8, 300)
    for _ in range(2):
        assert forgetful.encode(text).ids == forgetful.encode_ids(text)
        assert forgetful.encode_ids(text) == OURS.encode_ids(text)[1:-1]
    assert len(forgetful._known_runs) <= 5


def test_impossible_vocabularies_are_refused() -> None:
    assert isinstance(OURS, Tokenizer)
    with pytest.raises(ValueError, match=r"no '\[UNK\]'"):
        WordPiece(["a"])
    with pytest.raises(ValueError, match="a piece twice"):
        WordPiece(["[UNK]", "a", "a"])
    with pytest.raises(ValueError, match=r"'\[CLS\]' is to stand round"):
        WordPiece(["[UNK]", "a"], before=["[CLS]"])
    with pytest.raises(ValueError, match="allow some"):
        WordPiece(["[UNK]"], longest_word=0)
