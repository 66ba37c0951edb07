"""Which matrices of a model an adapter changes: selected by the ends of their names, as in peft.

"attn.c_attn" means that matrix of every layer, "h.0.attn.c_attn" that of layer 0, "c_proj" those of
attention and MLP. Queries, keys and values share one matrix, one below the other, and can be
selected separately: "c_attn.q", "c_attn.v".

A model's config determines its matrices: functions here that take a model also accept its config.
"""

from __future__ import annotations

import difflib
import re
from collections.abc import Collection, Sequence
from dataclasses import dataclass, replace

from core.files import quoted
from core.finetuning.lora_config import ALL_LINEAR
from core.transformer.architectures import Config, Model
from core.transformer.config import EncoderDecoderConfig, ModelConfig
from core.transformer.parameters import parameter_shapes

TABLES = ("wte", "wpe")
LAYER = re.compile(r"(?:.*\.)?h\.\d+\.")


@dataclass(frozen=True, slots=True)
class Target:
    """A matrix, or some of its rows.

    name    "h.0.attn.c_attn", "h.0.attn.c_attn.q"
    module  name of the module that has the matrix
    shape   (out, in): numbers of its output and input. An embedding maps the vocabulary, of which
            one token is 1 and the others 0, to the model's width
    first   first of its output rows, and how many; None: all
    """

    name: str
    module: str
    shape: tuple[int, int]
    first: int = 0
    rows: int | None = None

    @property
    def end(self) -> str:
        """The name without its layer: "attn.c_attn"."""
        return LAYER.sub("", self.name)

    @property
    def is_table(self) -> bool:
        """Whether it belongs to an embedding."""
        return self.module.endswith(TABLES)


def targets_of(model: Model | Config) -> list[Target]:
    """Returns every adaptable matrix, in the model's order, each followed by its parts."""
    config = _config_of(model)
    targets = []
    for module, (out, width) in _matrices(config).items():
        whole = Target(module, module, (out, width))
        targets.append(replace(whole, shape=(width, out)) if whole.is_table else whole)
        first = 0
        for letter, rows in _parts(config, module).items():
            targets.append(Target(f"{module}.{letter}", module, (rows, width), first, rows))
            first += rows
    return targets


def find_targets(model: Model | Config, names: Sequence[str]) -> list[Target]:
    """Returns the matrices that any of the names means, in the model's order.

    Raises ValueError, with the nearest valid names, for a name that matches none, and, with the
    reason, for an embedding that is also the output head.
    """
    if isinstance(names, str) or not names:
        raise ValueError(
            f"target_modules is {quoted(names)}; give the names of matrices in a list, such as "
            '("attn.c_attn",)'
        )
    known = targets_of(model)
    found: set[Target] = set()
    for name in names:
        meant = [target for target in known if _means(name, target)]
        if not meant:
            raise ValueError(_nothing_meant(name, known))
        found.update(meant)
    tied = tied_modules(model)
    if shared := sorted(target.module for target in found if target.module in tied):
        raise ValueError(
            f"{shared[0]} cannot be adapted: embedding and output head are one matrix in this "
            "model (they are tied), and a change of one would not be a change of the other; leave "
            "it out, or take a model whose embeddings are not tied"
        )
    return [target for target in known if target in found]


def names_of(model: Model | Config, targets: Collection[Target]) -> tuple[str, ...]:
    """Does the inverse: returns the fewest names that mean exactly these. A matrix with all parts
    selected is named as a whole, so that they share one A; an end means every layer.
    """
    known = targets_of(model)
    parts: dict[str, list[Target]] = {}
    for target in known:
        if target.rows is not None:
            parts.setdefault(target.module, []).append(target)
    whole = {module for module, some in parts.items() if set(some) <= set(targets)}
    meant = [
        target
        for target in known
        if (target in targets or target.name in whole)
        and not (target.rows is not None and target.module in whole)
    ]
    names = []
    for target in meant:
        alike = [one for one in known if one.end == target.end]
        names.append(target.end if set(alike) <= set(meant) else target.name)
    return tuple(dict.fromkeys(names))


def layer_targets(model: Model | Config) -> dict[str, list[Target]]:
    """Returns the matrices in the layers, by their common name: "mlp.c_fc" of layer 0, 1, and so
    on. A matrix with parts is represented by its parts.
    """
    known = [target for target in targets_of(model) if target.end != target.name]
    in_parts = {target.module for target in known if target.rows is not None}
    found: dict[str, list[Target]] = {}
    for target in known:
        if target.rows is not None or target.module not in in_parts:
            found.setdefault(target.end, []).append(target)
    return found


def tied_modules(model: Model | Config) -> set[str]:
    """Returns the modules that share their matrix with another one."""
    config = _config_of(model)
    if isinstance(config, ModelConfig):
        return {"wte", "lm_head"} if config.tie_weights else set()
    tied = {"encoder.wte", "decoder.wte"} if config.share_embeddings else set()
    return tied | ({"decoder.wte", "lm_head"} if config.decoder.tie_weights else set())


def _config_of(model: Model | Config) -> Config:
    return model if isinstance(model, ModelConfig | EncoderDecoderConfig) else model.config


def _matrices(config: Config) -> dict[str, tuple[int, int]]:
    """Returns linear layers and embeddings, including tied ones, with the shape of their weight."""
    shapes = parameter_shapes(config)
    matrices = {
        name.removesuffix(".weight"): (shape[0], shape[1])
        for name, shape in shapes.items()
        if len(shape) == 2
    }
    for name in sorted(tied := tied_modules(config)):
        matrices.setdefault(name, next(matrices[one] for one in tied if one in matrices))
    return matrices


def _parts(config: Config, module: str) -> dict[str, int]:
    """Returns how many rows of a matrix compute queries, keys and values."""
    kind = module.rpartition(".")[2]
    if kind not in ("c_attn", "c_kv"):
        return {}
    if isinstance(config, EncoderDecoderConfig):
        config = config.encoder if module.startswith("encoder.") else config.decoder
    D = config.head_width
    queries = {"q": config.n_head * D} if kind == "c_attn" else {}
    return {**queries, "k": config.kv_heads * D, "v": config.kv_heads * D}


def _means(name: str, target: Target) -> bool:
    if name == ALL_LINEAR:
        return target.rows is None and target.name.rpartition(".")[2].startswith("c_")
    return target.name == name or target.name.endswith(f".{name}")


def _nothing_meant(name: str, known: Sequence[Target]) -> str:
    """Returns a message with the existing names, the nearest first."""
    ends = list(dict.fromkeys(target.end for target in known))
    near = difflib.get_close_matches(str(name), ends, n=3, cutoff=0.5)
    rest = [end for end in ends if end not in near]
    return (
        f"no matrix of this model is called {quoted(name)}; "
        + (f"did you mean {' or '.join(map(quoted, near))}? " if near else "")
        + f"{'There are also' if near else 'there are'} {', '.join(rest)}"
    )
