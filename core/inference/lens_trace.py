"""The logit lens and one part's contribution, step by step, each with the line that computes it.

Letters in shapes: C width of the residual stream, K tokens to show, V pieces in the vocabulary, D
dimensions a head.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import replace as replace_step

import numpy as np
import torch
from torch import Tensor

from core.inference.activations import check_ids, looking_at, to_array
from core.inference.attribution import Parts, contribution_of, head_weights, path_to, written_by
from core.inference.indices import check_head, check_layer, check_position, check_tokens
from core.inference.logit_lens import read_stream, stream_places
from core.trace import Step, Trace
from core.transformer.architectures import gpt_of
from core.transformer.gpt import EMBEDDING, GPT
from core.transformer.look import Look, Replacements, Site
from core.transformer.norms import LayerNorm, RMSNorm

_HERE, _ATTRIBUTION = "core.inference.lens_trace", "core.inference.attribution"
STEPS = {  # title, formula and code of each step
    "lens.center": (
        "Subtract its mean from the residual stream",
        r"x \leftarrow x - \mu",
        f"{_HERE}:center#center",
    ),
    "lens.norm": (
        "Apply the final norm, as the model does before the unembedding",
        r"\hat{x} = \frac{x}{\sigma} \, g",
        f"{_HERE}:norm#norm",
    ),
    "lens.shift": ("Add the norm's bias", r"\hat{x} + b", f"{_HERE}:shift#shift"),
    "lens.unembed": (
        "Unembed: compute each token's logit, its score as the next token",
        r"z = W_U \, \hat{x}",
        f"{_HERE}:unembed#unembed",
    ),
    "lens.softmax": (
        "Softmax: turn logits into probabilities over the whole vocabulary",
        r"p_i = \frac{e^{z_i}}{\sum_j e^{z_j}}",
        f"{_HERE}:softmax#softmax",
    ),
    "attribution.write": (
        "W_O turns what the head read into its output",
        r"w = o \, W_O^h",
        f"{_ATTRIBUTION}:written_by#write",
    ),
    "attribution.scale": (
        "Scale the token's row of the unembedding W_U as the norm scales the stream",
        r"d = \frac{u \, g}{\sigma}",
        f"{_ATTRIBUTION}:scaled_direction#scale",
    ),
    "attribution.center": (
        "Center this row, as LayerNorm centers the stream",
        r"d \leftarrow d - \mu",
        f"{_ATTRIBUTION}:centered_direction#center",
    ),
    "attribution.contribution": (
        "The output's dot product with this row is what the part adds to the logit",
        r"c = w \cdot d",
        f"{_ATTRIBUTION}:contribution_of#contribution",
    ),
}


def center(x: Tensor) -> Tensor:
    """Subtracts its mean from a stream (C,), as LayerNorm does."""
    mean = x.mean()
    centered = x - mean  # (C,)  # step: center
    return centered


def norm(x: Tensor, scale: Tensor, weight: Tensor) -> Tensor:
    """Divides a stream (C,) by its scale () and multiplies each dimension by its weight (C,)."""
    normed = x / scale * weight  # (C,)  # step: norm
    return normed


def shift(normed: Tensor, bias: Tensor) -> Tensor:
    """Adds LayerNorm's bias, (C,), to a normalized stream (C,)."""
    shifted = normed + bias  # (C,)  # step: shift
    return shifted


def unembed(rows: Tensor, normed: Tensor) -> Tensor:
    """Computes K logits, the dot products of a stream (C,) with rows (K, C) of the unembedding."""
    logits = rows @ normed  # (K,)  # step: unembed
    return logits


def softmax(logits: Tensor, total: Tensor) -> Tensor:
    """Turns logits (K,) into probabilities; total () is the log of the sum of all V e^logit."""
    probabilities = torch.exp(logits - total)  # (K,)  # step: softmax
    return probabilities


def trace_lens(
    model: GPT,
    ids: Sequence[int] | np.ndarray,
    tokens: Sequence[int] | np.ndarray,
    *,
    position: int = -1,
    sublayers: bool = True,
    replace: Replacements | None = None,
) -> Trace:
    """Traces the logit lens for `tokens` (K,) after `position`, place by place.

    The outermost steps are the places of `stream_places`; inside each are the steps from the stream
    to probabilities: center and norm (a post-norm model has none at the end), unembed, softmax.
    Raises ValueError as `logit_lens` does.
    """
    model = gpt_of(model)
    batch = check_ids(model, ids)
    at = check_position(position, batch.size(1))
    asked = torch.from_numpy(check_tokens(model.config.vocab_size, tokens)).to(batch.device)
    places = stream_places(model.config, sublayers)
    look = Look(places, replace)
    with looking_at(model):
        model(batch, look)
        streams = torch.stack([look.values[place][0, at] for place in places])  # (P, C)
        totals = read_stream(model, streams).logsumexp(-1)  # (P,)
        rows = model.lm_head.weight[asked].float()  # (K, C)
        trace = Trace({"ids": batch[0].cpu().numpy(), "position": at, "tokens": asked.cpu().numpy(),
                       "places": places})  # fmt: skip
        for place, x, total in zip(places, streams, totals, strict=True):
            steps, outer = list(_lens_steps(model, x.float(), rows, total)), len(trace)
            said = replace_step(steps[-1], name=f"lens.{place.kind}", title=title_of(place))
            trace.append(said)
            for step in steps:
                trace.append(replace_step(step, parent=outer))
    return trace.finish()


def title_of(place: Site) -> str:
    """Returns the title of the step that reads the stream at a place."""
    if place == EMBEDDING:
        return "Prediction at the embedding, from the last token alone"
    done = "the attention" if place.kind == "residual_mid" else "the MLP"
    return f"Prediction after {done} of layer {place.layer}"


def _lens_steps(model: GPT, x: Tensor, rows: Tensor, total: Tensor) -> Iterator[Step]:
    """Yields the steps at one place, from the stream (C,) to probabilities (K,)."""
    last = model.ln_f
    if isinstance(last, (LayerNorm, RMSNorm)):
        if isinstance(last, LayerNorm):
            centered = center(x)
            yield _step("lens.center", {"x": x, "mean": x.mean(), "centered": centered})
            x = centered
        scale, weight = (x.square().mean() + last.eps).sqrt(), last.weight.float()
        normed = norm(x, scale, weight)
        yield _step("lens.norm", {"x": x, "scale": scale, "weight": weight, "normed": normed})
        x = normed
        if isinstance(last, LayerNorm) and last.bias is not None:
            bias = last.bias.float()
            x = shift(normed, bias)
            yield _step("lens.shift", {"normed": normed, "bias": bias, "shifted": x})
    logits = unembed(rows, x)
    yield _step("lens.unembed", {"rows": rows, "normed": x, "logits": logits})
    said = softmax(logits, total)
    yield _step("lens.softmax", {"logits": logits, "total": total, "probabilities": said})


def trace_contribution(
    model: GPT,
    ids: Sequence[int] | np.ndarray,
    layer: int,
    head: int | None,
    token: int,
    *,
    against: int | None = None,
    position: int = -1,
    replace: Replacements | None = None,
) -> Trace:
    """Traces the contribution of one head (None: the layer's MLP) to a logit, as in `attribute`:
    its output, the direction pulled back to it, and their dot product.

    Raises ValueError as `attribute` does, and for a layer or head that does not exist.
    """
    model = gpt_of(model)
    layer = check_layer(model.config, layer)
    head = None if head is None else check_head(model.config.n_head, head)
    parts = Parts(model, ids, position, replace)
    direction, logit = parts.target(token, against)
    wanted = "mlp" if head is None else "attention", layer
    stop = next(one for one in path_to(parts, direction) if (one.kind, one.layer) == wanted)
    trace = Trace({"layer": layer, "head": head, "token": token, "position": parts.position,
                   "logit": logit})  # fmt: skip
    if head is None:
        written = parts.at("mlp_output", layer)
    else:
        heads = parts.at("head_output", layer)[head][None, None]  # (1, 1, D)
        weights = head_weights(model.blocks[layer].attn)[head][None]  # (1, D, C)
        written = written_by(heads, weights)
        made = {"heads": heads, "weights": weights, "written": written}
        trace.append(_step("attribution.write", made))
        written = written[0, 0]
    for held in stop.held:
        made = {"direction": held.direction, "weight": held.weight, "scale": held.scale}
        trace.append(_step("attribution.scale", made | {"pulled": held.pulled}))
        if held.centered is not None:
            made = {"pulled": held.pulled, "mean": held.pulled.mean(), "centered": held.centered}
            trace.append(_step("attribution.center", made))
    contribution = contribution_of(written, stop.direction)
    made = {"written": written, "direction": stop.direction, "contribution": contribution}
    trace.append(_step("attribution.contribution", made))
    return trace.finish()


def _step(name: str, values: Mapping[str, Tensor]) -> Step:
    title, formula, code = STEPS[name]
    arrays = {key: to_array(value) for key, value in values.items()}
    return Step(name, title, formula, code, arrays)
