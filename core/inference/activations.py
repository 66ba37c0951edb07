"""What a model computes on a text, kept: every head's attention, the residual stream, the logits.

Letters in shapes: T tokens, L layers, H heads, G key and value heads, D dimensions a head, C width
of the residual stream, V vocabulary.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field

import numpy as np
import torch
from torch import Tensor, nn

from core.inference.capture_memory import numbers_held, numbers_on_the_way, site_numel
from core.memory import check_memory
from core.transformer.architectures import gpt_of
from core.transformer.attention import attention_weights, repeat_heads, visible_tokens
from core.transformer.config import ModelConfig
from core.transformer.gpt import GPT, LOGITS
from core.transformer.look import EXPLICIT, Look, Replacement, Site, check_sites

# What can be captured of all layers together, stacked; and the kind of site that it stacks.
VIEWS = {
    "attention": "weights",
    "logits": "logits",
    "residual": "residual_out",
    "queries": "queries",
    "keys": "keys",
    "values": "values",
}


@dataclass(frozen=True, slots=True)
class Activations:
    """float32 arrays on the CPU; a view that was not asked for is None.

    attention     (L, H, T, T)   each row sums to 1
    logits        (T, V)
    residual      (L + 1, T, C)  what enters block 0, and what leaves each block
    queries       (L, H, T, D)
    keys, values  (L, G, T, D)   head h reads those of head h // (H / G)
    single        the sites that were asked for by themselves, without the axis of the batch
    """

    ids: np.ndarray
    attention: np.ndarray | None = None
    logits: np.ndarray | None = None
    residual: np.ndarray | None = None
    queries: np.ndarray | None = None
    keys: np.ndarray | None = None
    values: np.ndarray | None = None
    single: Mapping[Site, np.ndarray] = field(default_factory=dict)

    @classmethod
    def of(cls, arrays: Mapping[str, np.ndarray]) -> Activations:
        """From arrays by name, as `sites` gives them and a probe's file holds them, and "ids".

        Raises ValueError for a name that is neither a view's nor a site's.
        """
        views = {name: arrays[name] for name in ("ids", *VIEWS) if name in arrays}
        single = {Site.parse(name): arrays[name] for name in arrays if name not in views}
        return cls(**views, single=single)

    def sites(self) -> dict[str, np.ndarray]:
        """The arrays that are there, by name, without the ids: views, then single sites."""
        views = {name: getattr(self, name) for name in VIEWS}
        there = {name: array for name, array in views.items() if array is not None}
        return there | {str(site): array for site, array in self.single.items()}

    def at(self, site: Site | str) -> np.ndarray:
        """One site, by itself or out of a view: `at("decoder.3.weights")` is `attention[3]`.

        Raises ValueError, naming what was captured, where it was not.
        """
        site = site if isinstance(site, Site) else Site.parse(site)
        if site in self.single:
            return self.single[site]
        for name, view in self.sites().items():
            if name in VIEWS and site in (places := _places(name, len(view))):
                place = view if name == "logits" else view[places[site]]
                return np.asarray(place)
        raise ValueError(
            f"site {site} was not captured; there are {', '.join(self.sites()) or 'none'}"
        )


def view_sites(name: str, n_layer: int, stack: str = "decoder") -> list[Site]:
    """The sites that a view of so many layers stacks, in order; logits are always the decoder's."""
    if name == "logits":
        return [Site("decoder", None, "logits")]
    layers = [Site(stack, layer, VIEWS[name]) for layer in range(n_layer)]
    return [Site(stack, 0, "residual_in"), *layers] if name == "residual" else layers


def _places(name: str, length: int) -> dict[Site, int]:
    """Where each site lies in a view of so many rows; what leaves a block enters the next."""
    n_layer = length - (name == "residual")
    places = {site: place for place, site in enumerate(view_sites(name, n_layer))}
    if name == "residual":
        places |= {Site("decoder", layer, "residual_in"): layer for layer in range(n_layer)}
        places[Site("decoder", None, "embedding")] = 0
    return places


def to_array(tensor: Tensor) -> np.ndarray:
    """The values on the CPU: 16-bit floats as float32, all others as they are. A part of a tensor
    is copied, so that the rest of it does not stay in memory with it.
    """
    narrow = tensor.dtype in (torch.bfloat16, torch.float16)
    wide = tensor.detach().float() if narrow else tensor.detach()
    return wide.contiguous().cpu().numpy()


def check_ids(model: GPT, ids: Sequence[int] | np.ndarray) -> Tensor:
    """ids as a (1, T) tensor on the model's device. Raises ValueError as `ids_tensor` does."""
    model = gpt_of(model)
    return ids_tensor(ids, model.config, model.wte.weight.device, model.wte.num_embeddings)


def ids_tensor(
    ids: Sequence[int] | np.ndarray,
    config: ModelConfig,
    device: torch.device,
    vocab_size: int | None = None,
) -> Tensor:
    """ids as a (1, T) tensor that a model or a stack of that config reads. `vocab_size`: how many
    there are, where the model was given tokens of its own beyond the vocabulary.

    Raises ValueError when there are none, too many, or one is not in the vocabulary.
    """
    vocab_size = vocab_size or config.vocab_size
    array = text_ids(ids)
    if array.size > config.block_size:
        raise ValueError(
            f"{array.size} tokens do not fit: this model reads at most "
            f"{config.block_size}; shorten the text"
        )
    if array.min() < 0 or array.max() >= vocab_size:
        raise ValueError(
            f"token {int(array.max() if array.min() >= 0 else array.min())} is not in the "
            f"vocabulary of {vocab_size} pieces; use the tokenizer that the model "
            "was trained with"
        )
    return torch.from_numpy(array).to(device)[None]  # (1, T)


def text_ids(ids: Sequence[int] | np.ndarray) -> np.ndarray:
    """ids as (T,) int64. Raises ValueError, with the remedy, where they are not those of a text."""
    given = np.asarray(ids)
    if given.size == 0:
        raise ValueError("there are no tokens; type at least one character")
    if given.dtype.kind not in "iu" or not given.ndim or given.size != given.shape[-1]:
        raise ValueError(
            f"ids of type {given.dtype} and shape {given.shape} are not those of one text; give a "
            "list of whole numbers, as tokenizer.encode_ids(text) does"
        )
    return given.astype(np.int64).reshape(-1)


@contextmanager
def looking_at(model: nn.Module) -> Iterator[None]:
    """Dropout off and no gradients, for a single forward pass.

    Afterwards each part of the model is in the mode, train or eval, that it was in before: a part
    that somebody froze stays frozen.
    """
    learning = [module for module in model.modules() if module.training]
    for module in learning:
        module.training = False
    try:
        with torch.no_grad():
            yield
    finally:
        for module in learning:
            module.training = True


def capture(
    model: GPT,
    ids: Sequence[int] | np.ndarray,
    sites: Sequence[str | Site] | None = None,
    replace: Mapping[Site | str, Replacement] | None = None,
) -> Activations:
    """Runs the model once over `ids` (T,) and keeps what is asked for (None: all of `VIEWS`).

    sites    views such as "attention", and single sites such as "decoder.3.scores"
    replace  an intervention (`core.inference.interventions`): what is kept is what follows from it

    The model's train/eval mode is as it was afterwards; dropout is off during the run. Raises
    ValueError for an unknown site, as `check_ids` does, and where the machine's memory cannot hold
    what is asked for.
    """
    model = gpt_of(model)
    views, single = _views_and_single(sites)
    explicit = any(_site(site).kind in EXPLICIT for site in replace or ())
    look = Look(_looked_at(views, single, model.config.n_layer, explicit), replace)
    check_sites(model.config, look)
    batch = check_ids(model, ids)
    item = model.wte.weight.element_size()
    needed = capture_bytes(model.config, batch.size(1), sites, item, explicit)
    what = f"keeping what was asked for of {batch.size(1):,} tokens"
    check_memory(what, needed, "shorten the text, or ask for fewer sites")
    with looking_at(model):
        model(batch, look=look)
        kept = {name: _view(model.config, name, look, explicit) for name in views}
    alone = {site: to_array(look.values[site][0]) for site in single}
    arrays = {name: to_array(tensor) for name, tensor in kept.items()}
    return Activations(ids=batch[0].cpu().numpy(), **arrays, single=alone)


def capture_bytes(
    config: ModelConfig,
    n_tokens: int,
    sites: Sequence[str | Site] | None = None,
    item: int = 4,
    explicit: bool = False,
) -> int:
    """The most memory that `capture` of so many tokens takes, the model's own not counted.

    item      bytes a number in the model: 2 in bf16
    explicit  whether scores, masked scores or weights are replaced on the way
    """
    views, single = _views_and_single(sites)
    looked_at = _looked_at(views, single, config.n_layer, explicit)
    held = item * numbers_held(config, looked_at, n_tokens)
    on_the_way = item * numbers_on_the_way(config, looked_at, n_tokens)
    # Afterwards all that is held becomes arrays of fp32; logits in fp32 are one already.
    kinds = [site.kind for view in views for site in view_sites(view, config.n_layer)]
    made = 4 * sum(site_numel(config, kind, n_tokens) for kind in kinds)
    if item != 4 and LOGITS in looked_at:
        made += item * site_numel(config, "logits", n_tokens)
    return held + max(on_the_way, made)


def _views_and_single(sites: Sequence[str | Site] | None) -> tuple[list[str], list[Site]]:
    """What is asked for: views of all layers, in their order, and single sites."""
    sites = [sites] if isinstance(sites, (str, Site)) else sites
    wanted = tuple(VIEWS) if sites is None else tuple(sites)
    views = [name for name in VIEWS if name in wanted]
    return views, [_site(name) for name in wanted if name not in VIEWS]


def _looked_at(
    views: list[str], single: list[Site], n_layer: int, explicit: bool = False
) -> set[Site]:
    """The sites that a Look has to keep for it.

    Fused attention gives no weights. All layers' are worked out faster from queries and keys than
    one by one on the way. Where something after the queries and keys is replaced (`explicit`), they
    would be those of another model.
    """
    made_of = set(views)
    if "attention" in views and not explicit:
        made_of = made_of - {"attention"} | {"queries", "keys"}
    return {site for name in made_of for site in view_sites(name, n_layer)} | set(single)


def _site(name: str | Site) -> Site:
    if isinstance(name, Site):
        return name
    try:
        return Site.parse(str(name))  # a command from a file may hold anything
    except ValueError as error:
        raise ValueError(f"{error}; or one of all layers: {', '.join(VIEWS)}") from None


def _view(config: ModelConfig, name: str, look: Look, explicit: bool = False) -> Tensor:
    """What `Activations` calls `name`, from what the Look kept; see `_looked_at`."""

    def kept(name: str) -> list[Tensor]:
        return [look.values[site][0] for site in view_sites(name, config.n_layer)]

    if name == "attention" and not explicit:
        return _attention(config, kept("queries"), kept("keys"))
    return kept(name)[0] if name == "logits" else torch.stack(kept(name))


def _attention(config: ModelConfig, queries: list[Tensor], keys: list[Tensor]) -> Tensor:
    """Every head's weights, (L, H, T, T), from its layers' queries (H, T, D) and keys (G, T, D)."""
    (H, T, _), device = queries[0].shape, queries[0].device
    weights = _room(device, config.n_layer, H, T, T)
    windows = [config.window_of(layer) for layer in range(config.n_layer)]
    visible = {window: visible_tokens(T, window, device) for window in set(windows)}
    for q, k, window, out in zip(queries, keys, windows, weights, strict=True):
        attention_weights(q.float(), repeat_heads(k, H).float(), visible[window], out=out)
    return weights


def _room(device: torch.device, *shape: int) -> Tensor:
    """An empty float32 tensor; NumPy asks for huge pages, which the system gives much faster."""
    if device.type == "cpu":
        return torch.from_numpy(np.empty(shape, dtype=np.float32))
    return torch.empty(shape, device=device)
