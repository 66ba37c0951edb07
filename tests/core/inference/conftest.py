"""An encoder-decoder with random weights, for the tests of what is done with it."""

from __future__ import annotations

from dataclasses import replace

import pytest
import torch

from core.transformer.config import EncoderDecoderConfig
from core.transformer.encoder_decoder import EncoderDecoder
from tests.core.families import AIAYN_STACK


@pytest.fixture(scope="module")
def translator() -> EncoderDecoder:
    """It reads 11 pieces; some of what it writes ends by itself."""
    config = EncoderDecoderConfig(
        encoder=AIAYN_STACK,
        decoder=replace(AIAYN_STACK, n_layer=3, tie_weights=False),
        end_id=10,
    )
    made = EncoderDecoder(config, torch.Generator().manual_seed(12))
    with torch.no_grad():
        for parameter in made.parameters():
            parameter.mul_(1.5)
    return made.train()
