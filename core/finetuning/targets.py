"""Which matrices of a model an adapter changes: found by the ends of their names, as in peft.

"attn.c_attn" means that matrix of every layer, "h.0.attn.c_attn" that of layer 0, "c_proj" those of
attention and MLP. Queries, keys and values lie in one matrix below one another, and can be meant
each: "c_attn.q", "c_attn.v".
"""

from __future__ import annotations

import difflib
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from torch import nn

from core.files import quoted
from core.finetuning.quantized_linear import QuantizedLinear
from core.transformer.architectures import Model
from core.transformer.attention import Attention
from core.transformer.cross_attention import CrossAttention

ALL_LINEAR = "all-linear"  # peft's name for every matrix but the output head


@dataclass(frozen=True, slots=True)
class Target:
    """A matrix, or some of its rows.

    name    "h.0.attn.c_attn", "h.0.attn.c_attn.q"
    module  the name of the module that has the matrix
    first   the first of its output rows, and how many; None: all
    """

    name: str
    module: str
    first: int = 0
    rows: int | None = None


def targets_of(model: Model) -> list[Target]:
    """Every matrix that can be adapted, in the model's order, each with its parts after it."""
    return [target for name, module in _matrices(model) for target in _parts(model, name, module)]


def find_targets(model: Model, names: Sequence[str]) -> list[Target]:
    """Those that one of the names means, in the model's order.

    Raises ValueError, with the nearest names that there are, for one that means none, and, with the
    reason, for an embedding that is the output head as well.
    """
    if isinstance(names, str) or not names:
        raise ValueError(
            f"target_modules is {quoted(names)}; give the names of matrices in a list, such as "
            '("attn.c_attn",)'
        )
    known = targets_of(model)
    found: dict[str, Target] = {}
    for name in names:
        meant = [target for target in known if _means(name, target)]
        if not meant:
            raise ValueError(_nothing_meant(name, known))
        found |= {target.name: target for target in meant}
    tied = tied_modules(model)
    if shared := [target.module for target in found.values() if target.module in tied]:
        raise ValueError(
            f"{shared[0]} cannot be adapted: embedding and output head are one matrix in this "
            "model (they are tied), and a change of one would not be a change of the other; leave "
            "it out, or take a model whose embeddings are not tied"
        )
    return [target for target in known if target.name in found]


def tied_modules(model: Model) -> set[str]:
    """Modules whose matrix is also that of another one."""
    holders: dict[int, list[str]] = {}
    for name, module in _matrices(model):
        for parameter in module.parameters():
            holders.setdefault(id(parameter), []).append(name)
    return {name for names in holders.values() if len(names) > 1 for name in names}


def _matrices(model: nn.Module) -> Iterator[tuple[str, nn.Module]]:
    """Linear layers and embeddings, also quantized ones, and also where one has adapters already: a
    module that holds such a `base` stands for it.
    """
    inside: tuple[str, ...] = ()
    for name, module in model.named_modules():
        if any(name.startswith(outer) for outer in inside):
            continue
        if isinstance(module, (nn.Linear, nn.Embedding, QuantizedLinear)) or hasattr(
            module, "base"
        ):
            inside = (*inside, f"{name}.")
            yield name, module


def _parts(model: Model, name: str, module: nn.Module) -> Iterator[Target]:
    yield Target(name, name)
    owner, _, kind = name.rpartition(".")
    attention = model.get_submodule(owner)
    if not isinstance(attention, (Attention, CrossAttention)) or kind not in ("c_attn", "c_kv"):
        return
    D = attention.head_width
    sizes = {"q": attention.n_head * D, "k": attention.n_kv_head * D, "v": attention.n_kv_head * D}
    if kind == "c_kv":
        del sizes["q"]
    first = 0
    for letter, rows in sizes.items():
        yield Target(f"{name}.{letter}", name, first, rows)
        first += rows


def _means(name: str, target: Target) -> bool:
    if name == ALL_LINEAR:
        return target.rows is None and target.name.rpartition(".")[2].startswith("c_")
    return target.name == name or target.name.endswith(f".{name}")


def _nothing_meant(name: str, known: Sequence[Target]) -> str:
    """Says which names there are, the nearest first."""
    ends = list(dict.fromkeys(_end(target.name) for target in known))
    near = difflib.get_close_matches(str(name), ends, n=3, cutoff=0.5)
    rest = [end for end in ends if end not in near]
    return (
        f"no matrix of this model is called {quoted(name)}; "
        + (f"did you mean {' or '.join(map(quoted, near))}? " if near else "")
        + f"There {'are also' if near else 'are'} {', '.join(rest)}"
    )


def _end(name: str) -> str:
    """The name without its layer: "attn.c_attn"."""
    parts = name.split(".")
    numbers = [place for place, part in enumerate(parts) if part.isdecimal()]
    return ".".join(parts[numbers[-1] + 1 :] if numbers else parts)
