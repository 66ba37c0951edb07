"""Tokenizers that the library runs: ids are its own, places are bytes and never fall."""

import json
import sys
import threading
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import tokenizers
from hypothesis import given
from hypothesis import strategies as st
from tokenizers import (
    AddedToken,
    decoders,
    models,
    normalizers,
    pre_tokenizers,
    processors,
    trainers,
)

from core.jobs import to_the_end
from core.tokenization import Tokenizer, open_tokenizer
from core.tokenization.analysis.overlap import overlap_steps
from core.tokenization.byte_level import byte_places
from core.tokenization.formats.library import (
    LibraryTokenizer,
    readable_errors,
)
from core.tokenization.formats.limits import growth_of
from tests.core.tokenization.reference import prose

TEXT = prose(0, 1500) + " Hello wörld, 漢字 🙂🙂 naïve café e\u0301"


def byte_level_with_normalizer() -> tokenizers.Tokenizer:
    made = tokenizers.Tokenizer(models.BPE())
    made.normalizer = normalizers.NFC()
    made.pre_tokenizer = pre_tokenizers.ByteLevel(add_prefix_space=False)
    made.decoder = decoders.ByteLevel()
    made.post_processor = processors.ByteLevel(trim_offsets=True)
    train(made, trainers.BpeTrainer, initial_alphabet=pre_tokenizers.ByteLevel.alphabet())
    return made


def bert() -> tokenizers.Tokenizer:
    made = tokenizers.Tokenizer(models.WordPiece(unk_token="[UNK]"))
    made.normalizer = normalizers.BertNormalizer()
    made.pre_tokenizer = pre_tokenizers.BertPreTokenizer()
    made.decoder = decoders.WordPiece()
    train(made, trainers.WordPieceTrainer, special_tokens=["[UNK]", "[CLS]", "[SEP]"])
    made.post_processor = processors.BertProcessing(("[SEP]", 2), ("[CLS]", 1))
    return made


def unigram() -> tokenizers.Tokenizer:
    made = tokenizers.Tokenizer(models.Unigram())
    made.normalizer = normalizers.NFKC()
    made.pre_tokenizer = pre_tokenizers.Metaspace()
    made.decoder = decoders.Metaspace()
    train(made, trainers.UnigramTrainer, special_tokens=["<unk>", "</s>"], unk_token="<unk>")
    return made


def llama() -> tokenizers.Tokenizer:
    """SentencePiece's BPE as tokenizer.json has it: a space in front, bytes for the unknown."""
    letters = {c for word in TEXT.split(" ")[:200] for c in word} | {"▁"}
    vocab = {"<unk>": 0, "<s>": 1, **{f"<0x{b:02X}>": b + 2 for b in range(256)}}
    for piece in sorted(letters):
        vocab[piece] = len(vocab)
    merges = [("▁", "t"), ("▁t", "h")]
    for left, right in merges:
        vocab[left + right] = len(vocab)
        for part in (left, right):
            vocab.setdefault(part, len(vocab))
    made = tokenizers.Tokenizer(
        models.BPE(vocab, merges, unk_token="<unk>", fuse_unk=True, byte_fallback=True)
    )
    made.normalizer = normalizers.Sequence(
        [normalizers.Prepend("▁"), normalizers.Replace(" ", "▁")]
    )
    made.decoder = decoders.Sequence(
        [
            decoders.Replace("▁", " "),
            decoders.ByteFallback(),
            decoders.Fuse(),
            decoders.Strip(" ", 1),
        ]
    )
    made.add_special_tokens(["<s>"])
    made.post_processor = processors.TemplateProcessing("<s> $A", special_tokens=[("<s>", 1)])
    return made


def train(made: tokenizers.Tokenizer, trainer: Any, **settings: Any) -> None:
    made.train_from_iterator([TEXT], trainer(vocab_size=600, show_progress=False, **settings))


MAKERS = {"NFC": byte_level_with_normalizer, "BERT": bert, "Unigram": unigram, "Llama": llama}


@pytest.fixture(scope="module", params=MAKERS)
def pair(
    request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory
) -> tuple[Tokenizer, tokenizers.Tokenizer]:
    """Ours, opened from the file, and the library's."""
    reference = MAKERS[request.param]()
    path = tmp_path_factory.mktemp("library") / "tokenizer.json"
    reference.save(str(path))
    document = json.loads(path.read_text(encoding="utf-8"))
    return LibraryTokenizer(document, str(path)), reference


def check(ours: Tokenizer, reference: tokenizers.Tokenizer, text: str) -> None:
    encoding = ours.encode(text)
    expected = reference.encode(encoding.text)
    assert encoding.ids == expected.ids == ours.encode_ids(text)
    assert encoding.pieces == expected.tokens
    end = 0
    data = encoding.text.encode()
    for start, stop in encoding.spans:
        assert end <= start <= stop <= len(data)
        end = stop
    assert ours.decode(encoding.ids) == reference.decode(expected.ids, skip_special_tokens=False)


def test_it_is_the_library_s_own_encoding(
    pair: tuple[Tokenizer, tokenizers.Tokenizer],
) -> None:
    ours, reference = pair
    assert ours.vocab_size == reference.get_vocab_size()
    assert {piece: i for i, piece in enumerate(ours.vocabulary)} == reference.get_vocab()
    for text in ("", " ", "a", "🙂", "x [SEP] <s>y", TEXT, TEXT * 3):
        check(ours, reference, text)


def test_other_threads_run_while_a_long_text_is_encoded_and_decoded() -> None:
    """A window is drawn by another thread: it must not stand still for a long text."""
    ours = LibraryTokenizer(json.loads(byte_level_with_normalizer().to_str()), "x")
    long = TEXT * 20
    ids = ours.encode_ids(long)
    assert has_a_turn_meanwhile(lambda: ours.encode_ids(long))
    assert has_a_turn_meanwhile(lambda: ours.decode(ids))


def has_a_turn_meanwhile(call: Callable[[], object]) -> bool:
    """Whether this thread has come round while another one made the call, at most 100 times.

    No thread is made to let go of Python's lock here, so that it comes round only where the call
    lets go by itself. One call may be over before a busy machine wakes the thread that waits.
    """
    turns, during = 0, [0]
    usual = sys.getswitchinterval()

    def run() -> None:
        before = turns
        for _ in range(100):
            call()
            if turns > before:
                break
        during[0] = turns - before

    thread = threading.Thread(target=run)
    sys.setswitchinterval(60)
    try:
        thread.start()
        while thread.is_alive():
            turns += 1
            time.sleep(0)
    finally:
        sys.setswitchinterval(usual)
    return during[0] > 0


def test_two_threads_may_ask_for_texts_with_and_without_special_tokens() -> None:
    ours = LibraryTokenizer(json.loads(bert().to_str()), "bert")
    text = TEXT * 20 + " [SEP] "
    expected = {specials: ours.encode_ids(text, specials=specials) for specials in (True, False)}
    wrong = []

    def ask(specials: bool) -> None:
        for _ in range(10):
            if ours.encode_ids(text, specials=specials) != expected[specials]:
                wrong.append(specials)

    threads = [threading.Thread(target=ask, args=(specials,)) for specials in (True, False)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert expected[True] != expected[False] and not wrong


@given(text=st.text(max_size=40))
def test_any_text(pair: tuple[Tokenizer, tokenizers.Tokenizer], text: str) -> None:
    check(*pair, text)


def test_every_character_of_a_token_lies_in_its_span(
    pair: tuple[Tokenizer, tokenizers.Tokenizer],
) -> None:
    """A whole character's bytes are those that the library's places in characters say."""
    ours, reference = pair
    starts = byte_places(TEXT)
    shared = 0
    encoding, expected = ours.encode(TEXT), reference.encode(TEXT)
    for (start, stop), (first, last) in zip(encoding.spans, expected.offsets, strict=True):
        if first < last:
            assert starts[first] - 1 <= start <= stop <= starts[last]
            shared += stop != starts[last]
    assert shared < len(encoding) / 5


def test_stages_tell_the_way_of_a_text(
    pair: tuple[Tokenizer, tokenizers.Tokenizer],
) -> None:
    ours, _ = pair
    encoding = ours.encode("Hé 漢 <s> x")
    names = [stage.name for stage in encoding.stages]
    assert names == ["normalizer", "pre-tokenizer", "model", "post-processor"]
    for stage in encoding.stages:
        assert len(stage.parts) == len(stage.spans)
    assert encoding.stages[3].parts == encoding.pieces
    words = encoding.stages[1]
    data = encoding.text.encode()
    assert all(0 <= start <= stop <= len(data) for start, stop in words.spans)


def test_characters_that_tokens_share_are_divided_among_them() -> None:
    ours = LibraryTokenizer(json.loads(llama().to_str()), "llama")
    encoding = ours.encode("the \u2603🙂t", specials=False)
    assert encoding.pieces[:2] == ["▁th", "e"]
    cells = [(p, d) for p, d in zip(encoding.pieces, encoding.slices()) if p.startswith("<0x")]
    assert cells == [(f"<0x{byte:02X}>", bytes([byte])) for byte in "\u2603".encode()]
    assert b"".join(encoding.slices()) == encoding.text.encode()
    assert ours.unknown_id is None  # its bytes spell everything
    assert ours.piece_bytes(ours.vocabulary.index("▁th")) == b" th"
    assert ours.decode(encoding.ids) == encoding.text


def test_tokens_that_are_added_have_empty_spans_and_no_place_in_the_model_s_stage() -> None:
    ours = LibraryTokenizer(json.loads(bert().to_str()), "bert")
    encoding = ours.encode("The [SEP] ing")
    assert encoding.pieces[0] == "[CLS]"
    assert encoding.pieces[-1] == "[SEP]"
    assert encoding.spans[0] == (0, 0)
    assert encoding.spans[-1] == (13, 13)
    model = encoding.stages[2]
    assert model.parts == encoding.pieces[1:-1]
    assert "[SEP]" in model.parts
    assert "[SEP]" not in ours.encode("The [SEP] ing", specials=False).pieces
    assert ours.unknown_id == 0
    assert ours.piece_bytes(ours.vocabulary.index("##g")) == b"g"


def test_truncation_and_padding_of_a_file_are_left_out() -> None:
    reference = bert()
    reference.enable_truncation(8)
    reference.enable_padding(length=16)
    ours = LibraryTokenizer(json.loads(reference.to_str()), "bert")
    assert len(ours.encode("ba lo mi " * 50)) > 100
    assert len(ours.encode("ba")) < 8


def test_what_was_saved_opens_again(
    pair: tuple[Tokenizer, tokenizers.Tokenizer], tmp_path: Path
) -> None:
    ours, _ = pair
    ours.save(tmp_path / "tokenizer.json")
    opened = open_tokenizer(tmp_path)
    assert opened.vocabulary == ours.vocabulary
    assert opened.encode_ids(TEXT) == ours.encode_ids(TEXT)


def test_a_token_that_is_no_special_one_is_found_in_ordinary_text_too() -> None:
    reference = byte_level_with_normalizer()
    reference.add_tokens([AddedToken("    ", normalized=False)])
    reference.add_special_tokens(["<|end|>"])
    ours = LibraryTokenizer(json.loads(reference.to_str()), "x")
    assert list(ours.special_tokens) == ["<|end|>"]
    encoding = ours.encode("a    <|end|>", specials=False)
    assert "    " in encoding.pieces
    assert "<|end|>" not in encoding.pieces
    assert ours.encode("a    <|end|>").pieces[-1] == "<|end|>"
    assert ours.piece_bytes(ours.special_tokens["<|end|>"]) == b"<|end|>"


def test_an_id_outside_the_vocabulary_is_refused() -> None:
    ours = LibraryTokenizer(json.loads(bert().to_str()), "x")
    for token in (-1, ours.vocab_size):
        with pytest.raises(ValueError, match="outside the vocabulary"):
            ours.decode([token])
        with pytest.raises(ValueError, match="outside the vocabulary"):
            ours.piece_bytes(token)


@pytest.mark.parametrize(
    ("change", "message"),
    [
        (lambda d: d["model"]["vocab"].update(far=4_000_000_000), "ids up to 4,000,000,000"),
        (lambda d: d["model"]["vocab"].update(again=5), "one id to two pieces"),
        (lambda d: d["model"].update(vocab={}), "empty vocabulary|cannot be used"),
        (lambda d: d["model"].update(unk_token=7), "cannot be used"),
        (lambda d: d["model"]["vocab"].update(big=1 << 70), "cannot be used"),
        (lambda d: d.update(pre_tokenizer={"type": "Split"}), "cannot be used"),
    ],
)
def test_what_the_library_cannot_load_is_refused(change: Any, message: str) -> None:
    document = json.loads(bert().to_str())
    document["added_tokens"] = []
    document["post_processor"] = None
    change(document)
    with pytest.raises(ValueError, match=message):
        LibraryTokenizer(document, "x")


def test_a_normalizer_that_lets_texts_explode_is_refused() -> None:
    double = {"type": "Replace", "pattern": {"String": "a"}, "content": "aa"}
    many = {"type": "Sequence", "normalizers": [double] * 40}
    for stage in ("normalizer", "decoder"):
        assert growth_of({stage: many | {"decoders": [double] * 40}}) >= 2**40
    usual = {"type": "Replace", "pattern": {"Regex": " {2,}"}, "content": "▁"}
    assert growth_of({"normalizer": {"type": "Sequence", "normalizers": [usual] * 40}}) == 1
    document = json.loads(bert().to_str()) | {"normalizer": many}
    with pytest.raises(ValueError, match="grow without end"):
        LibraryTokenizer(document, "x")


def test_a_panic_of_the_library_becomes_a_value_error() -> None:
    class Panic(BaseException):
        """As pyo3's PanicException."""

    with pytest.raises(ValueError, match="x cannot be used.*broken"), readable_errors("x"):
        raise Panic("broken")
    with pytest.raises(KeyboardInterrupt), readable_errors("x"):
        raise KeyboardInterrupt


def test_an_id_without_a_piece_stands_for_no_bytes_and_is_shared_with_no_vocabulary():
    made = tokenizers.Tokenizer(models.WordLevel({"a": 0, "b": 3}, unk_token="a"))
    ours = LibraryTokenizer(json.loads(made.to_str()), "gaps")
    assert [ours.piece_bytes(token) for token in range(4)] == [b"a", b"", b"", b"b"]
    assert to_the_end(overlap_steps(ours, ours)).counts == (2, 0, 0)
