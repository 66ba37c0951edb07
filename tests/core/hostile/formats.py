"""A small sound file of every format that the program opens, and how it opens it."""

from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any

from tests.core.gguf_files import gguf
from tests.core.hostile.attacks import TEXT as OPENED_WITH
from tests.core.hostile.attacks import library_document, open_progress, use_tokenizer, write_run
from tests.core.tokenization.formats import making
from tests.core.tokenization.formats.test_hostile import model_file
from tests.core.tokenization.reference import prose

TEXT = prose(0, 800)


@dataclass(frozen=True)
class Format:
    """write  puts sound files into an empty folder; open  reads them as the program does"""

    write: Callable[[Path], object]
    open: Callable[[Path], object]


# -- tokenizers -----------------------------------------------------------------------------------


@cache
def _trained(kind: str, size: int | None) -> Any:
    from core.tokenization import train_tokenizer

    return train_tokenizer(kind, TEXT + OPENED_WITH, size)


def _tokenizer(name: str, write: Callable[[Path], object]) -> Format:
    """`write` takes the path of the file of that name."""
    return Format(lambda folder: write(folder / name), lambda folder: use_tokenizer(folder / name))


def _put(path: Path, content: bytes | str | dict) -> None:
    making.put(path.parent, content, path.name)


def _full_document() -> dict[str, Any]:
    """With a stage of every kind that the library has."""
    replace = {"type": "Replace", "pattern": {"Regex": " {2,}"}, "content": " "}
    normalizers = [
        {"type": "NFKD"}, {"type": "Lowercase"}, {"type": "StripAccents"}, replace,
        {"type": "Strip", "strip_left": True, "strip_right": True}, {"type": "Nmt"},
        {"type": "Prepend", "prepend": "▁"},
        {"type": "BertNormalizer", "clean_text": True, "handle_chinese_chars": True,
         "strip_accents": None, "lowercase": False},
    ]  # fmt: skip
    pre_tokenizers = [
        {"type": "WhitespaceSplit"}, {"type": "Punctuation", "behavior": "Isolated"},
        {"type": "Digits", "individual_digits": True}, {"type": "UnicodeScripts"},
        {"type": "Metaspace", "replacement": "▁", "prepend_scheme": "first", "split": True},
        {"type": "Split", "pattern": {"Regex": r"\w+|\s+"}, "behavior": "Isolated",
         "invert": False},
    ]  # fmt: skip
    template = {
        "type": "TemplateProcessing",
        "single": [{"SpecialToken": {"id": "<unk>", "type_id": 0}},
                   {"Sequence": {"id": "A", "type_id": 0}}],
        "pair": [{"Sequence": {"id": "A", "type_id": 0}}, {"Sequence": {"id": "B", "type_id": 1}}],
        "special_tokens": {"<unk>": {"id": "<unk>", "ids": [0], "tokens": ["<unk>"]}},
    }  # fmt: skip
    decoders = [
        {"type": "WordPiece", "prefix": "##", "cleanup": True}, {"type": "ByteFallback"},
        {"type": "Metaspace", "replacement": "▁", "prepend_scheme": "always", "split": True},
        {"type": "Strip", "content": " ", "start": 1, "stop": 0}, {"type": "Fuse"},
        {"type": "Replace", "pattern": {"String": "▁"}, "content": " "},
    ]  # fmt: skip
    padding = {
        "strategy": {"Fixed": 8}, "direction": "Right", "pad_to_multiple_of": None, "pad_id": 0,
        "pad_type_id": 0, "pad_token": "<unk>",
    }  # fmt: skip
    truncation = {
        "direction": "Right", "max_length": 8, "strategy": "LongestFirst", "stride": 0
    }  # fmt: skip
    return library_document(
        normalizer={"type": "Sequence", "normalizers": normalizers},
        pre_tokenizer={"type": "Sequence", "pretokenizers": pre_tokenizers},
        post_processor={"type": "Sequence", "processors": [template]},
        decoder={"type": "Sequence", "decoders": decoders},
        padding=padding,
        truncation=truncation,
    )


def _library_unigram() -> dict[str, Any]:
    pieces = [["<unk>", 0.0], *([letter, -float(n)] for n, letter in enumerate("▁helowrd", 1))]
    return library_document(model={"type": "Unigram", "unk_id": 0, "vocab": pieces})


def _library_bpe() -> dict[str, Any]:
    model = {
        "type": "BPE", "dropout": None, "unk_token": "<unk>", "continuing_subword_prefix": "",
        "end_of_word_suffix": "</w>", "fuse_unk": True, "byte_fallback": False,
        "ignore_merges": True, "merges": [["l", "o"], ["lo", "w</w>"]],
        "vocab": {"<unk>": 0, "l": 1, "o": 2, "lo": 3, "w</w>": 4, "low</w>": 5},
    }  # fmt: skip
    return library_document(model=model)


def _write_pair(folder: Path) -> None:
    ours = making.trained()
    making.put(folder, {p: i for i, p in enumerate(ours.vocabulary)}, "vocab.json")
    making.put(folder, "\n".join(" ".join(pair) for pair in ours.merges), "merges.txt")


def _write_gguf(model: str, kind: str, size: int) -> Callable[[Path], object]:
    def write(path: Path) -> None:
        metadata = model_file(model, _trained(kind, size))
        metadata.pop("tokenizer.ggml.precompiled_charsmap", None)
        _put(path, gguf(metadata))

    return write


# -- models and tensors ---------------------------------------------------------------------------


def _write_tensors(folder: Path) -> None:
    import numpy as np

    from core.tensor_files import write_tensors

    tensors = {"a": np.arange(6, dtype=np.float32).reshape(2, 3), "b": np.zeros(4, np.uint8)}
    write_tensors(folder / "x.safetensors", tensors, {"format": "pt"})


def _open_tensors(folder: Path) -> None:
    from core.tensor_files import read_tensors

    read_tensors(folder / "x.safetensors")


def _write_shards(folder: Path) -> None:
    import numpy as np

    from core.tensor_files import write_tensors
    from core.tensor_shards import shard_file, write_index

    rows = np.arange(6, dtype=np.float32).reshape(2, 3)
    for shard in (0, 1):
        own = {"a": rows[shard : shard + 1], **({} if shard else {"b": np.zeros(4, np.uint8)})}
        write_tensors(shard_file(folder / "x.safetensors", shard, 2), own)
    write_index(folder, ["x.safetensors"], 2)


def _open_shards(folder: Path) -> None:
    from core.tensor_shards import open_tensors

    open_tensors(folder / "x.safetensors").read(framework="numpy")


def _write_gguf_table(folder: Path) -> None:
    import numpy as np

    table = np.arange(64, dtype="<f4").reshape(2, 32)
    quantized = bytes(range(34)) * 2
    tensors = {
        "token_embd.weight": (0, (2, 32), table.tobytes()),
        "w": (8, (2, 32), quantized),
    }
    metadata = {"general.alignment": 32, "names": ["a", "b"], "numbers": [1, 2]}
    _put(folder / "x.gguf", gguf(metadata, tensors))


def _open_gguf_table(folder: Path) -> None:
    from core.gguf import open_gguf, read_gguf_tensor
    from core.tokenization.analysis.embeddings import read_embeddings

    read_embeddings(folder / "x.gguf")
    file = open_gguf(folder / "x.gguf")
    for name in file.tensors:
        read_gguf_tensor(file, name)


def _write_model(folder: Path) -> None:
    import torch

    from core.transformer.config import ModelConfig
    from core.transformer.gpt import GPT
    from core.transformer.weights import save_model

    tokenizer = _trained("characters", None)
    tokenizer.save(folder / "tokenizer.json")
    config = ModelConfig(
        vocab_size=tokenizer.vocab_size, block_size=8, n_layer=1, n_head=2, n_embd=8
    )
    save_model(folder, GPT(config, torch.Generator().manual_seed(0)))


def _open_model(folder: Path) -> None:
    from core.inference.activations import capture
    from core.inference.loading import load

    capture(load(folder).model, [0, 1, 2])


def _write_pair_model(folder: Path) -> None:
    import torch

    from core.transformer.config import EncoderDecoderConfig, ModelConfig
    from core.transformer.encoder_decoder import EncoderDecoder
    from core.transformer.weights import save_model

    tokenizer = _trained("characters", None)
    tokenizer.save(folder / "tokenizer.json")
    stack = ModelConfig(
        vocab_size=tokenizer.vocab_size, block_size=8, n_layer=1, n_head=2, n_embd=8
    )
    config = EncoderDecoderConfig(encoder=stack, decoder=stack)
    save_model(folder, EncoderDecoder(config, torch.Generator().manual_seed(0)))


def _open_pair_model(folder: Path) -> None:
    from core.inference.loading import load
    from core.inference.translation import translate

    translate(load(folder).model, [0, 1, 2], 3)


def _write_tuned(folder: Path) -> None:
    """What LoRA has learned, and beside it the base."""
    import torch

    from core.finetuning.loading import write_tuned
    from core.finetuning.lora_config import LoRAConfig
    from core.finetuning.methods import prepare
    from core.finetuning.settings import FinetuningSettings
    from core.tensor_files import write_tensors
    from core.transformer.weights import load_model

    (folder / "base").mkdir()
    _write_model(folder / "base")
    settings = FinetuningSettings(base="base", lora=LoRAConfig(r=2))
    model = load_model(folder / "base")
    tuning = prepare(model, settings, torch.Generator().manual_seed(0))
    write_tensors(folder / "model.safetensors", tuning.state())
    write_tuned(folder, model.config, settings)


def _open_tuned(folder: Path) -> None:
    import core
    from core.inference.activations import capture

    capture(core.load(folder).model, [0, 1, 2])


def _write_examples(folder: Path) -> None:
    lines = [
        {"prompt": "Who is it about?", "answer": "Mira"},
        {"messages": [{"role": "user", "content": "a"}, {"role": "assistant", "content": "b"}]},
        {"text": "What a day!"},
    ]
    _put(folder / "x.jsonl", "".join(json.dumps(line) + "\n" for line in lines))


def _open_examples(folder: Path) -> None:
    from core.finetuning.example_files import read_examples_steps
    from core.finetuning.settings import FinetuningSettings
    from core.inference.loading import LoadedModel
    from core.inference.usage import Usage
    from core.tokenization import RankedBPE

    tokenizer = RankedBPE({bytes([byte]): byte for byte in range(256)})
    usage = Usage(chat_template="{% for one in messages %}{{ one.content }}\n{% endfor %}")
    lm = LoadedModel(None, tokenizer, None, "x", usage)  # type: ignore[arg-type]
    settings = FinetuningSettings(data=str(folder / "x.jsonl"))
    for _ in read_examples_steps(lm, settings, 256):
        pass


def _write_foreign(folder: Path) -> None:
    """A Llama as transformers keeps it, in two files."""
    import torch

    from core.transformer.foreign.writing import write_foreign
    from core.transformer.gpt import GPT
    from tests.core.transformer.foreign.test_broken_folders import AS_LLAMA, cut_in_shards

    write_foreign(GPT(AS_LLAMA, torch.Generator().manual_seed(0)), folder)
    cut_in_shards(folder)


def _write_gguf_model(folder: Path) -> None:
    from tests.core.transformer.foreign.test_gguf_models import tiny, tiny_tensors

    unstretched = b"\0\0\x80\x3f" * 2  # 1.0 and 1.0
    more = {"rope_freqs.weight": (0, (2,), unstretched)}
    _put(folder / "x.gguf", gguf(tiny(**{"llama.rope.freq_base": 1e4}), tiny_tensors() | more))


def _open_gguf_model(folder: Path) -> None:
    from core.inference.activations import capture
    from core.inference.loading import load

    capture(load(folder / "x.gguf").model, [0, 1, 2])


def _adapted() -> Any:
    import torch

    from core.transformer.config import ModelConfig
    from core.transformer.gpt import GPT

    config = ModelConfig(
        vocab_size=20, block_size=8, n_layer=2, n_head=2, n_embd=8, tie_weights=False
    )
    return GPT(config, torch.Generator().manual_seed(0))


def _write_adapter(folder: Path) -> None:
    """With an entry and a tensor of every kind that peft writes."""
    from core.finetuning.adapter import add_lora
    from core.finetuning.lora import LoRAConfig
    from core.tensor_files import read_tensors, write_tensors

    model = _adapted()
    table = model.wte.weight.detach().numpy().copy()
    config = LoRAConfig(r=2, target_modules=("c_attn", "c_proj", "wte"), dora=True)
    add_lora(model, config).save(folder, base="somebody/small")
    tensors = read_tensors(folder / "adapter_model.safetensors")
    tensors["base_model.model.transformer.wte.base_layer.weight"] = table
    write_tensors(folder / "adapter_model.safetensors", tensors)
    path = folder / "adapter_config.json"
    about = json.loads(path.read_text())
    more = {"rank_pattern": {"h.0.mlp.c_proj": 2}, "alpha_pattern": {"^x$": 2.5}, "bias": "none"}
    _put(path, {**about, **more, "init_lora_weights": True, "modules_to_save": None})


def _open_adapter(folder: Path) -> None:
    from core.finetuning.peft_reader import load_adapter

    model = _adapted()
    adapter = load_adapter(model, folder)
    adapter.merge()
    adapter.remove()


# -- runs, settings, texts ------------------------------------------------------------------------


def _write_checkpoint(folder: Path) -> None:
    from core import fields
    from core.training.checkpoints import Progress

    progress = fields.to_json(Progress(step=3, seed=1, tokens=9, scaler={"scale": 2.0}))
    del progress["optimizer"]
    _put(folder / "training.json", {"format": 1, **progress})


def _show_run(path: Path) -> Any:
    """As the pane does, which then makes lines of the records."""
    from core.training.foreign import open_run
    from explorer.runs.run_data import read
    from explorer.shell.follow import see

    reader = open_run(path)
    reader.refresh()
    read(reader).prepare()
    see(reader, 0)
    return reader


def _open_run(folder: Path) -> None:
    from core.training.control import ControlLog

    reader = _show_run(folder)
    ControlLog(folder).refresh()
    for probe in reader.probes:
        probe.load()


def _write_events(folder: Path) -> None:
    from tests.core.training.foreign.event_files import event, scalar, tensor, write_events

    events = [event(step, scalar("train/loss", 3.0 / step)) for step in range(1, 6)]
    events += [event(5, tensor("lr", 0.5)), event(5, tensor("eval/loss", 2.5))]
    write_events(folder / "events.out.tfevents.1.host", *events)


def _write_trainer_state(folder: Path) -> None:
    history = [{"step": step, "loss": 3.0 / step, "grad_norm": 1.5} for step in (1, 2, 3)]
    history += [{"step": 3, "eval_loss": 2.0, "epoch": 0.5}]
    _put(folder / "trainer_state.json", {"log_history": history, "max_steps": 9})


def _write_metrics(folder: Path) -> None:
    rows = [f"{step},{step / 10},{3.0 / step},,0.1" for step in (1, 2, 3)]
    text = "\n".join(["step,epoch,train_loss,val_loss,lr", *rows, '3,"0.3",,2.0,', ""])
    _put(folder / "metrics.csv", text)


def _write_history(folder: Path) -> None:
    rows = [{"_step": s, "train": {"loss": 3.0 / s}, "_timestamp": 5.5} for s in (1, 2, 3)]
    rows += [{"_step": 3, "val/loss": 2.0, "note": "a"}]
    _put(folder / "history.jsonl", "".join(json.dumps(row) + "\n" for row in rows))


def _write_config(folder: Path) -> None:
    from tests.core.hostile.attacks import training_config

    _put(folder / "config.json", training_config().to_json())


def _open_config(folder: Path) -> None:
    from core.files import read_json
    from core.training.config import TrainingConfig

    TrainingConfig.from_json(read_json(folder / "config.json"))


def _write_settings(folder: Path) -> None:
    from explorer.state import settings

    given = settings.Settings(recent=["a", "b"], runs=["c"])
    settings.save(given, folder)
    paths = {
        "pane": "training", "prompt": "Once", "run": None, "model": "stories",
        "selection": {"layer": 1, "head": 2, "token": None, "step": 5},
        "backprop.optimizers": {"steps": 60}, "attention.scene": {"locked": [1, 2]},
    }  # fmt: skip
    settings.write_object(*settings.session_file({"paths": paths, "geometry": "AAAA"}, folder))


def _open_settings(folder: Path) -> None:
    from core.fields import lenient
    from explorer.shell.old_sessions import renewed
    from explorer.state import settings
    from explorer.state.workspace import Selection

    settings.save(settings.load(folder), folder)
    session = renewed(settings.load_session(folder))
    lenient(Selection, session["paths"].get("selection"))
    settings.write_object(*settings.session_file(session, folder))


def _open_text(folder: Path) -> None:
    from core.data import character_tokenizer, open_corpus
    from explorer.panes.tokenizers.dropped_files import look_at_files

    look_at_files([str(folder / "text.txt")])
    path = folder / "text.txt"
    open_corpus(path, character_tokenizer(path), folder / "cache")


FORMATS: dict[str, Format] = {
    **{
        f"tokenizer.json, {kind}": _tokenizer(
            "tokenizer.json", lambda path, kind=kind, size=size: _trained(kind, size).save(path)
        )
        for kind, size in (
            *(("bpe", 280), ("wordpiece", 150), ("sentencepiece-bpe", 90), ("unigram", 90)),
            ("characters", None),
        )
    },
    **{
        f"tokenizer.json, {name}": _tokenizer(
            "tokenizer.json", lambda path, make=make: _put(path, make())
        )
        for name, make in (
            ("every stage", _full_document),
            ("a Unigram of the library", _library_unigram),
            ("a BPE of the library", _library_bpe),
        )
    },
    "vocab.json, merges.txt": Format(_write_pair, lambda f: use_tokenizer(f / "vocab.json")),
    "tiktoken": _tokenizer(
        "x.tiktoken", lambda path: _put(path, making.tiktoken_file(making.ranks()))
    ),
    "tekken.json": _tokenizer("tekken.json", lambda path: _put(path, making.tekken_file())),
    "vocab.txt": _tokenizer("vocab.txt", lambda path: _put(path, "\n".join(making.WORDS) + "\n")),
    "SentencePiece BPE": _tokenizer("x.model", lambda p: _trained("sentencepiece-bpe", 90).save(p)),
    "SentencePiece Unigram": _tokenizer("x.model", lambda p: _trained("unigram", 90).save(p)),
    "GGUF, BPE": _tokenizer("x.gguf", _write_gguf("gpt2", "bpe", 280)),
    "GGUF, WordPiece": _tokenizer("x.gguf", _write_gguf("bert", "wordpiece", 150)),
    "GGUF, SentencePiece": _tokenizer("x.gguf", _write_gguf("llama", "sentencepiece-bpe", 90)),
    "GGUF, Unigram": _tokenizer("x.gguf", _write_gguf("t5", "unigram", 90)),
    "GGUF, tensors": Format(_write_gguf_table, _open_gguf_table),
    "safetensors": Format(_write_tensors, _open_tensors),
    "shards": Format(_write_shards, _open_shards),
    "model": Format(_write_model, _open_model),
    "encoder-decoder": Format(_write_pair_model, _open_pair_model),
    "fine-tuned model": Format(_write_tuned, _open_tuned),
    "examples, JSON lines": Format(_write_examples, _open_examples),
    "model of transformers": Format(_write_foreign, _open_model),
    "GGUF, model": Format(_write_gguf_model, _open_gguf_model),
    "adapter": Format(_write_adapter, _open_adapter),
    "run": Format(lambda folder: write_run(folder), _open_run),
    "TensorBoard events": Format(_write_events, _show_run),
    "trainer_state.json": Format(_write_trainer_state, _show_run),
    "metrics.csv": Format(_write_metrics, _show_run),
    "history.jsonl": Format(_write_history, lambda folder: _show_run(folder / "history.jsonl")),
    "training.json": Format(_write_checkpoint, open_progress),
    "--config": Format(_write_config, _open_config),
    "settings and session": Format(_write_settings, _open_settings),
    "text": Format(lambda folder: _put(folder / "text.txt", TEXT), _open_text),
}


def as_json(content: bytes) -> Any:
    """What a file holds where it is JSON, else None."""
    try:
        return json.loads(content)
    except ValueError:
        return None
