"""The attention of one query, step by step: values, the line that computes them, and the outcome.

Letters in shapes: T tokens, H heads, G key and value heads, D dimensions a head, C width of the
residual stream, V pieces in the vocabulary. Sources: AIAYN (Vaswani et al. 2017), section 3.2;
every head's separate contribution to the stream: Elhage et al. 2021, "A Mathematical Framework for
Transformer Circuits", section "Attention Heads are Independent and Additive".
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import torch
from torch import Tensor

from core.inference.activations import check_ids, looking_at, to_array
from core.inference.attribution import head_weights, written_by
from core.inference.forward_outline import mask_words
from core.inference.indices import check_head, check_layer, check_position
from core.inference.logit_lens import read_stream
from core.inference.sampling import temper
from core.trace import Step, Trace
from core.transformer.architectures import gpt_of
from core.transformer.attention import attend, repeat_heads, visible_tokens
from core.transformer.gpt import GPT
from core.transformer.look import Look, Site

_ATTEND = "core.transformer.attention:attend"
_PROJECT = "core.transformer.attention:Attention.project#project"
_HERE = "core.inference.attention_trace"


def products_of(q: Tensor, k: Tensor) -> Tensor:
    """Multiplies q (1, D) by each key k (T, D), dimension by dimension -> (1, T, D)."""
    query = q[:, None, :]  # (1, 1, D)
    keys = k[None, :, :]  # (1, T, D)
    products = query * keys  # (1, T, D)  # step: products
    return products


def weigh(weights: Tensor, v: Tensor) -> Tensor:
    """Multiplies each value v (T, D) by its weight (1, T) -> (1, T, D)."""
    weight = weights[:, :, None]  # (1, T, 1)
    values = v[None, :, :]  # (1, T, D)
    weighted = weight * values  # (1, T, D)  # step: weigh
    return weighted


def add(residual: Tensor, written: Tensor, others: Tensor) -> Tensor:
    """Adds the outputs of one head and of all others to a token's residual stream, (1, C) each."""
    added = residual + written + others  # step: add
    return added


@dataclass(frozen=True, eq=False)
class Downstream:
    """The values that follow the heads of a layer, for one token.

    w_o       (H, D, C)    W_O: the rows of `c_proj` that belong to each head
    bias      (1, C)       of `c_proj`, which belongs to no head; None without one
    factors   (H, 1, 1)    scale of each head's output: 0 for a head that is switched off
    residual  (1, C)       the stream before the heads have written to it
    logits    (V,)         of the whole model, float64 as in sampling
    before    (V,)         logits with all heads on; None if none is off
    post_norm              a norm follows the sum (AIAYN, GPT-1)
    """

    w_o: Tensor
    bias: Tensor | None
    factors: Tensor
    residual: Tensor
    logits: Tensor
    before: Tensor | None
    post_norm: bool


def downstream_of(
    model: GPT, layer: int, residual: np.ndarray, last: np.ndarray,
    off: Sequence[int] = (), before: np.ndarray | None = None,
) -> Downstream:  # fmt: skip
    """Returns the Downstream of one token's stream before `layer` and after the last: (C,) each.

    off     heads of this layer that were switched off when the streams were captured
    before  (C,) output of the last layer with all heads on, if some are off

    Raises ValueError for a layer or head that does not exist.
    """
    layer = check_layer(model.config, layer)
    config, projection = model.config, model.blocks[layer].attn.c_proj
    factors = torch.ones(config.n_head, 1, 1)
    factors[[check_head(config.n_head, head) for head in off]] = 0.0
    with looking_at(model):
        streams = [torch.tensor(one) for one in (last, before) if one is not None]
        x = torch.stack(streams).to(projection.weight)  # (1 or 2, C)
        logits = read_stream(model, x).double().cpu()  # (1 or 2, V), as core.inference.sampling
    attn = model.blocks[layer].attn
    bias = None if projection.bias is None else projection.bias[None].detach().float().cpu()
    return Downstream(
        w_o=head_weights(attn).float().cpu(),
        bias=bias,
        factors=factors,
        residual=torch.tensor(residual)[None].float(),
        logits=logits[0],
        before=None if before is None else logits[1],
        post_norm=config.norm_placement == "post",
    )


def trace_attention(
    model: GPT, ids: Sequence[int] | np.ndarray, layer: int, head: int, query: int = -1
) -> Trace:
    """Traces the attention of token `query` in one head, from the projections to the next token.

    ids (T,); layer, head and query count from 0, negative ones from the end. Eleven steps: project,
    products, scores, scale, mask, softmax, weigh, output, mix, add, predict. `about` has the output
    of every head, `by_head` (H, C), the `bias` (C,) added to their sum, and, if heads are off, the
    probabilities `before` (V,) with all of them on. Raises ValueError for ids, a layer, a head or a
    query that does not exist.
    """
    model = gpt_of(model)
    batch = check_ids(model, ids)
    layer = check_layer(model.config, layer)
    query = check_position(query, batch.size(1))
    kinds = ("queries", "keys", "values", "residual_in")
    sites = [Site("decoder", layer, kind) for kind in kinds]
    sites.append(Site("decoder", model.config.n_layer - 1, "residual_out"))
    look = Look(sites)
    with looking_at(model):
        model(batch, look=look)
    q, k, v, residual, last = (to_array(look.values[site][0].float()) for site in sites)
    window = model.config.window_of(layer)
    rotary = model.config.positions == "rope"
    after = downstream_of(model, layer, residual[query], last[query])
    return trace_attention_from(
        q, k, v, np.asarray(ids),
        layer=layer, head=head, query=query, window=window, rotary=rotary, after=after,
    )  # fmt: skip


def trace_attention_from(
    q: np.ndarray, k: np.ndarray, v: np.ndarray, ids: np.ndarray, *,
    layer: int, head: int, query: int = -1, window: int | None = None, rotary: bool = False,
    after: Downstream | None = None,
) -> Trace:  # fmt: skip
    """Traces attention from captured values: queries (H, T, D), keys and values (G, T, D).

    This explains a model that trains elsewhere, from the values in its probe's file. A batch axis
    of 1, (1, H, T, D), is allowed. `rotary`: queries and keys were rotated by their positions.
    Without `after`, which needs the model's weights, the steps end at the head's sum of values.
    Raises ValueError as `trace_attention`.
    """
    q, k, v = (array.reshape((1, *array.shape[-3:])) for array in (q, k, v))
    head = check_head(q.shape[1], head)
    query = check_position(query, q.shape[2])
    kv_head = head * k.shape[1] // q.shape[1]  # several heads may share a key and a value
    about = {
        "layer": layer, "head": head, "kv_head": kv_head, "query": query,
        "ids": np.asarray(ids), "head_size": q.shape[3], "window": window,
    }  # fmt: skip
    heads = (q[0, head], k[0, kv_head], v[0, kv_head])
    q1, k1, v1 = (torch.from_numpy(np.ascontiguousarray(array)) for array in heads)  # (T, D)
    # This query alone, computed by the same code as all queries of a model.
    q1 = q1[query : query + 1]  # (1, D)
    visible = visible_tokens(k1.size(0), window)[query : query + 1]  # (1, T)
    with torch.no_grad():
        products = products_of(q1, k1)
        attended = attend(q1, k1, v1, visible)
        weighted = weigh(attended.weights, v1)
    projected = {"q": q, "k": k, "v": v}
    one = {"q": q1, "k": k1, "v": v1, "visible": visible, "products": products}
    made = one | attended._asdict() | {"weighted": weighted}
    arrays = {name: tensor.numpy() for name, tensor in made.items()}
    steps = _steps(projected, arrays, window, rotary)
    if after is not None:
        q_all, k_all, v_all = (torch.from_numpy(np.ascontiguousarray(a[0])) for a in (q, k, v))
        with torch.no_grad():
            by_head = _written_by_all(q_all[:, query : query + 1], k_all, v_all, visible, after)
            read = attended.output[None] * after.factors[head]  # (1, 1, D)
            steps += _last_steps(read, by_head, head, after)
        about["by_head"] = by_head[:, 0].numpy()
        about["bias"] = None if after.bias is None else after.bias[0].numpy()
        about["post_norm"] = after.post_norm
        about["before"] = None if after.before is None else temper(after.before, 1.0).numpy()
    trace = Trace(about)
    for step in steps:
        trace.append(step)
    return trace.finish()


def _written_by_all(q: Tensor, k: Tensor, v: Tensor, visible: Tensor, after: Downstream) -> Tensor:
    """Returns every head's output for one token, (H, 1, C): from q (H, 1, D), k and v (G, T, D)."""
    H = q.size(0)
    read = attend(q, repeat_heads(k, H), repeat_heads(v, H), visible).output  # (H, 1, D)
    return written_by(read * after.factors, after.w_o)


def _last_steps(heads: Tensor, by_head: Tensor, head: int, after: Downstream) -> list[Step]:
    """Returns the steps from one head's sum of values, (1, 1, D), and the outputs of all heads,
    (H, 1, C), to the next token.
    """
    weights = after.w_o[head][None]  # (1, D, C)
    others = by_head[torch.arange(len(by_head)) != head].sum(0)  # (1, C)
    if after.bias is not None:
        others = others + after.bias
    written = by_head[head]  # (1, C)
    made = {
        "heads": heads, "weights": weights, "written": written_by(heads, weights),
        "residual": after.residual, "others": others,
        "added": add(after.residual, written, others),
        "scaled": after.logits - after.logits.max(), "probabilities": temper(after.logits, 1.0),
    }  # fmt: skip

    def of(*names: str) -> dict[str, np.ndarray]:
        return {name: made[name].numpy() for name in names}

    sums, then = "Add the outputs of all heads to the residual stream", r"x' = x + "
    if after.post_norm:
        sums, then = f"{sums}; a norm follows", r"x' = \mathrm{norm}(s) \quad s = x + "
    return [
        Step(
            "attention.mix",
            "W_O turns what the head read into its output",
            r"w = o\, W_O",
            "core.inference.attribution:written_by#write",
            of("written", "heads", "weights"),
        ),
        Step(
            "attention.add",
            sums,
            rf"{then}w + \sum_{{\text{{other heads}}}} w",
            f"{_HERE}:add#add",
            of("added", "residual", "others") | {"written": written.numpy()},
        ),
        Step(
            "attention.predict",
            "After all layers, softmax gives each token's probability of coming next",
            r"p_t = \frac{e^{z_t - z_{\max}}}{\sum_u e^{z_u - z_{\max}}}",
            "core.inference.sampling:temper#softmax",
            of("probabilities", "scaled"),
        ),
    ]


def _steps(
    projected: dict[str, np.ndarray], made: dict[str, np.ndarray], window: int | None, rotary: bool
) -> list[Step]:
    """Returns the steps of attention, each with its line's result first, then the inputs."""
    turned = ", turned by its position" if rotary else ""
    q, k = ("R_i\\, x W_Q", "R_j\\, x W_K") if rotary else ("x W_Q", "x W_K")

    def of(*names: str) -> dict[str, np.ndarray]:
        return {name: made[name] for name in names}

    return [
        Step(
            "attention.project",
            f"Each token's vector becomes a query, a key and a value{turned}",
            rf"q = {q} \quad k = {k} \quad v = x W_V",
            _PROJECT,
            projected,
        ),
        Step(
            "attention.products",
            "Multiply the query by each key, dimension by dimension",
            r"p_{jd} = q_d\, k_{jd}",
            f"{_HERE}:products_of#products",
            of("products") | {"query": made["q"][:, None], "keys": made["k"][None]},
        ),
        Step(
            "attention.scores",
            "Add up the products to get one score for each token",
            r"s_j = q \cdot k_j = \sum_d q_d\, k_{jd}",
            f"{_ATTEND}#scores",
            of("scores", "q", "k"),
        ),
        Step(
            "attention.scale",
            "Divide by the square root of the head size",
            r"\tilde{s}_j = \frac{s_j}{\sqrt{d}}",
            f"{_ATTEND}#scale",
            of("scaled", "scores") | {"root": np.asarray(math.sqrt(made["q"].shape[-1]))},
        ),
        Step(
            "attention.mask",
            *mask_words(window, "j"),
            f"{_ATTEND}#mask",
            of("masked", "scaled", "visible"),
        ),
        Step(
            "attention.softmax",
            "Softmax turns scores into weights that sum to 1",
            r"a_j = \frac{e^{m_j}}{\sum_l e^{m_l}}",
            f"{_ATTEND}#softmax",
            of("weights", "masked"),
        ),
        Step(
            "attention.weigh",
            "Multiply each value by its weight",
            r"w_{jd} = a_j\, v_{jd}",
            f"{_HERE}:weigh#weigh",
            of("weighted") | {"weight": made["weights"][:, :, None], "values": made["v"][None]},
        ),
        Step(
            "attention.output",
            "Add up the weighted values; the sum is what the head reads",
            r"o = \sum_j a_j\, v_j",
            f"{_ATTEND}#output",
            of("output", "weights", "v"),
        ),
    ]
