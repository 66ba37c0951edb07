"""core.export: writes a model and its tokenizer as a folder that transformers loads."""

from __future__ import annotations

import os
import secrets
import shutil
from pathlib import Path

from core.files import write_json, writing
from core.inference.loading import TOKENIZER_FILE, LoadedModel
from core.inference.usage import TOKENIZER_CONFIG
from core.tokenization.ids import IdTokenizer
from core.transformer.architectures import gpt_of
from core.transformer.config import EncoderDecoderConfig
from core.transformer.foreign.writing import write_foreign


def export(loaded: LoadedModel, folder: str | Path) -> Path:
    """Writes config.json, model.safetensors and the tokenizer's files into a new folder, all or
    none; `AutoModelForCausalLM.from_pretrained(folder)` computes the same. Returns the folder.

    A model like GPT-2 becomes a GPT2LMHeadModel, one like Llama a LlamaForCausalLM, or Qwen's.
    Raises ValueError for any other model and for a folder that is not empty, and OSError if the
    disk is full or access is denied.
    """
    folder = Path(folder)
    if isinstance(loaded.config, EncoderDecoderConfig):
        raise ValueError(
            f"{loaded.name} is an encoder-decoder: only a model that continues a text can be "
            "exported; copy the folder of its checkpoint, which core.load opens"
        )
    if folder.exists() and (not folder.is_dir() or any(folder.iterdir())):
        raise ValueError(f"{folder} holds something already: choose a new folder")
    model = gpt_of(loaded.model)
    ends, template, names = loaded.usage
    end = ends[0] if ends else None
    beside = folder.with_name(f".{folder.name}.{os.getpid()}-{secrets.token_hex(4)}.part")
    try:
        with writing(folder):
            beside.mkdir(parents=True)
        write_foreign(model, beside, {"bos_token_id": end, "eos_token_id": list(ends) or None})
        if not isinstance(loaded.tokenizer, IdTokenizer):
            loaded.tokenizer.save(beside / TOKENIZER_FILE)
            about = {
                "tokenizer_class": "PreTrainedTokenizerFast",
                "model_max_length": model.config.block_size,
                "clean_up_tokenization_spaces": False,
                "eos_token": None if end is None else loaded.tokenizer.vocabulary[end],
                "chat_template": template,
                **dict(names),
            }
            write_json(beside / TOKENIZER_CONFIG, about)
        with writing(folder):
            if folder.exists():
                folder.rmdir()  # it is empty
            beside.rename(folder)
    finally:
        shutil.rmtree(beside, ignore_errors=True)
    return folder
