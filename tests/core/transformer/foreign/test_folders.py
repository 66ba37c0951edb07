"""Folders of transformers: what it computes with random weights, we compute from its files, and it
computes from ours.
"""

from __future__ import annotations

import json
import random
from pathlib import Path
from typing import Any

import pytest
import torch

from core.tensor_files import read_tensors, write_tensors
from core.transformer.foreign.reading import look_at_folder, read_foreign
from core.transformer.foreign.writing import write_foreign
from tests.core.transformer.foreign.peers import (
    LLAMA3,
    VOCABULARY,
    random_folder,
    random_model,
    random_shape,
)

KINDS = ("gpt2", "llama", "qwen2", "qwen3")
SEEDS = range(8)

pytestmark = pytest.mark.peers


def ids(length: int) -> torch.Tensor:
    return torch.randint(VOCABULARY, (1, length), generator=torch.Generator().manual_seed(1))


@pytest.mark.parametrize("seed", SEEDS)
@pytest.mark.parametrize("kind", KINDS)
def test_logits_are_those_of_transformers_both_ways(kind: str, seed: int, tmp_path: Path) -> None:
    transformers = pytest.importorskip("transformers")
    theirs = random_folder(kind, seed, tmp_path / "theirs")
    ours = read_foreign(look_at_folder(tmp_path / "theirs"))
    tokens = ids(ours.config.block_size)
    with torch.no_grad():
        expected = theirs(tokens).logits
        torch.testing.assert_close(ours(tokens), expected, atol=1e-5, rtol=0)
    if ours.config.window is not None:
        with pytest.raises(ValueError, match="window .*export a model like"):
            write_foreign(ours, tmp_path / "ours")
        return
    family = write_foreign(ours, tmp_path / "ours")
    again = transformers.AutoModelForCausalLM.from_pretrained(tmp_path / "ours").eval()
    assert type(again).__name__ == family.architecture
    with torch.no_grad():
        torch.testing.assert_close(again(tokens).logits, expected, atol=1e-5, rtol=0)


def change_settings(folder: Path, changes: dict[str, Any]) -> None:
    """None takes an entry out."""
    path = folder / "config.json"
    values = {**json.loads(path.read_text()), **changes}
    path.write_text(json.dumps({key: one for key, one in values.items() if one is not None}))


def agrees(folder: Path, length: int) -> bool:
    """Whether both open it to the same logits, or both refuse it."""
    transformers = pytest.importorskip("transformers")
    try:
        theirs = transformers.AutoModelForCausalLM.from_pretrained(folder).eval()
    except (ValueError, KeyError, TypeError, AttributeError):
        return refuses(folder)
    if refuses(folder):
        return False
    ours = read_foreign(look_at_folder(folder))
    with torch.no_grad():
        expected = theirs(ids(length)).logits
        return torch.allclose(ours(ids(length)), expected, atol=1e-5, rtol=0)


def refuses(folder: Path) -> bool:
    try:
        look_at_folder(folder)
    except ValueError:
        return True
    return False


@pytest.mark.parametrize("kind", KINDS)
def test_a_head_is_tied_where_transformers_ties_it(kind: str, tmp_path: Path) -> None:
    """Whatever the settings say, a head in the file that differs from the embeddings stays."""
    shape = {**random_shape(kind, 3), "tie_word_embeddings": False}
    model = random_model(kind, shape, 3)
    model.save_pretrained(tmp_path)
    whole = read_tensors(tmp_path / "model.safetensors", framework="torch")
    table = "transformer.wte.weight" if kind == "gpt2" else "model.embed_tokens.weight"
    heads = {"differs": whole.pop("lm_head.weight"), "same": whole[table].clone()}
    for head, stored in heads.items():
        tensors = {**whole, "lm_head.weight": stored}
        write_tensors(tmp_path / "model.safetensors", tensors, {"format": "pt"})
        for tied in (True, False, None):
            change_settings(tmp_path, {"tie_word_embeddings": tied})
            assert agrees(tmp_path, 20), (head, tied)
    # Without one it is tied, or there is none: transformers would draw a random one.
    write_tensors(tmp_path / "model.safetensors", whole, {"format": "pt"})
    for tied in (True, False, None):
        change_settings(tmp_path, {"tie_word_embeddings": tied})
        is_tied = tied if tied is not None else kind == "gpt2"
        assert agrees(tmp_path, 20) if is_tied else refuses(tmp_path), tied


def rotary_settings(rng: random.Random) -> dict[str, Any]:
    """Entries of config.json that may contradict one another."""

    def parameters() -> dict[str, Any]:
        named: dict[str, Any] = {}
        for key in ("rope_type", "type"):
            if rng.random() < 0.6:
                named[key] = rng.choice(("default", "llama3"))
        if rng.random() < 0.6:
            named["rope_theta"] = rng.choice((100.0, 500_000.0))
        if rng.random() < 0.8:
            named |= {key: one for key, one in LLAMA3.items() if key != "rope_type"}
        if rng.random() < 0.3:
            named.pop("original_max_position_embeddings", None)
        return named

    given: dict[str, Any] = dict.fromkeys(("rope_parameters", "rope_scaling", "rope_theta"))
    for key in ("rope_parameters", "rope_scaling"):
        if rng.random() < 0.7:
            given[key] = rng.choice((parameters(), {}))
    return given | ({"rope_theta": 300.0} if rng.random() < 0.5 else {})


def test_rotary_entries_that_contradict_one_another_are_read_as_transformers_does(
    tmp_path: Path,
) -> None:
    shape = {**random_shape("llama", 3), "head_dim": 16, "max_position_embeddings": 40}
    random_model("llama", shape, 3).save_pretrained(tmp_path)
    for seed in range(40):
        given = rotary_settings(random.Random(seed))
        change_settings(tmp_path, given)
        assert agrees(tmp_path, 40), given
