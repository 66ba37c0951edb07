"""Folders of transformers: what it computes with random weights, we compute from its files, and it
computes from ours.
"""

from __future__ import annotations

from pathlib import Path

import pytest
import torch

from core.transformer.foreign.reading import look_at_folder, read_foreign
from core.transformer.foreign.writing import write_foreign
from tests.core.transformer.foreign.peers import VOCABULARY, random_folder

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
