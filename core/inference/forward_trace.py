"""The whole forward pass, step by step: from the tokens of a text to the next token.

The Trace contains the output of each block. The values inside a block are computed on demand, by
the model's own code, from the block's input, and cached for one block at a time. So the Trace of a
model with 30 layers needs little more memory than the stream between them.

Letters in shapes: B = 1 sequence, T tokens, C width of the residual stream, L layers, H heads, D
dimensions a head, F width of the MLP's hidden layer, V pieces in the vocabulary.
"""

from __future__ import annotations

import math
import operator
from collections.abc import Callable, Generator, Mapping, Sequence
from typing import Any

import numpy as np
import torch
from torch import Tensor

from core.inference.activations import check_ids, looking_at, to_array
from core.inference.forward_outline import SHOWN, outline
from core.inference.indices import check_position
from core.inference.outline_parts import Part, trace_of
from core.inference.sampling import temper
from core.jobs import to_the_end
from core.trace import BUDGET, Trace
from core.transformer import plain
from core.transformer.architectures import gpt_of
from core.transformer.attention import attend, repeat_heads, visible_tokens
from core.transformer.config import ModelConfig
from core.transformer.gpt import GPT
from core.transformer.look import Look, layer_sites
from core.transformer.norms import RMSNorm
from core.transformer.positions import rotate
from core.transformer.precision import full_precision

# The matrix of each step: the module in the block, and the name of its input in `Forward._inside`.
_MATRICES = {
    "project": ("attn.c_attn", "given_1"),
    "join": ("attn.c_proj", "joined"),
    "c_fc": ("mlp.c_fc", "given_2"),
    "gate": ("mlp.c_gate", "given_2"),
    "c_proj": ("mlp.c_proj", "hidden"),
}
# Names in `Forward._inside` for local names of a step's line, if they differ.
_NAMES = {
    "ln_1": {"normed": "given_1", "residual_sum": "sum_1"},
    "attention": {"normed": "given_1"},
    "add_attention": {"residual_sum": "sum_1"},
    "ln_2": {"normed": "given_2", "residual_sum": "sum_2"},
    "mlp": {"normed": "given_2"},
    "add_mlp": {"residual_sum": "sum_2"},
    "project": {"x": "given_1"},
    "scores": {"k": "shared_k"},
    "output": {"v": "shared_v"},
    "join": {"output": "attention_output"},
    "c_fc": {"x": "given_2"},
    "gate": {"x": "given_2"},
    "c_proj": {"output": "mlp_output"},
}

SAMPLED = 192  # rows of the embedding matrix that the Trace keeps

Tensors = dict[str, Tensor]
Numbers = dict[str, Callable[[], np.ndarray] | np.ndarray]


def trace_bytes(config: ModelConfig, tokens: int) -> int:
    """Returns the peak size in bytes of the Trace of a text of this many tokens: the stream between
    the blocks, and the inside of one block.
    """
    T, C, H, D = tokens, config.n_embd, config.n_head, config.head_width
    stream = (config.n_layer + 3) * T * C
    heads = 2 * (2 * H + 2 * config.kv_heads) * T * D + 4 * H * T * T
    hidden = (3 if config.mlp == "swiglu" else 2) * T * config.inner_width
    return 4 * (stream + heads + hidden + 7 * T * C + 4 * config.vocab_size)


def trace_forward(model: GPT, ids: Sequence[int] | np.ndarray, position: int = -1) -> Trace:
    """Traces the forward pass of `ids` (T,), with the prediction after token `position` (negative:
    from the end).

    Steps are nested: `trace.children()` are embedding, blocks, norm, unembedding, softmax and next
    token, `trace.children(i)` the steps inside one of them. The values of inner steps are
    callables, which run the model. `about` has

        position       from 0
        embedding      (R, C)  at most SAMPLED rows of the embedding matrix, evenly spaced
        stream         (2 L + 1, C)  of that token: embedded, then after attention and MLP of each
                       block
        writes         (L, 2)   norms of what attention and MLP add to it
        reads          (L, T)   attention to each token, the mean over heads
        logits         (V,)     of the next token
        probabilities  (V,)

    Raises ValueError for ids that do not fit, for a position that does not exist, and if the inside
    of a block would exceed the memory limit of a Trace.
    """
    return to_the_end(trace_forward_steps(model, ids, position))


def trace_forward_steps(
    model: GPT, ids: Sequence[int] | np.ndarray, position: int = -1
) -> Generator[int, None, Trace]:
    """Traces the forward pass as a job, which yields between blocks."""
    model = gpt_of(model)
    batch = check_ids(model, ids)
    T = batch.size(1)
    position = check_position(position, T)
    if (needed := trace_bytes(model.config, T)) > BUDGET:
        raise ValueError(
            f"to show the inside of a block for {T} tokens would take {needed / 2**20:.0f} MB, and "
            f"the limit is {BUDGET / 2**20:.0f} MB; shorten the text"
        )
    forward = Forward(model, batch, position)
    for layer in range(model.config.n_layer):
        forward.run_block(layer)
        yield layer
    return forward.trace()


class Forward:
    """A forward pass, block by block, with the inside of the last inspected block cached."""

    def __init__(self, model: GPT, batch: Tensor, position: int) -> None:
        self.model, self.batch, self.position = model, batch, position
        self.writes: list[tuple[float, float]] = []
        self.reads: list[np.ndarray] = []
        with looking_at(model):
            self.streams = [model.embed(batch)]  # (1, T, C) each: embedded, after each block
        self.row = [self.streams[0][0, position]]
        self._last: tuple[int, Tensors] | None = None  # the last inspected block and its values
        # Available after all blocks have run:
        self.normed: Tensor  # (1, T, C)
        self.likeliest: Tensor  # (20,) tokens
        self.ends: dict[str, Numbers]

    def run_block(self, layer: int) -> None:
        """Runs the next block and records its output and its effect on the chosen token."""
        at = self.position
        with looking_at(self.model):
            out, q, k, v, mid, attention_output, mlp_output = self._looked(
                layer, *("queries", "keys", "values"),
                *("residual_mid", "attention_output", "mlp_output"),
            )  # fmt: skip
            q1, k, v = q[:, :, at : at + 1], repeat_heads(k, q.size(1)), repeat_heads(v, q.size(1))
            weights = attend(q1, k, v, self._visible(layer)[at : at + 1]).weights  # (1, H, 1, T)
        self.streams.append(out)
        self.row += [mid[0, at], out[0, at]]
        self.writes.append((float(attention_output[0, at].norm()), float(mlp_output[0, at].norm())))
        self.reads.append(to_array(weights[0, :, 0].mean(dim=0)))

    def trace(self) -> Trace:
        """Returns the Trace, after all blocks have run."""
        config, T = self.model.config, self.batch.size(1)
        with looking_at(self.model):
            self.normed = self.model.ln_f(self.streams[-1])  # (1, T, C)
            last = self.model.lm_head(self.normed[0, self.position])  # (V,)
        logits = to_array(last)
        exact = last.double()  # as `core.inference.sampling` does
        probabilities, likeliest = temper(exact, 1.0), temper(exact, 0.0).argmax()
        self.ends = {
            "softmax": {
                "scaled": to_array(exact - exact.max()),
                "probabilities": to_array(probabilities),
            },
            "next": {"logits": to_array(exact), "likeliest": to_array(likeliest)},
        }
        self.likeliest = exact.topk(min(SHOWN, config.vocab_size)).indices  # (20,)
        parts, V = outline(config, T), config.vocab_size
        sampled = np.linspace(0, V - 1, min(V, SAMPLED)).round().astype(int)
        about = {
            "ids": self.batch[0].cpu().numpy(),
            "embedding": to_array(self.model.wte.weight.detach()[sampled]),
            "position": self.position,
            "stream": np.stack([to_array(row) for row in self.row]),
            "writes": np.array(self.writes).reshape(-1, 2),
            "reads": np.array(self.reads).reshape(-1, T),
            "logits": logits,
            "probabilities": probabilities.cpu().numpy(),
            "likeliest": self.likeliest.cpu().numpy(),
        }
        return trace_of(parts, about, lambda index: self._values(parts, index))

    # values

    def _values(self, parts: Sequence[Part], index: int) -> Numbers:
        part, kind = parts[index], parts[index].kind
        if kind in self.ends:
            return self.ends[kind]
        if kind == "embed":
            return {"x": to_array(self.streams[0])}
        if kind == "block":
            return {"x": to_array(self.streams[(part.layer or 0) + 1])}
        if kind == "norm":
            return {"x": to_array(self.streams[-1]), "normed": to_array(self.normed)}
        if kind == "unembed":
            return {"normed": to_array(self.normed), "logits": self._all_logits}

        def later(name: str) -> Callable[[], np.ndarray]:
            return lambda: to_array(self._tensors(parts, index)[name])

        return {name: later(name) for name in part.shapes}

    def _all_logits(self) -> np.ndarray:
        with looking_at(self.model):
            return to_array(self.model.lm_head(self.normed))

    def _tensors(self, parts: Sequence[Part], index: int) -> Tensors:
        """Returns every value of an inner step by its local name."""
        part = parts[index]
        kind, outer = part.kind, parts[part.parent or 0].kind
        model = self.model
        with looking_at(model):
            if outer == "embed":
                return self._embedding(kind)
            if outer == "norm":
                return _norm(model.ln_f, self.streams[-1])
            if outer == "unembed":  # only the rows of the likeliest tokens
                x = self.normed[0, self.position : self.position + 1]  # (1, C)
                weight = model.lm_head.weight[self.likeliest]  # (20, C)
                return {
                    "x": x,
                    "weight": weight,
                    "products": plain.linear(x, weight, None).products,
                }
            inside, block = self._inner(part.layer or 0), model.blocks[part.layer or 0]
            if outer in ("ln_1", "ln_2"):
                pre = model.config.norm_placement == "pre"
                given = {"ln_1": "x", "ln_2": "residual_mid"}[outer] if pre else f"sum_{outer[-1]}"
                return _norm(getattr(block, outer), inside[given])
            if outer == "gelu":
                x = full_precision(inside["up"][0])
                root, inner, hidden = plain.gelu_tanh(x)
                return {"x": x, "root": _number(root), "inner": inner, "hidden": hidden}
            if kind == "rotate":
                return self._rotated(block, inside["given_1"])
            if outer in _MATRICES:
                where, given = _MATRICES[outer]
                made = _linear(operator.attrgetter(where)(block), inside[given])
                if kind == "silu":
                    x = made.get("output", made["products"])
                    return {"x": x, "gate": plain.silu(x)}
                return made
            names = _NAMES.get(kind, {})
            return {name: inside[names.get(name, name)] for name in part.shapes}

    def _embedding(self, kind: str) -> Tensors:
        config, model = self.model.config, self.model
        x = model.wte(self.batch)
        if kind == "token":
            return {"ids": self.batch, "x": x}
        if config.embedding_scale:
            root = _number(math.sqrt(config.n_embd))
            scaled = x * math.sqrt(config.n_embd)
            if kind == "embed.scale":
                return {"x": x, "root": root, "scaled": scaled}
            x = scaled
        position = model.position_rows(0, self.batch.size(1), x.device)
        return {"x": x, "position": position, "placed": self.streams[0]}

    def _inner(self, layer: int) -> Tensors:
        """Returns `_inside`, cached until another block is inspected."""
        if self._last is None or self._last[0] != layer:
            self._last = None  # two at once would double the memory
            self._last = layer, self._inside(layer)
        return self._last[1]

    def _inside(self, layer: int) -> Tensors:
        """Computes the values of all lines of a block and of its two sublayers."""
        model, x = self.model, self.streams[layer]
        block, pre = model.blocks[layer], model.config.norm_placement == "pre"
        out, q, k, v, heads, mid, attention_output, hidden, mlp_output = self._looked(
            layer, *("queries", "keys", "values", "head_output", "residual_mid"),
            *("attention_output", "mlp_hidden", "mlp_output"),
        )  # fmt: skip
        given_1 = block.ln_1(x) if pre else x
        given_2 = block.ln_2(mid) if pre else mid
        shared_k, shared_v = repeat_heads(k, q.size(1)), repeat_heads(v, q.size(1))
        attended = attend(q, shared_k, shared_v, self._visible(layer))
        made = {
            "x": x, "given_1": given_1, "q": q, "k": k, "v": v, "shared_k": shared_k,
            "shared_v": shared_v, "visible": self._visible(layer), **attended._asdict(),
            "joined": heads.transpose(1, 2).flatten(2), "attention_output": attention_output,
            "residual_mid": mid,
            "given_2": given_2, "up": block.mlp.c_fc(given_2), "hidden": hidden,
            "mlp_output": mlp_output, "residual_out": out,
            "root": _number(math.sqrt(q.size(-1))),
        }  # fmt: skip
        if not pre:
            made |= {"sum_1": x + attention_output, "sum_2": mid + mlp_output}
        if model.config.mlp == "swiglu":
            made["gate"] = torch.nn.functional.silu(block.mlp.c_gate(given_2))
        return made

    def _looked(self, layer: int, *kinds: str) -> list[Tensor]:
        """Runs a block and returns its output, then the values at its sites of these kinds."""
        x, sites = self.streams[layer], layer_sites("decoder", layer)
        look = Look(sites[kind] for kind in kinds)
        out = self.model.blocks[layer](x, self.model.rotation(x), look)
        return [out, *(look.values[sites[kind]] for kind in kinds)]

    def _rotated(self, block: Any, given: Tensor) -> Tensors:
        """Returns the halves of the queries before rotation, and of the first one after it."""
        rotation = self.model.rotation(given)
        assert rotation is not None
        q, _, _ = block.attn.split(block.attn.c_attn(given), None)
        first, second = q.chunk(2, dim=-1)
        turned_first, _ = rotate(q, rotation).chunk(2, dim=-1)
        return {
            "first": first, "second": second, "cos": rotation.cos, "sin": rotation.sin,
            "turned_first": turned_first,
        }  # fmt: skip

    def _visible(self, layer: int) -> Tensor:
        config = self.model.config
        return visible_tokens(self.batch.size(1), config.window_of(layer), self.batch.device)


def _linear(module: Any, given: Tensor) -> Tensors:
    x, weight = full_precision(given[0]), full_precision(module.weight)
    bias = None if module.bias is None else full_precision(module.bias)
    made = plain.linear(x, weight, bias)
    return _there({"x": x, "weight": weight, "bias": bias, **made._asdict()})


def _norm(module: Any, given: Tensor) -> Tensors:
    x, weight = full_precision(given[0]), full_precision(module.weight)
    here = {"x": x, "weight": weight, "eps": _number(module.eps)}
    if isinstance(module, RMSNorm):
        return {**here, **plain.rms_norm(x, weight, module.eps)._asdict()}
    bias = None if module.bias is None else full_precision(module.bias)
    made = plain.layer_norm(x, weight, bias, module.eps)
    return _there({**here, "bias": bias, **made._asdict()})


def _number(value: float) -> Tensor:
    return torch.tensor(value, dtype=torch.float64)


def _there(tensors: Mapping[str, Tensor | None]) -> Tensors:
    return {name: tensor for name, tensor in tensors.items() if tensor is not None}
