"""One small tokenizer of each format, as the files that hold it."""

import base64
import json
from pathlib import Path

from core.tokenization import ByteLevelBPE, train_tokenizer
from core.tokenization.bpe.patterns import word_pattern
from core.tokenization.byte_level import to_bytes
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
