"""One query's attention, step by step: the numbers that meet, and the line that computed them.

Letters in shapes: T tokens, H heads, D dimensions a head. Source: AIAYN (Vaswani et al. 2017),
section 3.2.1.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import torch
from torch import Tensor

from core.inference.activations import check_ids, looking_at
from core.trace import Step, Trace
from core.transformer.attention import Attended, attend, visible_tokens
from core.transformer.gpt import GPT

_ATTEND = "core.transformer.attention:attend"
_PROJECT = "core.transformer.attention:Attention.project#project"
_HERE = "core.inference.attention_trace"


def products_of(q: Tensor, k: Tensor) -> Tensor:
    """The dot product taken apart: q (1, D) times each key k (T, D), by dimension -> (1, T, D)."""
    products = q[:, None, :] * k[None, :, :]  # (1, T, D)  # step: products
    return products


def weigh(weights: Tensor, v: Tensor) -> Tensor:
    """The weighted sum taken apart: each value v (T, D) times its weight (1, T) -> (1, T, D)."""
    weighted = weights[..., None] * v[None, :, :]  # (1, T, D)  # step: weigh
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
    given: list[Tensor] = []
    hook = model.blocks[layer].attn.register_forward_pre_hook(lambda _, args: given.append(args[0]))
    try:
        with looking_at(model):
            model(batch)
            q, k, v = model.blocks[layer].attn.project(given[0])  # (1, H, T, D)
    finally:
        hook.remove()
    queries, keys, values = (heads.float().cpu().numpy() for heads in (q, k, v))
    window = model.config.window_of(layer)
    return trace_attention_from(queries, keys, values, np.asarray(ids), layer, head, query, window)


def trace_attention_from(
    q: np.ndarray, k: np.ndarray, v: np.ndarray, ids: np.ndarray,
    layer: int, head: int, query: int = -1, window: int | None = None,
) -> Trace:  # fmt: skip
    """The same Trace from queries, keys and values that were captured, each (H, T, D) of a layer.

    So a model that trains elsewhere is explained from what its probe wrote. An axis of one batch,
    (1, H, T, D), may stand before. Raises ValueError as `trace_attention`.
    """
    q, k, v = (array.reshape((1, *array.shape[-3:])) for array in (q, k, v))
    head = _index("head", head, q.shape[1])
    query = _index("query", query, q.shape[2])
    about = {
        "layer": layer, "head": head, "query": query,
        "ids": np.asarray(ids), "head_size": q.shape[3], "window": window,
    }  # fmt: skip
    trace = Trace(about)
    of_head = [torch.from_numpy(np.ascontiguousarray(array[0, head])) for array in (q, k, v)]
    q1, k1, v1 = of_head  # (T, D)
    # This query alone, through the very code that serves all of them.
    q1 = q1[query : query + 1]  # (1, D)
    visible = visible_tokens(k1.size(0), window)[query : query + 1]  # (1, T)
    with torch.no_grad():
        products = products_of(q1, k1)
        attended = attend(q1, k1, v1, visible)
        weighted = weigh(attended.weights, v1)
    for step in _steps(q, k, v, products, attended, weighted, window):
        trace.append(step)
    return trace.finish()


def _steps(
    q: np.ndarray,
    k: np.ndarray,
    v: np.ndarray,
    products: Tensor,
    attended: Attended,
    weighted: Tensor,
    window: int | None,
) -> list[Step]:
    seen, hides = r"j \le i", "the tokens that come later"
    if window is not None:
        seen, hides = rf"i - {window} < j \le i", f"{hides} or more than {window - 1} before"
    return [
        Step(
            "attention.project",
            "Each token's vector becomes a query, a key and a value",
            r"q = x W_Q \quad k = x W_K \quad v = x W_V",
            _PROJECT,
            {"q": q, "k": k, "v": v},
        ),
        Step(
            "attention.products",
            "Multiply the query with each key, dimension by dimension",
            r"p_{jd} = q_d\, k_{jd}",
            f"{_HERE}:products_of#products",
            {"products": products.numpy()},
        ),
        Step(
            "attention.scores",
            "Add the products up: one score for each token",
            r"s_j = q \cdot k_j = \sum_d q_d\, k_{jd}",
            f"{_ATTEND}#scores",
            {"scores": attended.scores.numpy()},
        ),
        Step(
            "attention.scale",
            "Divide by the square root of the head size, so that scores do not grow with it",
            r"\tilde{s}_j = \frac{s_j}{\sqrt{d}}",
            f"{_ATTEND}#scale",
            {"scaled": attended.scaled.numpy()},
        ),
        Step(
            "attention.mask",
            f"Hide {hides}: the model must not see what it is to predict",
            rf"m_j = \tilde{{s}}_j \; \text{{if }} {seen}, \; \text{{else}} -\infty",
            f"{_ATTEND}#mask",
            {"masked": attended.masked.numpy()},
        ),
        Step(
            "attention.softmax",
            "Softmax turns scores into weights that sum to 1",
            r"a_j = \frac{e^{m_j}}{\sum_l e^{m_l}}",
            f"{_ATTEND}#softmax",
            {"weights": attended.weights.numpy()},
        ),
        Step(
            "attention.weigh",
            "Take of each value as much as its weight says",
            r"w_{jd} = a_j\, v_{jd}",
            f"{_HERE}:weigh#weigh",
            {"weighted": weighted.numpy()},
        ),
        Step(
            "attention.output",
            "Add them up: this is what the head read for this token",
            r"o = \sum_j a_j\, v_j",
            f"{_ATTEND}#output",
            {"output": attended.output.numpy()},
        ),
    ]


def _index(name: str, index: int, length: int) -> int:
    if not -length <= index < length:
        raise ValueError(
            f"{name} {index} is not there: this model and text have {length}, 0 to {length - 1}"
        )
    return index % length
