"""An encoder-decoder's folder: what was saved is what opens."""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path

import pytest
import torch

import core
from core.inference.translation import translate
from core.transformer import EncoderDecoderConfig, ModelConfig
from core.transformer.config import config_from_json
from core.transformer.encoder_decoder import EncoderDecoder
from core.transformer.weights import load_config, load_model, save_model
from tests.core.transformer.test_encoder_decoder import SHAPE, SOURCE, TARGET

STACK = ModelConfig(**SHAPE)
CONFIGS = {
    "2017": EncoderDecoderConfig(encoder=STACK, decoder=STACK),
    "apart": EncoderDecoderConfig(
        encoder=replace(STACK, vocab_size=13),
        decoder=replace(STACK, n_layer=3, tie_weights=False),
        share_embeddings=False,
    ),
    "half": EncoderDecoderConfig(encoder=STACK, decoder=replace(STACK, tie_weights=False)),
}


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    save_model(tmp_path / "model", EncoderDecoder(CONFIGS["2017"]))
    return tmp_path / "model"


@pytest.mark.parametrize("config", CONFIGS.values(), ids=CONFIGS)
def test_what_was_saved_is_what_opens(tmp_path: Path, config: EncoderDecoderConfig) -> None:
    original = EncoderDecoder(config, torch.Generator().manual_seed(0)).eval()
    save_model(tmp_path / "model", original)
    opened = load_model(tmp_path / "model")
    assert isinstance(opened, EncoderDecoder) and opened.config == config and not opened.training
    with torch.no_grad():
        assert torch.equal(opened(SOURCE, TARGET), original(SOURCE, TARGET))
    saved, found = (dict(model.named_parameters()) for model in (original, opened))
    assert list(saved) == list(found)  # what is shared is one parameter in both


def test_config_json_says_which_architecture_it_is(folder: Path) -> None:
    values = json.loads((folder / "config.json").read_text())
    assert (values["architecture"], values["format"]) == ("encoder-decoder", 1)
    assert load_config(folder) == config_from_json(values) == CONFIGS["2017"]
    assert config_from_json(STACK.to_json()) == STACK


@pytest.mark.parametrize(
    ("changes", "said"),
    [
        ({"architecture": "recurrent"}, "opens 'gpt' and 'encoder-decoder'"),
        ({"format": 2}, "update LLM Explorer"),
        ({"encoder": 3}, "encoder"),
        ({"decoder": {**STACK.to_json(), "n_layer": 10_000}}, "asks for .* layers"),
        ({"decoder": {**STACK.to_json(), "n_layer": 3}}, r"missing 'decoder\.h\.2"),
        ({"decoder": {**STACK.to_json(), "n_inner": 3}}, r"decoder\.h\.0\.mlp.*asks for"),
        ({"share_embeddings": False}, r"missing 'decoder\.wte\.weight'"),
        ({"heads": 3}, "unknown field 'heads'"),
    ],
    ids=str,
)
def test_what_does_not_fit_is_refused(folder: Path, changes: dict, said: str) -> None:
    values = json.loads((folder / "config.json").read_text())
    (folder / "config.json").write_text(json.dumps({**values, **changes}))
    with pytest.raises(ValueError, match=said):
        load_model(folder)


def test_a_gpts_config_is_not_taken_for_a_pairs_and_the_other_way_round(folder: Path) -> None:
    values = json.loads((folder / "config.json").read_text())
    with pytest.raises(ValueError, match="this is an encoder-decoder"):
        ModelConfig.from_json(values)
    with pytest.raises(ValueError, match="'gpt' cannot be opened"):
        EncoderDecoderConfig.from_json(STACK.to_json())


def test_core_load_knows_it_and_other_functions_say_so(folder: Path) -> None:
    with pytest.raises(FileNotFoundError, match=r"tokenizer\.json"):
        core.load(folder)
    core.train_tokenizer("characters", ["<>/s0123"]).save(folder / "tokenizer.json")
    lm = core.load(folder)
    assert lm.config == CONFIGS["2017"] and lm.name == "model"
    assert len(translate(lm.model, [3, 1])) <= 12
    assert core.memory_needed(folder) == 4 * sum(p.numel() for p in lm.model.parameters())
    assert core.load(folder, "bfloat16").model.lm_head.weight.dtype == torch.bfloat16
    with pytest.raises(ValueError, match="copy the folder of its checkpoint"):
        core.export(lm, folder.parent / "exported")
