"""What jobs of core work on: texts, models, files, and a server that has some."""

from __future__ import annotations

import hashlib
import os
from collections.abc import Iterator
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any
from unittest import mock

import numpy as np
import torch

from core.autograd.datasets import dataset
from core.autograd.mlp import MLPConfig
from core.autograd.tensor import Tensor
from core.data import story_text
from core.download import download_steps
from core.finetuning.example_files import read_examples_steps
from core.finetuning.loading import load, write_tuned
from core.finetuning.methods import prepare
from core.finetuning.settings import FinetuningSettings
from core.finetuning.task import Finetuning
from core.inference.hub import get_model_steps
from core.inference.loading import LoadedModel
from core.inference.usage import Usage
from core.optimization.learner import Learner, LearnerSettings
from core.tensor_files import write_tensors
from core.tokenization import CharacterTokenizer
from core.tokenization.formats.library import LibraryTokenizer
from core.tokenization.getting import get_steps, take_member_steps
from core.training.config import TrainingConfig
from core.training.language_modelling import LanguageModelling
from core.training.loop import train_steps
from core.training.sequence_to_sequence import SequenceToSequence
from core.transformer.architectures import gpt_of
from core.transformer.config import ModelConfig
from core.transformer.foreign.writing import write_foreign
from core.transformer.gpt import GPT
from core.transformer.weights import save_model
from tests.core.finetuning.small import small_tuning
from tests.core.inference.hub_server import NAME, serving_hub
from tests.core.inference.test_loading import llama
from tests.core.test_download import CONTENT, serving
from tests.core.tokenization.test_known import known_file, wheel
from tests.core.training.small import small_config

TEXT = story_text(0, 3000)


@dataclass
class Place:
    """What a job may be given: a folder, and a model of which a part is in eval mode."""

    folder: Path
    model: GPT

    def file(self) -> Path:
        path = self.folder / "text.txt"
        path.write_text(TEXT)
        return path

    def task(self) -> LanguageModelling:
        """Ready to look at `model`."""
        letters = sorted(set((self.folder / "little.txt").read_text()))
        config = small_config(self.folder).change({"model": self.model.config.to_json()})
        assert len(letters) == self.model.config.vocab_size
        task = LanguageModelling(config, self.folder / "cache")
        assert list(task.prepare_steps(None))
        return task


def chatty(place: Place) -> LoadedModel:
    """The place's model, as one that chats: it reads the characters a, b, c ..."""
    letters = [chr(ord("a") + at) for at in range(place.model.config.vocab_size)]
    usage = Usage(chat_template="{{ messages[0].content }}")
    return LoadedModel(
        place.model, CharacterTokenizer(letters), place.model.config, "chatty", usage
    )


PAIRS = TrainingConfig(
    model=ModelConfig(vocab_size=1, block_size=64, n_layer=1, n_head=2, n_embd=16, dropout=0.2),
    task="sequence-to-sequence",
    corpus="dates",
    tokenizer="characters",
    batch_size=2,
)


def pairs(place: Place) -> SequenceToSequence:
    """A task whose encoder-decoder is the place's model, of which a part is in eval mode."""
    task = SequenceToSequence(PAIRS)
    assert list(task.prepare_steps(None))
    model = task.build_model(torch.Generator().manual_seed(0))
    model.encoder.eval()
    place.model = model  # type: ignore[assignment]
    return task


def tuning(place: Place) -> Finetuning:
    """A task that fine-tunes the place's model."""
    base = place.folder / "base"
    save_model(base, place.model)
    text = place.folder / "little.txt"
    CharacterTokenizer(sorted(set(text.read_text()))).save(base / "tokenizer.json")
    data = {"data": str(text), "base_data": str(text)}
    return Finetuning(small_tuning(base, settings=data), place.folder / "cache")


def tuned(place: Place) -> Finetuning:
    """One that is ready; its model, of which a part is in eval mode, is the place's now."""
    task = tuning(place)
    assert list(task.prepare_steps(None))
    place.model = task.build_model(torch.Generator().manual_seed(0))
    place.model.blocks[0].train()
    return task


def wide(place: Place) -> GPT:
    """A model whose matrices can be quantized, of which a part is in eval mode."""
    config = replace(place.model.config, n_embd=64)
    place.model = GPT(config, torch.Generator().manual_seed(0))
    place.model.blocks[1].eval()
    return place.model


def put_tuned(place: Place, method: str = "lora") -> Path:
    """A folder with what was learned, on a model of transformers."""
    settings = FinetuningSettings(base=str(put_foreign(place)), method=method)
    folder = place.folder / "tuned"
    model = load(settings.base).model
    tuning = prepare(model, settings, torch.Generator().manual_seed(0))
    folder.mkdir()
    write_tensors(folder / "model.safetensors", tuning.state())
    write_tuned(folder, gpt_of(model).config, settings)
    return folder


def put_tuned_text(place: Place) -> Path:
    """A folder with what was learned from a text, on the place's model."""
    task, folder = tuned(place), place.folder / "learned"
    folder.mkdir()
    write_tensors(folder / "model.safetensors", task.tuning.state())
    write_tuned(folder, gpt_of(place.model).config, task.settings)
    return folder


def examples(place: Place) -> Iterator[Any]:
    path = place.folder / "examples.jsonl"
    path.write_text('{"prompt": "a b", "answer": "c"}\n' * 50)
    letters = CharacterTokenizer(sorted(set("abc \n")))
    lm = replace(chatty(place), tokenizer=letters, usage=Usage())
    return read_examples_steps(lm, FinetuningSettings(data=str(path)), 16)


IDS = np.arange(8)[None]


def certain(place: Place) -> GPT:
    """A model without dropout, of which a part is in eval mode."""
    place.model = GPT(replace(place.model.config, dropout=0.0), torch.Generator().manual_seed(0))
    place.model.blocks[1].eval()
    return place.model


def product(count: int) -> Tensor:
    """Of so many matrices: going back through it takes a while."""
    made = Tensor(np.eye(300))
    for _ in range(count):
        made = made @ Tensor(np.eye(300))
    return made.sum()


class Seen(LanguageModelling):
    """Hands out the model that the loop trains."""

    def __init__(self, place: Place) -> None:
        super().__init__(
            small_config(place.folder).change({"precision": "bf16"}), place.folder / "cache"
        )
        self.place = place

    def build_model(self, generator: torch.Generator) -> GPT:
        self.place.model = super().build_model(generator)
        return self.place.model


def training(place: Place) -> Iterator[Any]:
    task = Seen(place)
    return train_steps(task.config, place.folder / "run", task=task)


BYTES = [bytes([byte]) for byte in range(256)]


def downloading(place: Place) -> Iterator[Any]:
    with serving() as server:
        yield from download_steps(server.address, place.folder / "file")


def getting(place: Place) -> Iterator[Any]:
    table = "core.tokenization.known.known_tokenizers"
    with serving() as server:
        one = known_file("big", server.address, CONTENT)
        with mock.patch(table, lambda: {"big": one}):
            yield from get_steps("big")


def from_hub(place: Place) -> Iterator[Any]:
    folder = put_foreign(place)  # now: it draws random numbers
    data = {"LLM_EXPLORER_DATA": str(place.folder / "data")}

    def steps() -> Iterator[Any]:
        with serving_hub(folder), mock.patch.dict(os.environ, data):
            yield from get_model_steps(NAME)

    return steps()


def put_foreign(place: Place) -> Path:
    """A Llama as transformers keeps it."""
    write_foreign(llama(), place.folder / "model")
    return place.folder / "model"


def taking(place: Place) -> Iterator[Any]:
    content = CONTENT * 3
    package = place.folder / "package"
    package.write_bytes(wheel("a/file", content))
    sha256 = hashlib.sha256(content).hexdigest()
    return take_member_steps(package, "a/file", place.folder / "taken", sha256, len(content))


def table(place: Place) -> Path:
    """A checkpoint's folder with embeddings of half precision."""
    path = place.folder / "model.safetensors"
    write_tensors(path, {"wte.weight": EMBEDDINGS.astype(np.float16)})
    return place.folder


def large() -> CharacterTokenizer:
    return CharacterTokenizer(
        [chr(0x10000 + number) for number in range(50_000)], {"\U00010000": 0}
    )


def playing() -> Learner:
    points = dataset("moons", 40, 0.1, np.random.default_rng(0))
    return Learner.start(MLPConfig((2, 4, 1)), points, points, LearnerSettings(batch_size=8))


RANKS = {letter * times: 256 * times - 256 + letter[0] for letter in BYTES for times in (1, 2, 3)}
EMBEDDINGS = np.ones((50_000, 2), np.float32)
WORDS = LibraryTokenizer(
    {"model": {"type": "WordLevel", "vocab": {"a": 0, "b": 1}, "unk_token": "a"}}, "words"
)
