"""Accuracy of an encoder-decoder on pairs, and its attention to the decisive part of each source.

Letters in shapes: L layers and H heads of the decoder.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from core.data.pairs import Pair
from core.inference.encoder_decoder_activations import capture_encoder_decoder
from core.inference.translation import translate_batch
from core.tokenization import Tokenizer
from core.transformer.encoder_decoder import EncoderDecoder

SOURCES_AT_ONCE = 100


def exact_share(model: EncoderDecoder, tokenizer: Tokenizer, pairs: Sequence[Pair]) -> float:
    """Returns the share of pairs whose target the model writes exactly, by greedy decoding.
    Raises ValueError if there are no pairs.
    """
    if not pairs:
        raise ValueError("there are no pairs to measure on; give one at least")
    right = 0
    for first in range(0, len(pairs), SOURCES_AT_ONCE):
        some = pairs[first : first + SOURCES_AT_ONCE]
        written = translate_batch(model, [tokenizer.encode_ids(pair.source) for pair in some])
        texts = [tokenizer.decode(ids) for ids in written]
        right += sum(text == pair.target for text, pair in zip(texts, some, strict=True))
    return right / len(pairs)


def span_attention(
    model: EncoderDecoder, tokenizer: Tokenizer, pairs: Sequence[Pair]
) -> np.ndarray:
    """Returns, for each head, its cross-attention to the part of the source that decides a token
    while that token is written, as (L, H) from 0 to 1: the mean over all tokens with such a part.

    The tokenizer has one token per character, because `Pair.spans` count characters.
    """
    found = []
    for pair in pairs:
        source, target = tokenizer.encode_ids(pair.source), tokenizer.encode_ids(pair.target)
        cross = capture_encoder_decoder(model, source, [model.config.start_id, *target]).cross
        found += [
            cross[:, :, row, span[0] : span[1]].sum(-1)  # row writes the token after it
            for row, span in enumerate(pair.spans)
            if span is not None
        ]
    return np.mean(found, axis=0)
