"""Files that were made to fill the memory, to take forever or to bring the process down.

Each attack writes its file into a folder and opens it as the program does. A file of gigabytes is a
hole: it takes no room on the disk.
"""

from __future__ import annotations

import base64
import json
import os
import struct
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from tests.core.gguf_files import gguf, string
from tests.core.hostile.logs import LOGS, open_log
from tests.core.hostile.templates import TEMPLATES, open_template

MEGABYTE = 1 << 20
TEXT = "Hello wörld, an ugly 漢字 word and a plain one, eeee " + 60 * "x" + " " + 3000 * "h"


@dataclass(frozen=True)
class Attack:
    """write  puts the file into a folder that is there; open  what the program does with it

    refused  whether it must be refused: a run opens without its damaged part
    """

    write: Callable[[Path], object]
    open: Callable[[Path], object]
    refused: bool = True


# -- how the program opens each kind of file ------------------------------------------------------


def use_tokenizer(path: Path) -> None:
    """Opens a tokenizer and asks for all that a person can see of it."""
    from core.tokenization import open_tokenizer

    tokenizer = open_tokenizer(path)
    encoding = tokenizer.encode(TEXT)
    tokenizer.decode(encoding.ids)
    assert isinstance(encoding.stages, tuple)
    for token in {*encoding.ids, *range(min(20, tokenizer.vocab_size))}:
        tokenizer.piece_bytes(token)


def open_tokenizer_json(folder: Path) -> None:
    use_tokenizer(folder / "tokenizer.json")


def open_config(folder: Path) -> None:
    from core.transformer.weights import load_config

    load_config(folder)


def open_weights(folder: Path) -> None:
    from core.tensor_files import open_safetensors

    open_safetensors(folder / "model.safetensors")


def open_shards(folder: Path) -> None:
    from core.tensor_shards import open_tensors

    open_tensors(folder / "model.safetensors").read()


def open_foreign_shards(folder: Path) -> None:
    from core.transformer.foreign.sources import safetensors_source

    safetensors_source(folder)


def open_gguf_tokenizer(folder: Path) -> None:
    use_tokenizer(folder / "model.gguf")


def open_run(folder: Path) -> None:
    """All that a pane reads of a run."""
    from core.training.control import ControlLog
    from core.training.reader import RunReader

    reader = RunReader(folder)
    assert reader.state and reader.name and reader.step >= 0
    ControlLog(folder).refresh()
    for probe in reader.probes:
        probe.load()


def open_progress(folder: Path) -> None:
    from core.training.checkpoints import read_progress

    read_progress(folder)


def opentraining_config(folder: Path) -> None:
    from core.files import read_json
    from core.training.config import TrainingConfig

    TrainingConfig.from_json(read_json(folder / "config.json"))


def adaptable() -> Any:
    import torch

    from core.transformer.config import ModelConfig
    from core.transformer.gpt import GPT

    config = ModelConfig(vocab_size=9, block_size=8, n_layer=2, n_head=1, n_embd=4)
    return GPT(config, torch.Generator().manual_seed(0))


def open_adapter(folder: Path) -> None:
    from core.finetuning.peft_reader import load_adapter

    load_adapter(adaptable(), folder)


def open_text(folder: Path) -> None:
    from core.data.chunks import read_characters
    from core.data.text import check_text_file

    for _ in read_characters(check_text_file(folder / "text.txt")):
        pass


# -- a run that is as it should be ----------------------------------------------------------------


def write_run(folder: Path) -> Path:
    """Three steps, an evaluation, a sample, a probe and a command."""
    import numpy as np

    from core.tensor_files import write_tensors
    from core.training.control import RunControl
    from core.training.runs import create_run
    from core.training.writer import RunWriter

    create_run(folder, training_config())
    writer = RunWriter(folder)
    for step in (1, 2, 3):
        writer.step({"step": step, "loss": 2.0, "tokens": 64, "seconds": 0.1})
    writer.event("evaluate", 3, {"train": 2.0, "validation": 2.5})
    writer.sample(3, "Once", "upon", [1, 2])
    attention = np.zeros((1, 1, 2, 2), np.float32)
    write_tensors(folder / "probes" / "step-000003.safetensors", {"attention": attention})
    RunControl(folder).pause()
    writer.close()
    return folder


def training_config() -> Any:
    from core.training.config import TrainingConfig
    from core.transformer.config import ModelConfig

    return TrainingConfig(
        model=ModelConfig(vocab_size=9, block_size=8, n_layer=1, n_head=1, n_embd=4), steps=9
    )


def write_adapter(folder: Path) -> Path:
    from core.finetuning.adapter import add_lora
    from core.finetuning.lora_config import LoRAConfig

    add_lora(adaptable(), LoRAConfig(r=2)).save(folder)
    return folder


def _adapter_with(name: str, make: Callable[[], bytes | str]) -> Callable[[Path], object]:
    return lambda folder: _content(name, make)(write_adapter(folder))


def _adapter_saying(**entries: Any) -> Callable[[Path], object]:
    def write(folder: Path) -> None:
        path = write_adapter(folder) / "adapter_config.json"
        path.write_text(json.dumps({**json.loads(path.read_text()), **entries}))

    return write


ADAPTERS: dict[str, Callable[[Path], object]] = {
    "the largest rank": _adapter_saying(r=1 << 16),
    "a rank beyond it": _adapter_saying(r=1 << 40),
    "a pattern that takes forever": _adapter_saying(rank_pattern={"(a+)+$": 2}),
    "2,001 patterns": _adapter_saying(rank_pattern={f"x{n}": 2 for n in range(2001)}),
    "1.2 MB of layers": _adapter_saying(layers_to_transform=[0] * 400_000),
    "50,000 modules": _adapter_with(
        "adapter_model.safetensors",
        lambda: _safetensors(
            b"{"
            + b",".join(
                b'"base_model.model.h.%d.attn.c_attn.lora_A.weight":'
                b'{"dtype":"F32","shape":[0],"data_offsets":[0,0]}' % n
                for n in range(50_000)
            )
            + b"}"
        ),
    ),
}


RUN_FILES = (
    *("run.json", "rank0.steps", "rank0.jsonl", "control.jsonl"),
    *("samples/step-000003.json", "probes/step-000003.safetensors"),
)


# -- things that are no files, and files without an end -------------------------------------------


def pipe(path: Path) -> None:
    path.unlink(missing_ok=True)
    os.mkfifo(path)


def device(path: Path) -> None:
    path.unlink(missing_ok=True)
    path.symlink_to("/dev/zero")


def folder_there(path: Path) -> None:
    path.unlink(missing_ok=True)
    path.mkdir()


def hole(path: Path) -> None:
    """3 GB of zeros behind what was there."""
    with path.open("ab") as file:
        file.truncate(3_000_000_000)


NO_FILES = {"a pipe": pipe, "a device": device, "a folder": folder_there, "3 GB": hole}


def _run_with(name: str, harm: Callable[[Path], None]) -> Callable[[Path], object]:
    def write(folder: Path) -> None:
        harm(write_run(folder) / name)

    return write


def many_lines(path: Path) -> None:
    """As many as are read, none of which says anything."""
    path.write_bytes(b"{}\n" * 499_999)


def many_records(path: Path) -> None:
    """As many as are read, of zeros."""
    with path.open("r+b") as file:
        file.truncate(460_000_000)


def _just(name: str, harm: Callable[[Path], None]) -> Callable[[Path], object]:
    return lambda folder: harm(folder / name)


def _content(name: str, make: Callable[[], bytes | str]) -> Callable[[Path], object]:
    def write(folder: Path) -> None:
        content = make()
        (folder / name).write_bytes(content.encode() if isinstance(content, str) else content)

    return write


# -- JSON -----------------------------------------------------------------------------------------

JSON_CONTENT: dict[str, Callable[[], bytes | str]] = {
    "60 MB of []": lambda: b"[" + b"[]," * (20 * MEGABYTE - 1) + b"[]]",
    "60 MB of {}": lambda: b"[" + b'{"":0},' * (8 * MEGABYTE) + b"0]",
    "60 MB of numbers": lambda: b"[" + b"1.5," * (15 * MEGABYTE) + b"0]",
    "60 MB of entries": lambda: b"{" + b",".join(b'"%d":0' % n for n in range(4_000_000)) + b"}",
    "nested 100,000 deep": lambda: b"[" * 100_000,
    "nested 20,000,000 deep": lambda: b'{"a":' * 12_000_000,
    "a number of 6,000 digits": lambda: '{"n_layer": ' + "9" * 6000 + "}",
    "a number of 60,000,000 digits": lambda: b'{"n_layer": 0.' + b"3" * 60_000_000 + b"}",
    "4,000 digits each": lambda: b"[" + (b"9" * 4000 + b",") * 15_000 + b"0]",
    "as many {} as are read": lambda: b"[" + b'{"a":[]},' * 190_000 + b"0]",
    "as many numbers as are read": lambda: b"[" + b"1.5," * 990_000 + b"0]",
    "UTF-16": lambda: '{"format": 1}'.encode("utf-16"),
    "no text": lambda: b"\x80\x81\x82",
}


# -- safetensors and GGUF -------------------------------------------------------------------------


def _safetensors(header: bytes, data: bytes = b"") -> bytes:
    return struct.pack("<Q", len(header)) + header + data


def _tensor(name: str, dtype: str = "F32", shape: object = (1,), end: int = 4) -> bytes:
    entry = {"dtype": dtype, "shape": shape, "data_offsets": [0, end]}
    return json.dumps({name: entry}, separators=(",", ":")).encode()


def _many_tensors(size: int) -> bytes:
    entry = b'"%d":{"dtype":"F32","shape":[],"data_offsets":[0,4]}'
    count = size // 60
    return b"{" + b",".join(entry % number for number in range(count)) + b"}"


WEIGHTS: dict[str, Callable[[], bytes]] = {
    "60,000 dimensions": lambda: _safetensors(_tensor("a", shape=[1 << 63] * 60_000)),
    "200,000 dimensions": lambda: _safetensors(_tensor("a", shape=[1 << 63] * 200_000)),
    "a 99 MB header of entries": lambda: _safetensors(_many_tensors(99_000_000)),
    "a 99 MB header of []": lambda: _safetensors(b'{"a":[' + b"[]," * 33_000_000 + b"[]]}"),
    "a header nested deep": lambda: _safetensors(b'{"a":' * 100_000),
    "a shape of 6,000 digits": lambda: _safetensors(
        b'{"a":{"dtype":"F32","shape":[' + b"9" * 6000 + b'],"data_offsets":[0,4]}}'
    ),
    "sizes of 4,000 digits": lambda: _safetensors(
        b'{"a":{"dtype":"F32","shape":[' + b"9" * 4000 + b"," + b"9" * 4000 + b"],"
        b'"data_offsets":[0,4]}}'
    ),
    "a negative size": lambda: _safetensors(_tensor("a", shape=[-1, -1])),
    "an infinite size": lambda: _safetensors(
        b'{"a":{"dtype":"F32","shape":[Infinity],"data_offsets":[0,4]}}'
    ),
    "an unknown type": lambda: _safetensors(_tensor("a", dtype="S0")),
    "as many entries as are read": lambda: _safetensors(_many_tensors(3_200_000)),
    "100 MB of metadata": lambda: _safetensors(
        b'{"__metadata__":{' + b",".join(b'"%d":""' % n for n in range(8_000_000)) + b"}}"
    ),
}


def _gguf_head(n_tensors: int = 0, n_entries: int = 1) -> bytes:
    return b"GGUF" + struct.pack("<IQQ", 3, n_tensors, n_entries)


def _gguf_hole(start: bytes, size: int) -> Callable[[Path], object]:
    def write(folder: Path) -> None:
        with (folder / "model.gguf").open("wb") as file:
            file.write(start)
            file.truncate(size)

    return write


_TOKENS = string("tokenizer.ggml.tokens")
GGUF: dict[str, Callable[[Path], object]] = {
    "262 MB of empty strings": _gguf_hole(
        _gguf_head() + _TOKENS + struct.pack("<IIQ", 9, 8, 32_000_000), 262_000_000
    ),
    "262 MB of empty arrays": _gguf_hole(
        _gguf_head() + _TOKENS + struct.pack("<IIQ", 9, 9, 21_000_000), 262_000_000
    ),
    "255 MB in one string": _gguf_hole(
        _gguf_head() + _TOKENS + struct.pack("<IQ", 8, 255 * MEGABYTE), 262_000_000
    ),
    "65,536 arrays": _gguf_hole(
        _gguf_head(n_entries=1 << 16) + _TOKENS + struct.pack("<IIQ", 9, 8, 2_000_000), 262_000_000
    ),
    "as many strings as are read": _gguf_hole(
        _gguf_head() + _TOKENS + struct.pack("<IIQ", 9, 8, 1_400_000), 62_000_000
    ),
    "2^40 tensors": _gguf_hole(_gguf_head(1 << 40, 0), 262_000_000),
    "65,536 tensors without names": _gguf_hole(_gguf_head(1 << 16, 0), 262_000_000),
}


# -- tokenizer.json: what the tokenizers library would do ------------------------------------------


PLAIN = {"single_word": False, "lstrip": False, "rstrip": False, "normalized": False}


def library_document(**changes: Any) -> dict[str, Any]:
    """One that none of our own classes takes, with some parts changed."""
    pieces = ["<unk>", "h", "e", "l", "o", "w", "r", "d", "▁"]
    document: dict[str, Any] = {
        "version": "1.0",
        "added_tokens": [{"id": 0, "content": "<unk>", **PLAIN, "special": True}],
        "normalizer": {"type": "Lowercase"},
        "pre_tokenizer": {"type": "WhitespaceSplit"},
        "post_processor": None,
        "decoder": None,
        "model": {
            "type": "WordPiece",
            "unk_token": "<unk>",
            "continuing_subword_prefix": "",
            "max_input_chars_per_word": 100,
            "vocab": {piece: number for number, piece in enumerate(pieces)},
        },
    }
    return {**document, **changes}


def _model(**changes: Any) -> dict[str, Any]:
    return {"model": {**library_document()["model"], **changes}}


def _bpe(**changes: Any) -> dict[str, Any]:
    model = {"type": "BPE", "vocab": {"h": 0, "e": 1, "he": 2}, "merges": [["h", "e"]], **changes}
    return {"model": model, "added_tokens": []}


def _unigram(pieces: list[list[Any]], **changes: Any) -> dict[str, Any]:
    return {
        "model": {"type": "Unigram", "unk_id": 0, "vocab": [["<unk>", 0.0], *pieces], **changes}
    }


def _template(single: list[Any], ids: list[int]) -> dict[str, Any]:
    return {
        "type": "TemplateProcessing",
        "single": single,
        "pair": [{"Sequence": {"id": "A", "type_id": 0}}, {"Sequence": {"id": "B", "type_id": 1}}],
        "special_tokens": {"x": {"id": "x", "ids": ids, "tokens": ["x"] * len(ids)}},
    }


A = {"Sequence": {"id": "A", "type_id": 0}}
X = {"SpecialToken": {"id": "x", "type_id": 0}}


def _in_sequence(key: str, stages: list[Any]) -> dict[str, Any]:
    return {"type": "Sequence", key: stages}


def _replace(pattern: dict[str, str], content: str) -> dict[str, Any]:
    return {"type": "Replace", "pattern": pattern, "content": content}


def _charsmap(result: bytes) -> str:
    """A table that makes `result` of "e"."""
    from core.tokenization.formats.sentencepiece.charsmap import write_charsmap
    from core.tokenization.sentencepiece.rules import CharacterRules

    rules = CharacterRules({"e": result.decode()}, {}, {})
    return base64.b64encode(write_charsmap(rules)).decode()


def _added(count: int, **flags: Any) -> list[dict[str, Any]]:
    first = library_document()["added_tokens"]
    return first + [
        {"id": 9 + n, "content": f"<token {n}>", **PLAIN, "special": bool(n % 2), **flags}
        for n in range(count)
    ]


def _split(regex: str) -> dict[str, Any]:
    pattern = {"Regex": regex}
    return {"type": "Split", "pattern": pattern, "behavior": "Isolated", "invert": False}


LIBRARY: dict[str, Callable[[], dict[str, Any]]] = {
    "a template of a billion ids": lambda: {
        "post_processor": _template([A, *[X] * 20_000], [0] * 50_000)
    },
    "templates that double the text": lambda: {
        "post_processor": _in_sequence("processors", [_template([A, A], [0])] * 40)
    },
    "a template that repeats the text": lambda: {"post_processor": _template([A] * 200_000, [0])},
    "a template with ids of no piece": lambda: {
        "post_processor": _template([A, X], [4_000_000_000])
    },
    "40 byte levels before the words": lambda: {
        "normalizer": _in_sequence("normalizers", [{"type": "ByteLevel"}] * 40)
    },
    "30 byte levels among the words": lambda: {
        "pre_tokenizer": _in_sequence(
            "pretokenizers",
            [{"type": "ByteLevel", "add_prefix_space": False, "trim_offsets": False}] * 40,
        )
    },
    "replacements that grow": lambda: {
        "normalizer": _in_sequence(
            "normalizers", [_replace({"String": "e"}, "e" * 60), {"type": "NFC"}] * 6
        )
    },
    "a replacement of nothing": lambda: {
        "normalizer": _in_sequence("normalizers", [_replace({"Regex": ""}, "e" * 50)] * 5)
    },
    "a long prefix": lambda: {"normalizer": {"type": "Prepend", "prepend": "e" * 60_000}},
    "many prefixes": lambda: {
        "normalizer": _in_sequence("normalizers", [{"type": "Prepend", "prepend": "e" * 900}] * 30)
    },
    "a table that makes 10 MB of a letter": lambda: {
        "normalizer": {
            "type": "Precompiled",
            "precompiled_charsmap": _charsmap(b"e" * 10 * MEGABYTE),
        }
    },
    "tables one after the other": lambda: {
        "normalizer": _in_sequence(
            "normalizers",
            [{"type": "Precompiled", "precompiled_charsmap": _charsmap(b"e" * 50)}] * 8,
        )
    },
    "a decoder that grows": lambda: {
        "decoder": _in_sequence("decoders", [_replace({"String": "e"}, "e" * 60)] * 8)
    },
    "a decoder in a replacement's place": lambda: {
        "decoder": {"type": "WordPiece", "prefix": "", "cleanup": True}
    },
    "a prefix inside words of 10 MB": lambda: _model(continuing_subword_prefix="#" * 10 * MEGABYTE),
    "a word without an end": lambda: _model(max_input_chars_per_word=1 << 40),
    "a BPE's prefix of 10 MB": lambda: _bpe(continuing_subword_prefix="#" * 10 * MEGABYTE),
    "a BPE's suffix of 10 MB": lambda: _bpe(end_of_word_suffix="#" * 10 * MEGABYTE),
    "a piece of 20 MB": lambda: _unigram([["h" * 20 * MEGABYTE, -1.0]]),
    "80,000 pieces of 1,000 letters": lambda: _unigram(
        [[f"{n:08d}" + chr(65 + n % 26) * 600, -1.0] for n in range(80_000)]
    ),
    "a piece without letters": lambda: _unigram([["", -1.0], ["h", -2.0]]),
    "a score that is no number": lambda: _unigram([["h", float("nan")], ["e", float("inf")]]),
    "400,000 added tokens": lambda: {"added_tokens": _added(400_000, normalized=False)},
    "60,000 added tokens, turn by turn": lambda: {"added_tokens": _added(60_000)},
    "an added token of 20 MB": lambda: {
        "added_tokens": [{"id": 9, "content": "e" * 20 * MEGABYTE, **PLAIN, "special": False}],
        "normalizer": _replace({"String": "e"}, "h" * 60),
    },
    "padding to 10^15": lambda: {
        "padding": {
            "strategy": {"Fixed": 10**15},
            "direction": "Right",
            "pad_to_multiple_of": 10**15,
            "pad_id": 0,
            "pad_type_id": 0,
            "pad_token": "<unk>",
        }
    },
    "truncation to nothing": lambda: {
        "truncation": {
            "direction": "Right",
            "max_length": 1,
            "strategy": "LongestFirst",
            "stride": 1 << 60,
        }
    },
    "words of no letters": lambda: {"pre_tokenizer": {"type": "FixedLength", "length": 0}},
    "a pattern that looks back for ever": lambda: {"pre_tokenizer": _split("(.*?,?)*(x+x+)+y")},
    "a pattern in a pattern": lambda: {
        "pre_tokenizer": _split("(?:" * 20 + "a" + "){1,1000}" * 20)
    },
    "100,000 parentheses": lambda: {"pre_tokenizer": _split("(" * 100_000 + "a" + ")" * 100_000)},
    "4,000 parentheses": lambda: {"pre_tokenizer": _split("(" * 4_000 + "a" + ")" * 4_000)},
    "a pattern of 5 MB": lambda: {"pre_tokenizer": _split("a|" * 2_500_000 + "b")},
    "100,000 stages": lambda: {
        "normalizer": _in_sequence("normalizers", [{"type": "NFC"}] * 100_000)
    },
}
# Those that harm nobody once they are opened within bounds, or that the library itself takes well.
MAY_OPEN = {
    *("a decoder in a replacement's place", "padding to 10^15", "truncation to nothing"),
    *("a piece without letters", "words of no letters", "a score that is no number"),
    *("4,000 parentheses", "a pattern in a pattern"),
}


def _model_file(text: str, table: bytes = b"") -> bytes:
    """A SentencePiece BPE with one long piece."""
    from core.tokenization.formats.sentencepiece.model import (
        NormalizerSettings,
        SentencePieceModel,
        TrainerSettings,
        model_bytes,
    )
    from core.tokenization.sentencepiece.pieces import Piece, PieceType

    pieces = [Piece("<unk>", 0.0, PieceType.UNKNOWN), Piece(text, -1.0), Piece("h", -2.0)]
    settings = NormalizerSettings("precompiled", table) if table else NormalizerSettings("identity")
    return model_bytes(SentencePieceModel(pieces, TrainerSettings("bpe"), settings))


def _ranks(piece: bytes) -> bytes:
    pieces = [bytes([byte]) for byte in range(256)] + [piece]
    return b"".join(base64.b64encode(p) + b" %d\n" % n for n, p in enumerate(pieces))


def _gguf_pieces(pieces: list[str]) -> bytes:
    count = len(pieces)
    return gguf(
        {
            "tokenizer.ggml.model": "llama",
            "tokenizer.ggml.tokens": pieces,
            "tokenizer.ggml.scores": [-float(number) for number in range(count)],
            "tokenizer.ggml.token_type": [2] + [1] * (count - 1),
        }
    )


LONG = "h" * 20 * MEGABYTE
PIECES: dict[str, tuple[str, Callable[[], bytes]]] = {
    "a .model with a piece of 20 MB": ("x.model", lambda: _model_file(LONG)),
    "a .model whose table makes 10 MB of a letter": (
        "x.model",
        lambda: _model_file("a", base64.b64decode(_charsmap(b"e" * 10 * MEGABYTE))),
    ),
    "ranks of 1,700,000 pieces": (
        "x.tiktoken",
        lambda: b"".join(
            base64.b64encode(number.to_bytes(4, "big")) + b" %d\n" % number
            for number in range(1_700_000)
        ),
    ),
    "ranks with a piece of 20 MB": ("x.tiktoken", lambda: _ranks(LONG.encode())),
    "a word list with a piece of 20 MB": ("vocab.txt", lambda: f"[UNK]\n{LONG}\n".encode()),
    "a word list of 30,000,000 lines": ("vocab.txt", lambda: b"[UNK]\n" + b"a\n" * 30_000_000),
    "GGUF with a piece of 20 MB": ("x.gguf", lambda: _gguf_pieces(["<unk>", LONG])),
    "JSON with as many {} as are read": (
        "tokenizer.json",
        lambda: b'{"model":{"a":[' + b'{"a":1},' * 740_000 + b"0]}}",
    ),
    "JSON with as many texts as are read": (
        "tokenizer.json",
        lambda: b'{"model":{"a":[' + b'"abcdefgh",' * 2_990_000 + b"0]}}",
    ),
    "merges of 20 MB": ("merges.txt", lambda: f"#version\n{LONG} a\n".encode()),
}


def _open_file(name: str) -> Callable[[Path], object]:
    return lambda folder: use_tokenizer(folder / name)


def _write_document(make: Callable[[], dict[str, Any]]) -> Callable[[Path], object]:
    return _content("tokenizer.json", lambda: json.dumps(library_document(**make())))


# -- all of them ----------------------------------------------------------------------------------

ATTACKS: dict[str, Attack] = {
    **{
        f"config.json: {what}": Attack(_content("config.json", make), open_config)
        for what, make in JSON_CONTENT.items()
    },
    **{
        f"tokenizer.json: {what}": Attack(_content("tokenizer.json", make), open_tokenizer_json)
        for what, make in JSON_CONTENT.items()
    },
    **{
        f"run.json: {what}": Attack(
            lambda folder, make=make: (write_run(folder) / "run.json").write_bytes(
                c.encode() if isinstance(c := make(), str) else c
            ),
            open_run,
        )
        for what, make in JSON_CONTENT.items()
    },
    **{
        f"training.json: {what}": Attack(_content("training.json", make), open_progress)
        for what, make in JSON_CONTENT.items()
    },
    **{
        f"--config: {what}": Attack(_content("config.json", make), opentraining_config)
        for what, make in JSON_CONTENT.items()
    },
    **{
        f"safetensors: {what}": Attack(_content("model.safetensors", make), open_weights)
        for what, make in WEIGHTS.items()
    },
    **{
        f"adapter_config.json: {what}": Attack(
            _adapter_with("adapter_config.json", make), open_adapter
        )
        for what, make in JSON_CONTENT.items()
    },
    **{f"adapter: {what}": Attack(write, open_adapter) for what, write in ADAPTERS.items()},
    **{
        f"index.json: {what}": Attack(_content("index.json", make), open_shards)
        for what, make in JSON_CONTENT.items()
    },
    **{
        f"model.safetensors.index.json: {what}": Attack(
            _content("model.safetensors.index.json", make), open_foreign_shards
        )
        for what, make in JSON_CONTENT.items()
    },
    **{f"GGUF: {what}": Attack(write, open_gguf_tokenizer) for what, write in GGUF.items()},
    **{
        f"library: {what}": Attack(_write_document(make), open_tokenizer_json, what not in MAY_OPEN)
        for what, make in LIBRARY.items()
    },
    **{
        f"pieces: {what}": Attack(_content(name, make), _open_file(name))
        for what, (name, make) in PIECES.items()
    },
    **{
        f"{name} is {what}": Attack(_run_with(name, harm), open_run, name == "run.json")
        for name in RUN_FILES
        for what, harm in NO_FILES.items()
    },
    **{
        f"log, {what}": Attack(_content(name, make), lambda f, name=name: open_log(f / name))
        for what, (name, make) in LOGS.items()
    },
    **{
        f"template: {what}": Attack(
            _content("chat_template.jinja", lambda text=text: text),
            lambda folder: open_template(folder / "chat_template.jinja"),
        )
        for what, text in TEMPLATES.items()
    },
    "events: as many lines as are read": Attack(
        _run_with("rank0.jsonl", many_lines), open_run, False
    ),
    "commands: as many lines as are read": Attack(
        _run_with("control.jsonl", many_lines), open_run, False
    ),
    "records: as many as are read": Attack(_run_with("rank0.steps", many_records), open_run, False),
    **{
        f"{name} is {what}": Attack(_just(name, harm), opener)
        for name, opener in (
            ("config.json", open_config),
            ("model.safetensors", open_weights),
            ("index.json", open_shards),
            ("model.gguf", open_gguf_tokenizer),
            ("tokenizer.json", open_tokenizer_json),
            ("training.json", open_progress),
            ("text.txt", open_text),
        )
        for what, harm in NO_FILES.items()
    },
}
