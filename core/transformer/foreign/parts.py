"""Correspondence between the tensors of a foreign file and parts of parameters."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass, replace

from core.files import quoted, quoted_some
from core.transformer.config import ModelConfig
from core.transformer.foreign.families import Names
from core.transformer.parameters import parameter_shapes

LAYER = re.compile(r"h\.(\d+)\.")


@dataclass(frozen=True, slots=True)
class Part:
    """One tensor of a file: rows `first` to before `last` of one of our parameters.

    name, shape  in the file
    transposed   whether it is (in, out) there
    heads        number of heads in the rows, if each head's two halves are interleaved; else 0
    """

    name: str
    shape: tuple[int, ...]
    parameter: str
    first: int
    last: int
    transposed: bool
    heads: int


def parts_of(config: ModelConfig, names: Names, biased: frozenset[str]) -> list[Part]:
    """Returns every tensor in a file of this model; only `biased` modules have biases."""
    H, G, D = config.n_head, config.kv_heads, config.head_width
    parts = []
    for parameter, shape in parameter_shapes(config).items():
        module, _, kind = parameter.rpartition(".")
        layer = found[1] if (found := LAYER.match(module)) else ""
        module = LAYER.sub("h.{n}.", module)
        if kind == "bias" and module not in biased:
            continue
        theirs = names.tensors[module]
        joined = len(theirs) > 1  # queries, keys, values
        first = 0
        for name, rows, heads in zip(theirs, (H * D, G * D, G * D), (H, G, 0)):
            last = first + rows if joined else shape[0]
            size = (last - first, *shape[1:])
            transposed = len(size) > 1 and module in names.transposed
            parts.append(
                Part(
                    f"{name.format(n=layer)}.{kind}",
                    size[::-1] if transposed else size,
                    parameter,
                    first,
                    last,
                    transposed,
                    heads if joined and names.interleaved else 0,
                )
            )
            first = last
    return parts


def without_prefix(names: Names, found: Mapping[str, object]) -> Names:
    """Returns the names for this file, without the prefix if it contains the bare model."""
    if any(name.startswith(names.prefix) for name in found):
        return names
    tensors = {
        module: tuple(name.removeprefix(names.prefix) for name in theirs)
        for module, theirs in names.tensors.items()
    }
    return replace(names, tensors=tensors, prefix="")


def check_parts(
    parts: list[Part],
    found: Mapping[str, tuple[int, ...]],
    names: Names,
    config: ModelConfig,
    what: str,
) -> None:
    """Raises ValueError, with each missing, unexpected or misshaped tensor, if a file does not
    contain exactly these tensors. Tensors that hold no parameters are allowed.
    """
    expected = {part.name: part.shape for part in parts}
    unlearned = [re.compile(pattern) for pattern in names.unlearned]
    tied = {f"{name}.weight" for name in names.tensors["lm_head"]} if config.tie_weights else set()
    missing = sorted(set(expected) - set(found))
    surplus = sorted(
        name
        for name in set(found) - set(expected) - tied
        if not any(pattern.fullmatch(name) for pattern in unlearned)
    )
    shaped = [
        f"{quoted(name)} {quoted(found[name])}, not {shape}"
        for name, shape in expected.items()
        if name in found and found[name] != shape
    ]
    told = [f"missing {quoted_some(missing)}"] if missing else []
    told += [f"not expected {quoted_some(surplus)}"] if surplus else []
    if shaped:
        rest = f" and {len(shaped) - 3:,} more" if len(shaped) > 3 else ""
        told.append(f"misshaped {', '.join(shaped[:3])}{rest}")
    if told:
        raise ValueError(
            f"{what} does not hold the model that its settings describe: {'; '.join(told)}. "
            "Get all of its files from one place"
        )
