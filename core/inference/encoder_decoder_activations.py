"""The activations of an encoder-decoder on a source and a target: its three kinds of attention, the
logits, and any single sites.

Letters in shapes: Ts tokens of the source, Tt of the target, V pieces in the target's vocabulary, L
layers and H heads of the encoder or the decoder.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

import numpy as np
import torch

from core.inference.activations import ids_tensor, looking_at, to_array
from core.transformer.architectures import encoder_decoder_of
from core.transformer.encoder_decoder import EncoderDecoder
from core.transformer.look import Look, Site, check_sites


@dataclass(frozen=True, slots=True)
class EncoderDecoderActivations:
    """Activations of an encoder-decoder on a source and a target, as float32 arrays on the CPU.

    source_ids, target_ids  (Ts,), (Tt,)
    encoder                 (L, H, Ts, Ts): each row sums to 1, as in the next two
    decoder                 (L, H, Tt, Tt)
    cross                   (L, H, Tt, Ts): attention of each target token to the source
    logits                  (Tt, V): row t predicts the token after t
    single                  the sites that were requested individually, without the batch axis
    """

    source_ids: np.ndarray
    target_ids: np.ndarray
    encoder: np.ndarray
    decoder: np.ndarray
    cross: np.ndarray
    logits: np.ndarray
    single: Mapping[Site, np.ndarray] = field(default_factory=dict)


def capture_encoder_decoder(
    model: EncoderDecoder,
    source_ids: Sequence[int] | np.ndarray,
    target_ids: Sequence[int] | np.ndarray,
    sites: Sequence[str | Site] = (),
) -> EncoderDecoderActivations:
    """Runs the model once on a source and a target, which begins with `start_id`, and returns every
    head's attention, and the values at further `sites`, such as "encoder.0.queries".

    Dropout is off during the run; afterwards the model is back in its train or eval mode. Raises
    ValueError for invalid ids or sites, and for another kind of model.
    """
    model = encoder_decoder_of(model)
    config = model.config
    device = model.lm_head.weight.device
    source = ids_tensor(source_ids, config.encoder, device)
    target = ids_tensor(target_ids, config.decoder, device)
    kinds = {
        "encoder": [Site("encoder", layer, "weights") for layer in range(config.encoder.n_layer)],
        "decoder": [Site("decoder", layer, "weights") for layer in range(config.decoder.n_layer)],
        "cross": [
            Site("decoder", layer, "cross.weights") for layer in range(config.decoder.n_layer)
        ],
    }
    single = [one if isinstance(one, Site) else Site.parse(one) for one in sites]
    look = Look([*single, *(site for stacked in kinds.values() for site in stacked)])
    check_sites(config, look)
    with looking_at(model):
        logits = model(source, target, look)[0]
    arrays = {
        name: to_array(torch.stack([look.values[site][0] for site in stacked]))
        for name, stacked in kinds.items()
    }
    return EncoderDecoderActivations(
        source_ids=source[0].cpu().numpy(),
        target_ids=target[0].cpu().numpy(),
        logits=to_array(logits),
        single={site: to_array(look.values[site][0]) for site in single},
        **arrays,
    )
