"""Files that somebody has tampered with: they open, or a ValueError says why not; nothing else."""

import json
import random
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from core.tokenization import Tokenizer, open_tokenizer, train_tokenizer
from tests.core.gguf_files import gguf
from tests.core.tokenization.reference import prose

TEXT = prose(0, 800)
KINDS = {"bpe": 300, "wordpiece": 200, "sentencepiece-bpe": 130, "unigram": 110, "characters": None}
TRIES = 25
JUNK: tuple[Any, ...] = (
    *(None, True, -1, 0, 1, 2**31, 2**63, 10**30, 1.5, float("inf"), "", "a", "\ud800"),
    *("Ġ", "<unk>", "WordLevel", "Unigram", [], {}, [[]], ["a"], ["a", "b"], {"type": ["NFC"]}),
    *({"type": "Sequence"}, {"type": {}}, {"type": "Metaspace"}, {"type": "ByteLevel"}),
    {"type": "Replace", "pattern": {"Regex": "("}, "content": "x"},
)
GGUF_JUNK: tuple[Any, ...] = (
    *(True, -1, 7, 1.5, "", "gpt2", "a"),
    *([1], [-1, 3], [0.5, 1.5], ["a"], ["a", "b"], [[1]], [["a"]], [True]),
)


def use(path: Path) -> None:
    """Opens a file and asks for all that a person can see of it, or is told why not."""
    try:
        tokenizer = open_tokenizer(path)
        encoding = tokenizer.encode("Hello wörld <unk> [CLS]\ud800 x")
        tokenizer.decode(encoding.ids)
        assert isinstance(encoding.stages, tuple) and tokenizer.special_tokens is not None
        for token in range(min(tokenizer.vocab_size, 30)):
            tokenizer.piece_bytes(token)
    except ValueError as error:
        assert str(error)


def places(value: Any, path: tuple = ()) -> Iterator[tuple]:
    """Where something stands in a document, a few places of what is long."""
    if path:
        yield path
    if isinstance(value, dict | list):
        keys = list(value) if isinstance(value, dict) else list(range(len(value)))
        for key in keys if len(keys) < 20 else [keys[0], keys[len(keys) // 2], keys[-1]]:
            yield from places(value[key], (*path, key))


def put_at(document: Any, path: tuple, value: Any) -> None:
    for key in path[:-1]:
        document = document[key]
    document[path[-1]] = value


@pytest.fixture(scope="module")
def trained() -> dict[str, Tokenizer]:
    return {kind: train_tokenizer(kind, TEXT, size) for kind, size in KINDS.items()}


@pytest.mark.parametrize("kind", KINDS)
def test_any_value_anywhere_in_a_document(
    trained: dict[str, Tokenizer], kind: str, tmp_path: Path
) -> None:
    path = tmp_path / "tokenizer.json"
    trained[kind].save(path)
    whole = path.read_text(encoding="utf-8")
    rng = random.Random(0)
    for _ in range(TRIES):
        document = json.loads(whole)
        put_at(document, rng.choice(list(places(document))), rng.choice(JUNK))
        path.write_text(json.dumps(document), encoding="utf-8")
        use(path)


@pytest.mark.parametrize("kind", ["sentencepiece-bpe", "unigram"])
def test_any_bytes_in_a_sentencepiece_model(
    trained: dict[str, Tokenizer], kind: str, tmp_path: Path
) -> None:
    path = tmp_path / "m.model"
    trained[kind].save(path)
    whole = path.read_bytes()
    rng = random.Random(0)
    for _ in range(TRIES):
        data = bytearray(whole)
        for _ in range(rng.choice((1, 2, 5))):
            data[rng.randrange(len(data))] = rng.randrange(256)
        path.write_bytes(bytes(data[: rng.choice((len(data), rng.randrange(len(data))))]))
        use(path)


def model_file(model: str, tokenizer: Any) -> dict[str, Any]:
    """The metadata of a GGUF file with every key that is read."""
    size = tokenizer.vocab_size
    metadata: dict[str, Any] = {
        "model": model,
        "pre": "gpt-2",
        "tokens": tokenizer.vocabulary,
        "token_type": [1] * size,
        "scores": [-float(token) for token in range(size)],
        "merges": [" ".join(pair) for pair in getattr(tokenizer, "merges", [("a", "b")])],
        "add_bos_token": True,
        "bos_token_id": 0,
        "add_space_prefix": True,
        "remove_extra_whitespaces": True,
    }
    if model in ("llama", "t5"):
        metadata["token_type"] = [int(piece.type) for piece in tokenizer.pieces.pieces]
    if model == "t5":
        metadata["precompiled_charsmap"] = [0, 1, 2, 3]
    return {f"tokenizer.ggml.{key}": value for key, value in metadata.items()}


@pytest.mark.parametrize(
    ("model", "kind"),
    [("gpt2", "bpe"), ("bert", "wordpiece"), ("llama", "sentencepiece-bpe"), ("t5", "unigram")],
)
def test_any_value_for_any_key_of_a_gguf_file(
    trained: dict[str, Tokenizer], model: str, kind: str, tmp_path: Path
) -> None:
    path = tmp_path / "m.gguf"
    metadata = model_file(model, trained[kind])
    for key in metadata:
        for value in GGUF_JUNK:
            path.write_bytes(gguf(metadata | {key: value}))
            use(path)


@pytest.mark.parametrize("stage", ["normalizer", "pre_tokenizer", "decoder"])
@pytest.mark.parametrize("kind", [[], {}, ["NFC"], 7, None])
def test_a_stage_whose_type_is_no_text(
    trained: dict[str, Tokenizer], stage: str, kind: Any, tmp_path: Path
) -> None:
    path = tmp_path / "tokenizer.json"
    trained["bpe"].save(path)
    document = json.loads(path.read_text(encoding="utf-8"))
    document[stage] = {"type": kind}
    path.write_text(json.dumps(document), encoding="utf-8")
    use(path)


@pytest.mark.parametrize("begin", [-1, -5000, 300])
def test_a_first_token_that_is_not_there_begins_no_text(
    trained: dict[str, Tokenizer], begin: int, tmp_path: Path
) -> None:
    path = tmp_path / "m.gguf"
    metadata = model_file("gpt2", trained["bpe"]) | {"tokenizer.ggml.bos_token_id": begin}
    path.write_bytes(gguf(metadata))
    assert open_tokenizer(path).encode_ids("the") == trained["bpe"].encode_ids("the")
