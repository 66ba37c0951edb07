"""Compare with two vocabularies of which one holds the other, and a model."""

from __future__ import annotations

from types import SimpleNamespace

import numpy as np
import pytest

from core.tensor_files import write_tensors
from core.tokenization import ByteLevelBPE
from core.tokenization.analysis.glitches import never_written
from explorer.panes.tokenizers.modes import MODES
from tests.explorer.panes.tokenizers.small import small_bpe

BIG = small_bpe()
SMALL = ByteLevelBPE(BIG.vocabulary[:-8], BIG.merges[:-8], BIG.special_tokens)


def checkpoint(folder):
    """A model whose piece 270 looks like the bytes that no text holds."""
    folder.mkdir()
    table = np.random.default_rng(0).normal(size=(BIG.vocab_size + 4, 16)).astype(np.float32)
    table[never_written(BIG)] = 0.01 * table[never_written(BIG)] + 3
    table[270] = 3.05
    write_tensors(folder / "model.safetensors", {"wte.weight": table})
    BIG.save(folder / "tokenizer.json")
    return folder, table


@pytest.fixture
def pane(make_pane, context, tmp_path):
    folder, table = checkpoint(tmp_path / "model")
    source = SimpleNamespace(
        name="mine", tokenizer=BIG, close=lambda: None, folder=lambda: folder, table=table
    )
    context.workspace.set_model_source(source)

    def begin(pane):
        pane.catalogue.add_trained("small", SMALL)
        pane.mode.shown_ones.add("trained:small")

    return make_pane(MODES[0], then=begin)


def tool(pane, name):
    return pane.mode.submodes[name]
