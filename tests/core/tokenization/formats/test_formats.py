"""One small tokenizer of each format, opened by what the file holds, under any name."""

import base64
import json
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import pytest
import tokenizers
from tokenizers import models, normalizers, pre_tokenizers

from core.tokenization import ByteLevelBPE, RankedBPE, Tokenizer, open_tokenizer, train_tokenizer
from core.tokenization.bpe.patterns import PATTERNS, word_pattern
from core.tokenization.byte_level import to_bytes
from core.tokenization.formats.pieces import guess_pattern
from core.tokenization.formats.sentencepiece.files import table_of
from core.tokenization.formats.tekken import FIRST_SPECIALS
from core.tokenization.known import known
from core.tokenization.opening import recognize_kind
from core.tokenization.sentencepiece import SentencePieceBPE
from core.tokenization.sentencepiece.normalizer import SentencePieceNormalizer
from core.tokenization.sentencepiece.pieces import Piece, meta_pieces
from core.tokenization.unigram import Unigram
from tests.core.gguf_files import gguf
from tests.core.tokenization.reference import prose

TEXT = prose(3, 1500)
MIXED = TEXT[:2000] + " Hello wörld 漢字 🙂 2026 <|endoftext|> [INST] [SEP]"


def trained(size: int = 400) -> ByteLevelBPE:
    tokenizer = train_tokenizer("bpe", TEXT, size)
    assert isinstance(tokenizer, ByteLevelBPE)
    return tokenizer


def ranks() -> dict[bytes, int]:
    """The pieces of `trained`, numbered as tiktoken does: bytes first, then in order of merges."""
    ours = trained()
    pieces = [bytes([byte]) for byte in range(256)]
    pieces += [to_bytes(left + right) for left, right in ours.merges]
    return {piece: rank for rank, piece in enumerate(dict.fromkeys(pieces))}


def tiktoken_file(table: dict[bytes, int]) -> bytes:
    lines = [f"{base64.b64encode(piece).decode()} {rank}\n" for piece, rank in table.items()]
    return "".join(lines).encode()


def tekken_file(n_special: int = 30, spare: int = 5) -> dict:
    table = ranks()
    return {
        "config": {
            "pattern": word_pattern("tekken").published,
            "num_vocab_tokens": len(table),
            "default_vocab_size": n_special + len(table) - spare,
            "default_num_special_tokens": n_special,
            "version": "v3",
        },
        "vocab": [
            {"rank": rank, "token_bytes": base64.b64encode(piece).decode(), "token_str": None}
            for piece, rank in table.items()
        ],
    }


SPECIALS = ["[PAD]", "[UNK]", "[CLS]", "[SEP]", "[MASK]"]
WORDS = [*SPECIALS, "the", "un", "##aff", "##able", "a", ",", "漢"]


def put(folder: Path, content: bytes | str | dict | list, name: str = "file.bin") -> Path:
    if isinstance(content, dict | list):
        content = json.dumps(content)
    path = folder / name
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(content.encode() if isinstance(content, str) else content)
    return path


# -- each format ------------------------------------------------------------------------------


def test_ranks_encode_as_the_merges_that_they_come_from(tmp_path: Path) -> None:
    path = put(tmp_path, tiktoken_file(ranks()))
    opened = open_tokenizer(path, pattern="gpt2")
    assert isinstance(opened, RankedBPE)
    assert opened.special_tokens == {}
    expected = trained()
    pieces = [expected.vocabulary[i] for i in expected.encode_ids(MIXED, specials=False)]
    assert opened.encode(MIXED).pieces == pieces
    assert opened.decode(opened.encode_ids(MIXED)) == MIXED


def test_ranks_take_the_pattern_and_special_tokens_that_are_given(tmp_path: Path) -> None:
    path = put(tmp_path, tiktoken_file(ranks()).replace(b"\n", b"\r\n"))
    specials = {"<|endoftext|>": 1000}
    opened = open_tokenizer(path, pattern="qwen", special_tokens=specials)
    assert isinstance(opened, RankedBPE)
    assert (opened.pattern, opened.special_tokens) == ("qwen", specials)
    assert opened.encode_ids("<|endoftext|>") == [1000]
    assert opened.vocab_size == 1001
    composing = open_tokenizer(path, pattern="qwen", normalizer="nfc")
    assert composing.encode_ids("e\u0301") == opened.encode_ids("é") != opened.encode_ids("e\u0301")
    with pytest.raises(ValueError, match=r"file.bin: there is no word pattern 'gpt5'"):
        open_tokenizer(path, pattern="gpt5")


def test_a_well_known_rank_file_is_read_as_its_makers_do(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = put(tmp_path, tiktoken_file(ranks()))
    qwen = replace(known("qwen"), special_tokens={"<|endoftext|>": 1000})
    monkeypatch.setattr("core.tokenization.known.recognize", lambda _: qwen)
    opened = open_tokenizer(path)
    assert isinstance(opened, RankedBPE)
    assert (opened.pattern, opened.normalizer) == ("qwen", "nfc")
    assert opened.special_tokens == {"<|endoftext|>": 1000}
    assert opened.encode_ids("e\u0301<|endoftext|>") == [*opened.encode_ids("é"), 1000]


@pytest.mark.parametrize("name", ["tekken", "qwen", "o200k", "llama3", "smollm2", "gpt2"])
def test_pieces_tell_by_which_pattern_their_words_were_cut(name: str) -> None:
    text = " it's WE'LL theCat TheCat's 12345 12 67 ) -> ;\n ;\n\n !/ !\n\n\n x\n    y\n" * 3
    words = {word.encode() for word in PATTERNS[name].split(text)}
    assert guess_pattern(words) == name


def test_tekken_ids_follow_its_special_tokens(tmp_path: Path) -> None:
    opened = open_tokenizer(put(tmp_path, tekken_file()))
    assert isinstance(opened, RankedBPE)
    assert opened.pattern == "tekken"
    assert opened.vocab_size == 30 + len(ranks()) - 5
    assert list(opened.special_tokens)[:20] == list(FIRST_SPECIALS)
    assert list(opened.special_tokens)[20:] == [f"<SPECIAL_{i}>" for i in range(20, 30)]
    assert opened.encode_ids("[INST]a") == [3, 30 + ord("a")]
    assert opened.decode(opened.encode_ids(MIXED)) == MIXED


def test_tekken_names_its_special_tokens_itself_since_version_7(tmp_path: Path) -> None:
    named = [{"rank": 0, "token_str": "<unk>"}, {"rank": 1, "token_str": "<s>"}]
    opened = open_tokenizer(put(tmp_path, tekken_file(4) | {"special_tokens": named}))
    assert list(opened.special_tokens) == ["<unk>", "<s>", "<SPECIAL_2>", "<SPECIAL_3>"]


def reference_wordpiece(lowercase: bool, words: list[str] = WORDS) -> tokenizers.Tokenizer:
    vocab = {word: i for i, word in enumerate(words)}
    made = tokenizers.Tokenizer(models.WordPiece(vocab, unk_token="[UNK]"))
    made.normalizer = normalizers.BertNormalizer(lowercase=lowercase)
    made.pre_tokenizer = pre_tokenizers.BertPreTokenizer()
    return made


@pytest.mark.parametrize("ending", ["\n", "\r\n"])
def test_a_word_list_is_wordpiece_as_bert_has_it(tmp_path: Path, ending: str) -> None:
    opened = open_tokenizer(put(tmp_path, ending.join(WORDS) + ending))
    assert opened.kind == "wordpiece"
    assert opened.vocabulary == WORDS
    assert opened.unknown_id == 1
    text = "The unaffable, A 漢 unknown thé"
    expected = reference_wordpiece(True).encode(text, add_special_tokens=False).ids
    assert opened.encode(text, specials=False).ids == expected
    assert opened.special_tokens == {word: i for i, word in enumerate(SPECIALS)}


def test_a_word_list_with_capitals_leaves_text_as_it_is(tmp_path: Path) -> None:
    words = [*WORDS, "The", "th", "##é"]
    opened = open_tokenizer(put(tmp_path, "\n".join(words)))
    text = "The the thé THE"
    expected = reference_wordpiece(False, words).encode(text, add_special_tokens=False).tokens
    assert opened.encode(text, specials=False).pieces == expected
    assert expected[0] == "The"


@pytest.mark.parametrize("names", [("vocab.json", "merges.txt"), ("encoder.json", "vocab.bpe")])
@pytest.mark.parametrize("opened_by", [0, 1])
@pytest.mark.parametrize("prefix", ["", "gpt2-"])
def test_a_vocabulary_with_its_merges(
    tmp_path: Path, names: tuple[str, str], opened_by: int, prefix: str
) -> None:
    ours = trained()
    put(tmp_path, {p: i for i, p in enumerate(ours.vocabulary)}, prefix + names[0])
    lines = ["#version: 0.2", *(" ".join(pair) for pair in ours.merges)]
    put(tmp_path, "\n".join(lines) + "\n", prefix + names[1])
    opened = open_tokenizer(tmp_path / (prefix + names[opened_by]))
    assert isinstance(opened, ByteLevelBPE)
    assert opened.vocabulary == ours.vocabulary
    assert opened.special_tokens == ours.special_tokens
    ids = opened.encode_ids(TEXT)
    assert opened.decode(ids) == TEXT


def test_half_a_tokenizer_says_what_is_missing(tmp_path: Path) -> None:
    for path in (
        put(tmp_path, {"a": 0}, "vocab.json"),
        put(tmp_path, "#version: 0.2\na b\n", "lonely.txt"),
    ):
        with pytest.raises(ValueError, match="half of a tokenizer.*vocab.json with merges.txt"):
            open_tokenizer(path)


def gguf_bpe(**changes: object) -> dict:
    ours = trained()
    metadata = {
        "general.architecture": "llama",
        "tokenizer.ggml.model": "gpt2",
        "tokenizer.ggml.pre": "qwen2",
        "tokenizer.ggml.tokens": [*ours.vocabulary, "<|im_start|>"],
        "tokenizer.ggml.token_type": [3] + [1] * 399 + [3],
        "tokenizer.ggml.merges": [" ".join(pair) for pair in ours.merges],
    }
    return {key: value for key, value in (metadata | changes).items() if value is not None}


def test_a_model_file_holds_a_byte_level_bpe(tmp_path: Path) -> None:
    opened = open_tokenizer(put(tmp_path, gguf(gguf_bpe())))
    assert isinstance(opened, ByteLevelBPE)
    assert opened.pattern == "qwen"
    assert opened.special_tokens == {"<|endoftext|>": 0, "<|im_start|>": 400}
    ours = trained()
    same = ByteLevelBPE(ours.vocabulary, ours.merges, ours.special_tokens, pattern="qwen")
    assert opened.encode_ids(MIXED) == same.encode_ids(MIXED)


def test_a_model_file_may_begin_every_text_with_a_token(tmp_path: Path) -> None:
    changes = {"tokenizer.ggml.add_bos_token": True, "tokenizer.ggml.bos_token_id": 400}
    opened = open_tokenizer(put(tmp_path, gguf(gguf_bpe(**changes))))
    assert opened.encode_ids("ba")[0] == 400
    assert opened.encode_ids("ba", specials=False)[0] != 400


def test_a_model_file_holds_a_wordpiece(tmp_path: Path) -> None:
    spelled = [
        word.removeprefix("##") if word.startswith("##") else word if word[0] == "[" else f"▁{word}"
        for word in WORDS
    ]
    metadata = {"tokenizer.ggml.model": "bert", "tokenizer.ggml.tokens": spelled}
    opened = open_tokenizer(put(tmp_path, gguf(metadata)))
    assert opened.kind == "wordpiece"
    assert opened.vocabulary == WORDS


def scored(kind: str) -> SentencePieceBPE | Unigram:
    special = meta_pieces(byte_fallback=True)
    pieces = ["▁", "t", "h", "e", "▁t", "he", "▁the"]
    normal = [Piece(piece, -float(rank) / 2) for rank, piece in enumerate(pieces)]
    maker = SentencePieceBPE if kind == "bpe" else Unigram
    normalizer = SentencePieceNormalizer("identity", remove_extra_whitespaces=False)
    return maker([*special, *normal], normalizer, byte_fallback=True)


@pytest.mark.parametrize(("kind", "model"), [("bpe", "llama"), ("unigram", "t5")])
def test_a_model_file_holds_a_sentencepiece_tokenizer(
    tmp_path: Path, kind: str, model: str
) -> None:
    ours = scored(kind)
    metadata = {
        "tokenizer.ggml.model": model,
        "tokenizer.ggml.tokens": ours.vocabulary,
        "tokenizer.ggml.scores": [piece.score for piece in ours.pieces.pieces],
        "tokenizer.ggml.token_type": [int(piece.type) for piece in ours.pieces.pieces],
        "tokenizer.ggml.remove_extra_whitespaces": False,
    }
    opened = open_tokenizer(put(tmp_path, gguf(metadata)))
    assert type(opened) is type(ours)
    text = "the  the het 漢"
    assert opened.encode(text) == ours.encode(text)
    assert opened.decode(opened.encode_ids(text)) == text
    for change in ({"tokenizer.ggml.scores": [0.0]}, {"tokenizer.ggml.scores": None}):
        damaged = {k: v for k, v in (metadata | change).items() if v is not None}
        with pytest.raises(ValueError, match="a score for every piece"):
            open_tokenizer(put(tmp_path, gguf(damaged)))
    strange = metadata | {"tokenizer.ggml.token_type": [9] * ours.vocab_size}
    with pytest.raises(ValueError, match="an unknown type"):
        open_tokenizer(put(tmp_path, gguf(strange)))


def test_the_normalizer_s_table_of_a_model_file_is_read(tmp_path: Path) -> None:
    ours = scored("unigram")
    table = table_of(SentencePieceNormalizer("nmt_nfkc"))
    metadata = {
        "tokenizer.ggml.model": "t5",
        "tokenizer.ggml.tokens": ours.vocabulary,
        "tokenizer.ggml.scores": [piece.score for piece in ours.pieces.pieces],
        "tokenizer.ggml.token_type": [int(piece.type) for piece in ours.pieces.pieces],
        "tokenizer.ggml.precompiled_charsmap": list(table),
    }
    opened = open_tokenizer(put(tmp_path, gguf(metadata)))
    assert opened.encode_ids("ｔｈｅ\u3000 the") == opened.encode_ids("the the")


@pytest.mark.parametrize("kind", ["bpe", "unigram"])
def test_a_sentencepiece_model_opens_under_any_name(tmp_path: Path, kind: str) -> None:
    ours = scored(kind)
    ours.save(tmp_path / "x.model")
    (tmp_path / "x.model").rename(tmp_path / "file.v3")
    opened = open_tokenizer(tmp_path / "file.v3")
    assert type(opened) is type(ours)
    assert opened.encode(MIXED) == ours.encode(MIXED)


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"tokenizer.ggml.model": None}, "without a tokenizer"),
        ({"tokenizer.ggml.model": "rwkv"}, "of the kind 'rwkv'"),
        ({"tokenizer.ggml.tokens": None}, "without a tokenizer"),
        ({"tokenizer.ggml.tokens": [1, 2]}, "without a tokenizer"),
        ({"tokenizer.ggml.tokens": ["a", "a"], "tokenizer.ggml.token_type": None}, "piece twice"),
        ({"tokenizer.ggml.token_type": [1, 2]}, "400 tokens, but 2 types|401 tokens"),
        ({"tokenizer.ggml.pre": "new"}, r"not known \('new'\).*tokenizer.json"),
        ({"tokenizer.ggml.merges": None}, "no list of merges"),
        ({"tokenizer.ggml.merges": [1]}, "no list of merges"),
        ({"tokenizer.ggml.merges": ["a b c"]}, "line 1 is not a pair"),
        ({"tokenizer.ggml.merges": ["q Q"]}, "needs the piece 'qQ'"),
    ],
)
def test_a_model_file_whose_tokenizer_is_damaged(
    tmp_path: Path, changes: dict, message: str
) -> None:
    with pytest.raises(ValueError, match=message):
        open_tokenizer(put(tmp_path, gguf(gguf_bpe(**changes))))


# -- which format it is -----------------------------------------------------------------------


def test_a_folder_is_searched_for_the_file_that_tells_most(tmp_path: Path) -> None:
    put(tmp_path, "\n".join(WORDS), "vocab.txt")
    assert open_tokenizer(tmp_path).kind == "wordpiece"
    put(tmp_path, tekken_file(), "tekken.json")
    assert isinstance(open_tokenizer(tmp_path), RankedBPE)
    trained().save(tmp_path / "tokenizer.json")
    assert type(open_tokenizer(tmp_path)) is ByteLevelBPE
    other = tmp_path / "other"
    put(other, tiktoken_file(ranks()), "x.tiktoken")
    assert isinstance(open_tokenizer(other), RankedBPE)


def test_a_place_without_a_tokenizer_says_what_it_should_hold(tmp_path: Path) -> None:
    with pytest.raises(FileNotFoundError, match=r"holds no tokenizer.*tokenizer.json"):
        open_tokenizer(tmp_path)
    with pytest.raises(FileNotFoundError, match="no tokenizer 'nowhere'.*gpt2, cl100k"):
        open_tokenizer("nowhere")


def test_a_well_known_one_is_opened_by_its_name(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("LLM_EXPLORER_DATA", str(tmp_path))
    monkeypatch.setenv("HF_HUB_CACHE", str(tmp_path / "hub"))
    monkeypatch.setenv("TIKTOKEN_CACHE_DIR", str(tmp_path))
    with pytest.raises(FileNotFoundError, match="GPT-2 is not on this machine.*vocabularies gpt2"):
        open_tokenizer("gpt2")
    folder = tmp_path / "hub" / "models--gpt2" / "snapshots" / "abc"
    folder.mkdir(parents=True)
    trained().save(folder / "tokenizer.json")
    assert open_tokenizer("gpt2").vocabulary == trained().vocabulary


@pytest.mark.parametrize(
    ("content", "kind"),
    [
        (b"GGUF\3\0\0\0", "gguf"),
        (b"IQ== 0\nIg== 1\n", "ranks"),
        (b' {"model": 1}', "json"),
        (b"\xef\xbb\xbf{}", "json"),
        (b"[[1]]", "json"),
        (b"[PAD]\n[unused0]\n", "wordlist"),
        (b"[PAD]\r\n[UNK]\r\n", "wordlist"),
        (b"#version: 0.2\n\xc4\xa0 t\n", "merges"),
        ("Ġ t\nĠ a\n".encode(), "merges"),
        ("é" * 5000 + "\n", "wordlist"),
    ],
)
def test_a_file_is_known_by_how_it_begins(tmp_path: Path, content: bytes | str, kind: str) -> None:
    assert recognize_kind(put(tmp_path, content)) == kind


@pytest.mark.parametrize(
    ("content", "message"),
    [
        (b"", "is empty"),
        (b"version https://git-lfs.github.com/spec/v1\noid sha256:0\n", "git lfs pull"),
        (b"<!DOCTYPE html><html>", "is a web page"),
        (b"PK\x03\x04\0\0", "archive or a pickle"),
        (b"\x80\x02}q\0.", "never opened"),
        (b"\x80\x04\x95\0\0\0", "never opened"),
        (b"\x1f\x8b\x08", "compressed"),
        (b'\x10\0\0\0\0\0\0\0{"a":1}', "a model's weights"),
        (b"\x93NUMPY\x01\0v\0", "no tokenizer file of a known format"),
        (b"\0" * 5000, "no tokenizer file of a known format"),
        (b"just\nsome\ntext\n", "no vocabulary: it has no line"),
        (b"[1, 2]", "describes no tokenizer"),
        (b'{"vocab": []}', "describes no tokenizer"),
        (b"{}", "describes no tokenizer"),
    ],
)
def test_another_file_is_refused_with_what_it_is(
    tmp_path: Path, content: bytes, message: str
) -> None:
    with pytest.raises(ValueError, match=message):
        open_tokenizer(put(tmp_path, content))


# -- broken and hostile files -----------------------------------------------------------------


@pytest.mark.parametrize(
    ("content", "message"),
    [
        (b"IQ== 0\nIg==\n", "line 2 is not a piece"),
        (b"IQ== 0\nIg== x\n", "line 2 is not a piece"),
        (b"IQ== 0\nIg== -1\n", "line 2 is not a piece"),
        (b"IQ== 0\nI!== 1\n", "line 2 is not a piece"),
        (b"IQ== 0\nIQ== 1\n", "line 2 repeats the piece"),
        (b"IQ== 0\nIg== 0\n", "stands for two pieces"),
        (b"IQ== 0\nIg== 999999999\n", "ids run from 0 to 999999999"),
        (b"IQ== 0\nIg== 99999999999999999999\n", "line 2 is not a piece"),
        (b"IQ== 0\nIg== 1\n", "of the 256 bytes"),
    ],
)
def test_damaged_ranks_are_refused(tmp_path: Path, content: bytes, message: str) -> None:
    with pytest.raises(ValueError, match=message):
        open_tokenizer(put(tmp_path, content))


@pytest.mark.parametrize(
    ("change", "message"),
    [
        (lambda d: d.update(vocab=None), "no config and vocab"),
        (lambda d: d.update(config=3), "no config and vocab"),
        (lambda d: d["config"].update(pattern=r"\w+"), "a pattern that is not known"),
        (lambda d: d["config"].pop("default_vocab_size"), "how many pieces"),
        (lambda d: d["config"].update(default_vocab_size=10), "how many pieces"),
        (lambda d: d["config"].update(default_vocab_size=1 << 40), "promises"),
        (lambda d: d["config"].update(default_vocab_size=9000), "where 8,970 should be"),
        (lambda d: d["vocab"].append(3), "a piece wrongly"),
        (lambda d: d["vocab"][0].update(rank="0"), "a piece wrongly"),
        (lambda d: d["vocab"][0].update(token_bytes="#"), "a piece wrongly"),
        (lambda d: d["vocab"][0].update(rank=5), "two pieces"),
        (lambda d: d.update(special_tokens=[{"rank": 0}]), "special token wrongly"),
        (lambda d: d.update(special_tokens={"a": 1}), "special token wrongly"),
        (
            lambda d: d.update(special_tokens=[{"rank": r, "token_str": "x"} for r in (0, 1)]),
            "two special tokens alike",
        ),
    ],
)
def test_a_damaged_tekken_is_refused(
    tmp_path: Path, change: Callable[[dict], object], message: str
) -> None:
    document = tekken_file()
    change(document)
    with pytest.raises(ValueError, match=message):
        open_tokenizer(put(tmp_path, document))


@pytest.mark.parametrize(
    ("words", "message"),
    [
        (["[PAD]", "the", "a"], "no line"),
        (["[UNK]", "the", "the"], "'the' twice"),
        (["[UNK]", "", ""], "'' twice"),
    ],
)
def test_a_damaged_word_list_is_refused(tmp_path: Path, words: list[str], message: str) -> None:
    with pytest.raises(ValueError, match=message):
        open_tokenizer(put(tmp_path, "\n".join(words) + "\n"))


def every_format(folder: Path) -> list[Path]:
    ours = trained()
    ours.save(folder / "tokenizer.json")
    put(folder, {p: i for i, p in enumerate(ours.vocabulary)}, "vocab.json")
    put(folder, "\n".join(" ".join(pair) for pair in ours.merges), "merges.txt")
    return [
        folder / "tokenizer.json",
        folder / "merges.txt",
        folder / "vocab.json",
        put(folder, tiktoken_file(ranks()), "a.tiktoken"),
        put(folder, tekken_file(), "tekken.json"),
        put(folder, "\n".join(WORDS), "vocab.txt"),
        put(folder, gguf(gguf_bpe()), "a.gguf"),
    ]


def test_a_file_cut_anywhere_opens_as_a_whole_one_or_says_what_is_wrong(tmp_path: Path) -> None:
    for path in every_format(tmp_path):
        whole = path.read_bytes()
        for part in range(1, 20):
            path.write_bytes(whole[: len(whole) * part // 20])
            try:
                opened: Tokenizer | None = open_tokenizer(path)
            except ValueError as error:
                assert str(path) in str(error) or ":" in str(error)
            else:
                assert opened is not None
                opened.encode(MIXED)
        path.write_bytes(whole)


def test_a_file_of_500_megabytes_is_refused_unread(tmp_path: Path) -> None:
    for path in every_format(tmp_path)[:-1]:
        with path.open("r+b") as file:
            file.truncate(500_000_000)  # the rest is a hole: it takes no room on the disk
        with pytest.raises(
            ValueError, match="holds 500 MB, more than the 105 MB|no tokenizer file"
        ):
            open_tokenizer(path)


def test_of_a_large_model_only_the_head_is_read(tmp_path: Path) -> None:
    path = put(tmp_path, gguf(gguf_bpe()))
    with path.open("r+b") as file:
        file.truncate(5_000_000_000)
    assert open_tokenizer(path).vocab_size == 401


@pytest.mark.parametrize(
    "content",
    [
        b'{"model": ' + b"[" * 2_000_000,
        b'{"model": {"type": "BPE", "vocab": {}, "merges": [' + b"[]," * 7_000_000,
        b'{"a": ' * 100_000,
        b'{"config": {}, "vocab": [' + b"{}," * 7_000_000,
    ],
)
def test_brackets_do_not_fill_the_memory(tmp_path: Path, content: bytes) -> None:
    with pytest.raises(ValueError, match="too deep|nested|more values|not valid JSON"):
        open_tokenizer(put(tmp_path, content))


def test_too_many_pieces_are_refused(tmp_path: Path) -> None:
    with pytest.raises(ValueError, match="lines, more than"):
        open_tokenizer(put(tmp_path, b"[UNK]\n" + b"a\n" * 3_000_000))
