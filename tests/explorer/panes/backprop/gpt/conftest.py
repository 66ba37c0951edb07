"""A small GPT whose gradients are explained, and a pane that shows them."""

from __future__ import annotations

from types import SimpleNamespace
from typing import Any

import pytest

from core.data import story_text
from core.jobs import to_the_end
from core.tokenization import train_tokenizer

TEXT = "The cat sat. The cat ran."


def small_config(**changes: Any) -> Any:
    from core.transformer import ModelConfig

    given = {"vocab_size": 300, "block_size": 16, "n_layer": 2, "n_head": 2, "n_embd": 8}
    return ModelConfig(**{**given, **changes})


def small_model(**changes: Any) -> Any:
    import torch

    from core.transformer.gpt import GPT

    made = GPT(small_config(**changes), torch.Generator().manual_seed(0))
    with torch.no_grad():
        for parameter in made.parameters():
            parameter.mul_(4.0)  # or the gradients of a fresh model would be next to nothing
    return made


@pytest.fixture(scope="session")
def tokenizer() -> Any:
    return train_tokenizer("bpe", [story_text(1, 8000)], vocab_size=300)


@pytest.fixture(scope="session")
def worked(tokenizer) -> Any:
    from explorer.panes.backprop.gpt.compute import work_out_steps
    from explorer.panes.backprop.gpt.example import read_example

    model = small_model()
    example = read_example(tokenizer, TEXT, model.config.block_size)
    return to_the_end(work_out_steps(model, example, "small", None))


class Source:
    """A model that lies in memory, asked as a folder's is."""

    is_live = False
    address = "small"
    version = 0
    name = "small"

    def __init__(self, engine: Any, model: Any, tokenizer: Any) -> None:
        self._engine, self._model = engine, model
        self.tokenizer, self.config = tokenizer, model.config
        self.changed = SimpleNamespace(connect=lambda _: None, disconnect=lambda _: None)

    def model_steps(self, job: Any, *args: Any) -> Any:
        return job(self._model, *args)

    def close(self) -> None:
        pass


@pytest.fixture
def make_mode(context, tokenizer, worked, make_pane, monkeypatch) -> Any:
    """`make_mode(model)`: the mode in its pane, with the text explained (and torch imported).

    Formulas are not set ahead: that all can be set is a test of its own.
    """
    from explorer.panes.backprop.gpt import mode

    monkeypatch.setattr(mode, "prepare_formulas", lambda *_: None)

    def make(model: Any = None, text: str = TEXT) -> Any:
        source = Source(context.engine, model or small_model(), tokenizer)
        context.workspace.set_model_source(source)
        context.workspace.set_prompt(text)
        return make_pane("gpt")

    return make
