"""tokenizer.json: written, read back, loaded by the Hugging Face library, and broken."""

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import tokenizers
from hypothesis import given
from hypothesis import strategies as st
from tokenizers import models, pre_tokenizers

from core.tokenization import (
    ByteLevelBPE,
    CharacterTokenizer,
    Tokenizer,
    open_tokenizer,
    train_tokenizer,
)
from core.tokenization.bpe.patterns import PATTERNS
from core.tokenization.formats.library import LibraryTokenizer
from tests.core.tokenization.reference import prose, reference_bpe

TEXT = prose(0, 1500)
SPECIAL = "x<|endoftext|>y"


@pytest.fixture(params=["bpe", "characters", "characters with unknown"])
def tokenizer(request: pytest.FixtureRequest) -> Tokenizer:
    if request.param == "bpe":
        return train_tokenizer("bpe", TEXT, 400)
    plain = train_tokenizer("characters", TEXT + SPECIAL)
    if request.param == "characters":
        return plain
    return CharacterTokenizer(["<unk>", *plain.vocabulary], {"<unk>": 0}, unknown="<unk>")


def test_what_was_saved_opens_again(tokenizer: Tokenizer, tmp_path: Path) -> None:
    tokenizer.save(tmp_path / "tokenizer.json")
    for path in (tmp_path, tmp_path / "tokenizer.json"):
        opened = open_tokenizer(path)
        assert type(opened) is type(tokenizer)
        assert opened.vocabulary == tokenizer.vocabulary
        assert opened.special_tokens == tokenizer.special_tokens
        assert opened.encode(TEXT) == tokenizer.encode(TEXT)
    opened.save(tmp_path / "again.json")
    assert (tmp_path / "again.json").read_bytes() == (tmp_path / "tokenizer.json").read_bytes()


def test_the_reference_loads_it_and_agrees(tokenizer: Tokenizer, tmp_path: Path) -> None:
    tokenizer.save(tmp_path / "tokenizer.json")
    reference = tokenizers.Tokenizer.from_file(str(tmp_path / "tokenizer.json"))
    ids = tokenizer.encode_ids(TEXT + SPECIAL)
    assert reference.encode(TEXT + SPECIAL).ids == ids
    assert reference.decode(ids, skip_special_tokens=False) == tokenizer.decode(ids)
    assert reference.get_vocab_size() == tokenizer.vocab_size


def test_unknown_characters_get_the_same_token_as_in_the_reference(tmp_path: Path) -> None:
    tokenizer = CharacterTokenizer(["<unk>", "a", "\n"], {"<unk>": 0}, unknown="<unk>")
    tokenizer.save(tmp_path / "tokenizer.json")
    reference = tokenizers.Tokenizer.from_file(str(tmp_path / "tokenizer.json"))
    assert (
        reference.encode("a\n🙂é a").ids == tokenizer.encode_ids("a\n🙂é a") == [1, 2, 0, 0, 0, 1]
    )


def test_a_file_of_the_reference_opens(tmp_path: Path) -> None:
    reference = reference_bpe([TEXT], 400)
    reference.save(str(tmp_path / "tokenizer.json"))
    ours = open_tokenizer(tmp_path / "tokenizer.json")
    assert ours.encode_ids(TEXT + SPECIAL) == reference.encode(TEXT + SPECIAL).ids


def test_merges_of_older_files_are_strings(tmp_path: Path) -> None:
    def older(document: dict[str, Any]) -> None:
        document["model"]["merges"] = [" ".join(pair) for pair in document["model"]["merges"]]
        del document["model"]["type"]

    path = changed_file(tmp_path, older)
    assert open_tokenizer(path).encode(TEXT) == train_tokenizer("bpe", TEXT, 300).encode(TEXT)


def changed_file(folder: Path, change: Callable[[dict[str, Any]], object]) -> Path:
    path = folder / "tokenizer.json"
    train_tokenizer("bpe", TEXT, 300).save(path)
    document = json.loads(path.read_text(encoding="utf-8"))
    change(document)
    path.write_text(json.dumps(document), encoding="utf-8")
    return path


@pytest.mark.parametrize(
    ("change", "message"),
    [
        (lambda d: d.pop("model"), "describes no tokenizer"),
        (lambda d: d.update(model=[]), "describes no tokenizer"),
        (lambda d: d["model"].update(type="BPEE"), "the kind 'BPEE'"),
        (lambda d: d["model"].update(type=["BPE"]), r"the kind \['BPE'\]"),
        (lambda d: d["model"].pop("type") and d["model"].pop("merges"), "does not say what kind"),
        (lambda d: d.update(pre_tokenizer=7), "cannot be used by the tokenizers library"),
        (lambda d: d.update(normalizer={"type": "new"}), "cannot be used by the tokenizers"),
        (lambda d: d["model"].update(vocab=None), "has no vocabulary"),
        (lambda d: d["model"].update(vocab=[]), "has no vocabulary"),
        (lambda d: d["model"]["vocab"].update(new=10**9), "but the id 1,000,000,000"),
        (lambda d: d["model"]["vocab"].update(new=10**18), "but the id 1,000,000,000"),
        (lambda d: d["model"]["vocab"].update(new=-1), "whose id is no number"),
        (lambda d: d["model"]["vocab"].update(new=[1]), "whose id is no number"),
        (lambda d: d["model"]["vocab"].update(new=True), "whose id is no number"),
        (lambda d: d["model"]["vocab"].update(new=7), "one id to two pieces"),
        (lambda d: d["model"].update(merges=None), "no list of merges"),
        (lambda d: d["model"]["merges"].append("a b c"), "merge 43 is not a pair"),
        (lambda d: d["model"]["merges"].append([1, 2]), "merge 43 is not a pair"),
        (lambda d: d["model"]["merges"].append(["", "a"]), "merge 43 joins a piece with nothing"),
        (lambda d: d["model"]["merges"].append("a "), "merge 43 joins a piece with nothing"),
        (lambda d: d["model"]["merges"].append(["q", "Q"]), "needs the piece 'qQ'"),
        (lambda d: d.update(added_tokens=[3]), "added token wrongly"),
        (lambda d: d.update(added_tokens={"a": 1}), "added tokens wrongly"),
        (lambda d: d["added_tokens"][0].update(content=""), "without a text"),
        (lambda d: d["added_tokens"][0].update(id=None), "whose id is no number"),
        (lambda d: d["added_tokens"][0].update(id=[2]), "whose id is no number"),
    ],
)
def test_a_file_that_cannot_be_followed_is_refused(
    tmp_path: Path, change: Callable[[dict[str, Any]], object], message: str
) -> None:
    path = changed_file(tmp_path, change)
    with pytest.raises(ValueError, match=message):
        open_tokenizer(path)


# A token that is looked for in the normalized text.
NORMALIZED_TOKEN = {"id": 0, "content": "<|endoftext|>", "special": True, "normalized": True}


@pytest.mark.parametrize(
    "change",
    [
        lambda d: d.update(normalizer={"type": "NFD"}),
        lambda d: (
            d.update(normalizer={"type": "NFC"}),
            d["added_tokens"][0].update(normalized=True),
        ),
        lambda d: d.update(pre_tokenizer=None),
        lambda d: d["pre_tokenizer"].update(use_regex=False),
        lambda d: d["pre_tokenizer"].update(add_prefix_space=True),
        lambda d: d["model"].update(dropout=0.1),
        lambda d: d["model"].update(end_of_word_suffix="</w>"),
        lambda d: d["model"]["vocab"].update({"a b": 300}),
        lambda d: d["model"]["vocab"].pop("A"),
        lambda d: d["added_tokens"][0].update(lstrip=True),
        lambda d: d["added_tokens"][0].update(special=False),
    ],
)
def test_what_our_own_class_does_not_do_the_library_does(
    tmp_path: Path, change: Callable[[dict[str, Any]], object]
) -> None:
    path = changed_file(tmp_path, change)
    opened = open_tokenizer(path)
    assert isinstance(opened, LibraryTokenizer)
    assert opened.kind == "bpe"
    assert opened.vocab_size >= 299


def test_word_level_files_that_are_not_characters_run_on_the_library(tmp_path: Path) -> None:
    reference = tokenizers.Tokenizer(models.WordLevel({"the": 0, "[UNK]": 1}, unk_token="[UNK]"))
    reference.pre_tokenizer = pre_tokenizers.Whitespace()
    reference.save(str(tmp_path / "tokenizer.json"))
    opened = open_tokenizer(tmp_path)
    assert opened.kind == "words"
    assert opened.unknown_id == 1
    assert opened.encode("the  cat").spans == [(0, 3), (5, 8)]


@pytest.mark.parametrize("pattern", PATTERNS)
def test_every_word_pattern_is_saved_and_opened(tmp_path: Path, pattern: str) -> None:
    trained = train_tokenizer("bpe", TEXT, 400)
    assert isinstance(trained, ByteLevelBPE)
    ours = ByteLevelBPE(trained.vocabulary, trained.merges, trained.special_tokens, pattern=pattern)
    ours.save(tmp_path / "tokenizer.json")
    opened = open_tokenizer(tmp_path)
    assert isinstance(opened, ByteLevelBPE)
    assert opened.pattern == pattern
    reference = tokenizers.Tokenizer.from_file(str(tmp_path / "tokenizer.json"))
    for text in (TEXT, "It'S 12345\n\n  x"):
        ids = ours.encode_ids(text)
        assert opened.encode_ids(text) == ids == reference.encode(text).ids


def test_ids_without_a_piece_are_kept_free(tmp_path: Path) -> None:
    def lift(document: dict[str, Any]) -> None:
        document["added_tokens"].append({"id": 310, "content": "<|far|>", "special": True})

    opened = open_tokenizer(changed_file(tmp_path, lift))
    assert isinstance(opened, ByteLevelBPE)
    assert opened.vocab_size == 311
    assert opened.piece_bytes(305) == b""
    assert opened.encode_ids("<|far|>") == [310]
    opened.save(tmp_path / "tokenizer.json")
    assert open_tokenizer(tmp_path).vocabulary == opened.vocabulary


def test_broken_files_are_refused(tmp_path: Path) -> None:
    path = tmp_path / "tokenizer.json"
    with pytest.raises(FileNotFoundError):
        open_tokenizer(path)
    for content, message in [
        (b"", "is empty"),
        (b"\xff\xfe\x00", "no tokenizer file of a known format"),
        (b'{"a": "\xff"}', "not text"),
        (b'{"model": ', "cut off"),
        (b"[1]", "describes no tokenizer"),
        (b"[" * 100_000, "nested too deep|nested more than"),
        (b'{"model": ' + b"[" * 50 + b"]" * 50 + b"}", "nested more than"),
        (b'{"model": {"type": "WordLevel", "unk_token": []}}', "has no vocabulary"),
        (b'{"model": {"type": "WordLevel", "unk_token": [], "vocab": {}}}', "cannot be used"),
        (b'{"a": ' + b"[" * 13_000_000, "values, which no such file"),
    ]:
        path.write_bytes(content)
        with pytest.raises(ValueError, match=message):
            open_tokenizer(path)


@given(st.data())
def test_a_file_cut_anywhere_or_with_any_value_replaced_is_a_clear_error(data: Any) -> None:
    document = json.loads(FILE)
    if data.draw(st.booleans()):
        content = FILE[: data.draw(st.integers(0, len(FILE) - 3))]
    else:
        target: Any = document
        while True:
            key = data.draw(st.sampled_from(sorted(target)))
            if isinstance(target[key], dict) and target[key] and data.draw(st.booleans()):
                target = target[key]
                continue
            target[key] = data.draw(
                st.sampled_from([None, 0, -1, True, "", "x", [], {}, [[]], {"a": 1}])
            )
            break
        content = json.dumps(document)
    path = FOLDER / "tokenizer.json"
    path.write_text(content, encoding="utf-8")
    try:
        opened = open_tokenizer(path)
    except ValueError as error:
        assert str(path) in str(error) or ":" in str(error)
    else:
        assert isinstance(opened, ByteLevelBPE | LibraryTokenizer)
        opened.encode_ids("any text")


@pytest.fixture(scope="module", autouse=True)
def written_file(tmp_path_factory: pytest.TempPathFactory) -> None:
    global FILE, FOLDER
    FOLDER = tmp_path_factory.mktemp("opening")
    train_tokenizer("bpe", TEXT, 265).save(FOLDER / "tokenizer.json")
    FILE = (FOLDER / "tokenizer.json").read_text(encoding="utf-8")


FILE = ""
FOLDER = Path()


def test_a_folder_that_holds_only_a_tokenizer_is_told_from_a_models(tmp_path: Path) -> None:
    from core.tokenization.opening import is_tokenizer

    assert not is_tokenizer(tmp_path), "an empty folder is neither"
    (tmp_path / "tokenizer.json").write_text(FILE, encoding="utf-8")
    assert is_tokenizer(tmp_path) and open_tokenizer(tmp_path).vocab_size == 265
    config = tmp_path / "config.json"
    config.write_text('{"architectures": ["GPT2LMHeadModel"]}')
    assert is_tokenizer(tmp_path), "only the small files of somebody's model were fetched"
    config.write_text('{"architecture": "gpt", "format": 1}')
    assert not is_tokenizer(tmp_path), "a checkpoint whose weights are missing"
    config.unlink()
    for name in ("model-00001-of-00002.safetensors", "pytorch_model.bin"):
        (tmp_path / name).write_bytes(b"")
        assert not is_tokenizer(tmp_path)
        (tmp_path / name).unlink()
    assert is_tokenizer(tmp_path)


def test_a_tokenizers_file_is_told_from_a_text(tmp_path: Path) -> None:
    from core.tokenization.opening import is_tokenizer

    def looks(name: str, data: bytes) -> bool:
        (tmp_path / name).write_bytes(data)
        return is_tokenizer(tmp_path / name)

    assert looks("tokenizer.json", b"{}") and looks("any", b'{"added_tokens": []}')
    assert looks("a.tiktoken", b"IQ== 0\nIg== 1\n") and looks("a.gguf", b"GGUF\x03\0\0\0")
    assert looks("vocab.txt", b"a\nb\n") and looks("words.txt", b"[PAD]\n[UNK]\nthe\n##ing\n")
    assert looks("merges.txt", b"a b\n") and looks("x.bpe", b"#version: 0.2\na b\n")
    assert not looks("a.txt", b"Once upon a time\n") and not looks(
        "b.txt", b"one word\ntwo words\n"
    )
    assert not looks("c.md", b"cat\nhat\n") and not looks("d.txt", "\u6771\u4eac\n".encode())
    assert looks("mine.json", b'{"the": 0, "a": 1}') and looks("mine.json", b'{"\\"": 0, "a": 1}')
    assert not looks("notes", b'{"cat": 1}') and not looks("lines.json", b'[{"text": "a b"}]')
    assert not looks("stories.json", b'{"stories": ["Once upon a time"]}')
    with pytest.raises(ValueError, match="archive"):
        looks("a.zip", b"PK\x03\x04")


def test_what_can_be_no_files_name_is_refused() -> None:
    for name in (None, 3, [], b"gpt2"):
        with pytest.raises(ValueError, match="no path of a file"):
            open_tokenizer(name)  # type: ignore[arg-type]
    with pytest.raises(
        FileNotFoundError, match="there is no tokenizer 'xxx.*5,000 characters.: give a file"
    ):
        open_tokenizer("x" * 5000)
