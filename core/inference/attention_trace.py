"""One query's attention, step by step: the numbers that meet, and the line that computed them.

Letters in shapes: T tokens, H heads, G key and value heads, D dimensions a head. Source: AIAYN
(Vaswani et al. 2017), section 3.2.1.
"""

from __future__ import annotations

import math
from collections.abc import Sequence

import numpy as np
import torch
from torch import Tensor

from core.inference.activations import check_ids, looking_at
from core.trace import Step, Trace
from core.transformer.attention import attend, visible_tokens
from core.transformer.gpt import GPT
from core.transformer.look import Look, Site

_ATTEND = "core.transformer.attention:attend"
_PROJECT = "core.transformer.attention:Attention.project#project"
_HERE = "core.inference.attention_trace"


def products_of(q: Tensor, k: Tensor) -> Tensor:
    """The dot product taken apart: q (1, D) times each key k (T, D), by dimension -> (1, T, D)."""
    query = q[:, None, :]  # (1, 1, D)
    keys = k[None, :, :]  # (1, T, D)
    products = query * keys  # (1, T, D)  # step: products
    return products


def weigh(weights: Tensor, v: Tensor) -> Tensor:
    """The weighted sum taken apart: each value v (T, D) times its weight (1, T) -> (1, T, D)."""
    weight = weights[:, :, None]  # (1, T, 1)
    values = v[None, :, :]  # (1, T, D)
    weighted = weight * values  # (1, T, D)  # step: weigh
    return weighted


def trace_attention(
    model: GPT, ids: Sequence[int] | np.ndarray, layer: int, head: int, query: int = -1
) -> Trace:
    """The attention of token `query` in one head, from the projections to the output.

    ids (T,); layer, head and query count from 0, negative ones from the end. Eight steps: project,
    products, scores, scale, mask, softmax, weigh, output. Raises ValueError for ids, a layer, head
    or query that are not there.
    """
    batch = check_ids(model, ids)
    layer = _index("layer", layer, model.config.n_layer)
    sites = [Site("decoder", layer, kind) for kind in ("queries", "keys", "values")]
    look = Look(sites)
    with looking_at(model):
        model(batch, look=look)
    q, k, v = (look.values[site].float().cpu().numpy() for site in sites)  # (1, H or G, T, D)
    window = model.config.window_of(layer)
    rotary = model.config.positions == "rope"
    return trace_attention_from(q, k, v, np.asarray(ids), layer, head, query, window, rotary)


def trace_attention_from(
    q: np.ndarray, k: np.ndarray, v: np.ndarray, ids: np.ndarray,
    layer: int, head: int, query: int = -1, window: int | None = None, rotary: bool = False,
) -> Trace:  # fmt: skip
    """The same Trace from what was captured of a layer: queries (H, T, D), keys, values (G, T, D).

    So a model that trains elsewhere is explained from what its probe wrote. An axis of one batch,
    (1, H, T, D), may stand before. `rotary`: queries and keys were turned by their positions.
    Raises ValueError as `trace_attention`.
    """
    q, k, v = (array.reshape((1, *array.shape[-3:])) for array in (q, k, v))
    head = _index("head", head, q.shape[1])
    query = _index("query", query, q.shape[2])
    kv_head = head * k.shape[1] // q.shape[1]  # several heads may share a key and a value
    about = {
        "layer": layer, "head": head, "kv_head": kv_head, "query": query,
        "ids": np.asarray(ids), "head_size": q.shape[3], "window": window,
    }  # fmt: skip
    trace = Trace(about)
    heads = (q[0, head], k[0, kv_head], v[0, kv_head])
    q1, k1, v1 = (torch.from_numpy(np.ascontiguousarray(array)) for array in heads)  # (T, D)
    # This query alone, through the very code that serves all of them.
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
    for step in _steps(projected, arrays, window, rotary):
        trace.append(step)
    return trace.finish()


def _steps(
    projected: dict[str, np.ndarray], made: dict[str, np.ndarray], window: int | None, rotary: bool
) -> list[Step]:
    """Of each step what its line made, first, and what it read."""
    seen, hides = r"j \le i", "the tokens that come later"
    if window is not None:
        seen, hides = rf"i - {window} < j \le i", f"{hides} or more than {window - 1} before"
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
            "Multiply the query with each key, dimension by dimension",
            r"p_{jd} = q_d\, k_{jd}",
            f"{_HERE}:products_of#products",
            of("products") | {"query": made["q"][:, None], "keys": made["k"][None]},
        ),
        Step(
            "attention.scores",
            "Add the products up: one score for each token",
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
            f"Hide {hides}",
            rf"m_j = \tilde{{s}}_j \; \text{{if }} {seen}, \; \text{{else}} -\infty",
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
            "Take of each value as much as its weight says",
            r"w_{jd} = a_j\, v_{jd}",
            f"{_HERE}:weigh#weigh",
            of("weighted") | {"weight": made["weights"][:, :, None], "values": made["v"][None]},
        ),
        Step(
            "attention.output",
            "Add them up: this is what the head read for this token",
            r"o = \sum_j a_j\, v_j",
            f"{_ATTEND}#output",
            of("output", "weights", "v"),
        ),
    ]


def _index(name: str, index: int, length: int) -> int:
    if not -length <= index < length:
        raise ValueError(
            f"{name} {index} is not there: this model and text have {length}, 0 to {length - 1}"
        )
    return index % length
