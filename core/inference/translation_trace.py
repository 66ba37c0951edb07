"""A translation, token by token: one decoder head's attention to the source for each token, and the
resulting prediction.

Letters in shapes: Ts tokens of the source, Tt of the target, D dimensions a head, V pieces in the
vocabulary. Source: AIAYN (Vaswani et al. 2017), section 3.2.3: queries come from the decoder, keys
and values from the encoder.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence

import numpy as np
import torch

from core.inference.encoder_decoder_activations import (
    EncoderDecoderActivations,
    capture_encoder_decoder,
)
from core.inference.indices import check_head, check_layer
from core.inference.sampling import temper
from core.inference.translation import translate
from core.trace import Step, Trace
from core.transformer.attention import attend
from core.transformer.encoder_decoder import EncoderDecoder
from core.transformer.look import Site

_ATTEND = "core.transformer.attention:attend"
LARGE = 0.1  # of a head's attention: above this, it is no accident
PARTS = ("scores", "scale", "softmax", "read")  # steps of each token, one level deeper


def sharpest_head(cross: np.ndarray) -> tuple[int, int]:
    """Returns the layer and head with the sharpest attention, from cross (L, H, Tt, Ts): the
    largest mean of each row's largest weight.
    """
    pointed = cross.max(-1).mean(-1)  # (L, H)
    layer, head = np.unravel_index(int(pointed.argmax()), pointed.shape)
    return int(layer), int(head)


def span_read(weights: np.ndarray) -> slice:
    """Returns the part of a source with most attention, from weights (Ts,): the token with the
    largest weight, and its neighbors with large ones.
    """
    first = last = int(weights.argmax())
    while first > 0 and weights[first - 1] >= LARGE:
        first -= 1
    while last + 1 < len(weights) and weights[last + 1] >= LARGE:
        last += 1
    return slice(first, last + 1)


def trace_translation(
    model: EncoderDecoder,
    source_ids: Sequence[int] | np.ndarray,
    head: tuple[int, int] | None = None,
    name: Callable[[int], str] = str,
) -> Trace:
    """Traces how the model writes the target of a source, by greedy decoding.

    head  (layer, head) of the decoder's cross-attention (None: the `sharpest_head`)
    name  returns the text of a token for titles

    There is a step for each token written, including the end of the target; inside each, the head's
    attention to the source: scores, scale, softmax, read. `about` has the ids `source` (Ts,) and
    `written` (Tt,) of the target, the `head`, the `captured` activations, and the `spans` of the
    source with most attention for each token. Raises ValueError as `translate` does, and for a head
    that does not exist.
    """
    config = model.config
    written = translate(model, source_ids)
    ends = len(written) < config.decoder.block_size
    given = [config.start_id, *written][: config.decoder.block_size]
    sites = [
        f"decoder.{layer}.cross.{kind}"
        for layer in range(config.decoder.n_layer)
        for kind in ("queries", "keys", "values")
    ]
    captured = capture_encoder_decoder(model, source_ids, given, sites)
    head = sharpest_head(captured.cross) if head is None else head
    head = check_layer(config.decoder, head[0]), check_head(config.decoder.n_head, head[1])
    target = [*written, config.end_id] if ends else written
    spans = [span_read(row) for row in captured.cross[head]]
    ids = {"source": np.array(source_ids), "written": np.array(target)}
    trace = Trace({**ids, "head": head, "captured": captured, "spans": spans})
    for place, token in enumerate(target):
        named = f"{name(token)} to stop" if token == config.end_id else name(token)
        _add_token(trace, captured, place, head, named)
    return trace.finish()


def _add_token(
    trace: Trace, captured: EncoderDecoderActivations, place: int, head: tuple[int, int], name: str
) -> None:
    """Appends the step of one target token and the steps inside it."""
    logits = torch.from_numpy(captured.logits[place]).double()  # (V,), as core.inference.sampling
    scaled = logits - logits.max()
    parent = trace.append(
        Step(
            "translation.write",
            f"Write {name}: read the source and take the likeliest token",
            r"p_t = \frac{e^{z_t}}{\sum_u e^{z_u}}",
            "core.inference.sampling:temper#softmax",
            {"probabilities": temper(logits, 1.0).numpy(), "scaled": scaled.numpy()},
        )
    )
    q, k, v = _of_head(captured, place, head)  # (1, D), (Ts, D), (Ts, D)
    everywhere = torch.ones(1, k.size(0), dtype=torch.bool)
    numbers = {"q": q, "k": k, "v": v} | attend(q, k, v, everywhere)._asdict()
    arrays = {key: value.numpy() for key, value in numbers.items()}
    arrays["root"] = np.asarray(math.sqrt(q.size(-1)))
    for part, title, formula, code, names in (
        ("scores", "Compare the decoder's query with the key of every source token",
         r"s_j = q \cdot k_j", "scores", ("scores", "q", "k")),
        ("scale", "Divide the scores by the square root of the head size",
         r"\tilde{s}_j = \frac{s_j}{\sqrt{d}}", "scale", ("scaled", "scores", "root")),
        ("softmax", "Softmax turns the scores into weights; no source token is hidden",
         r"a_j = \frac{e^{\tilde{s}_j}}{\sum_l e^{\tilde{s}_l}}", "softmax", ("weights", "masked")),
        ("read", "The head adds up the values, multiplied by their weights",
         r"o = \sum_j a_j\, v_j", "output", ("output", "weights", "v")),
    ):  # fmt: skip
        values = {key: arrays[key] for key in names}
        step = Step(f"cross.{part}", title, formula, f"{_ATTEND}#{code}", values, parent)
        trace.append(step)


def _of_head(
    captured: EncoderDecoderActivations, place: int, head: tuple[int, int]
) -> list[torch.Tensor]:
    """Returns the query of one token, and the keys and values of the source, in one head."""
    layer, number = head
    q, k, v = (
        captured.single[Site("decoder", layer, f"cross.{kind}")]
        for kind in ("queries", "keys", "values")
    )  # (H, Tt, D) and two (G, Ts, D)
    shared = number * len(k) // len(q)  # several heads may share a key and a value
    parts = q[number, place : place + 1], k[shared], v[shared]
    return [torch.from_numpy(np.ascontiguousarray(part)) for part in parts]
