"""The activations of a model on a text: every head's attention, the residual stream, the logits.

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

# Views, which stack a value of all layers, and the kind of site that each of them stacks.
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
    """Activations of a model as float32 arrays on the CPU; a view that was not requested is None.

    attention     (L, H, T, T)   each row sums to 1
    logits        (T, V)
    residual      (L + 1, T, C)  the input of block 0, and the output of each block
    queries       (L, H, T, D)
    keys, values  (L, G, T, D)   head h reads those of head h // (H / G)
    single        the sites that were requested individually, without the batch axis
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
        """Creates Activations from arrays by name, as in `sites` and in a probe's file, plus "ids".

        Raises ValueError for a name that is neither a view nor a site.
        """
        views = {name: arrays[name] for name in ("ids", *VIEWS) if name in arrays}
        single = {Site.parse(name): arrays[name] for name in arrays if name not in views}
        return cls(**views, single=single)

    def sites(self) -> dict[str, np.ndarray]:
        """Returns the captured arrays by name, without the ids: views first, then single sites."""
        views = {name: getattr(self, name) for name in VIEWS}
        there = {name: array for name, array in views.items() if array is not None}
        return there | {str(site): array for site, array in self.single.items()}

    def at(self, site: Site | str) -> np.ndarray:
        """Returns a single site or a slice of a view: `at("decoder.3.weights")` is `attention[3]`.

        Raises ValueError, with a list of the captured sites, if it was not captured.
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
    """Returns the sites that a view stacks, in order; logits always belong to the decoder."""
    if name == "logits":
        return [Site("decoder", None, "logits")]
    layers = [Site(stack, layer, VIEWS[name]) for layer in range(n_layer)]
    return [Site(stack, 0, "residual_in"), *layers] if name == "residual" else layers


def _places(name: str, length: int) -> dict[Site, int]:
    """Returns each site's index in a view; the output of a block is the input of the next."""
    n_layer = length - (name == "residual")
    places = {site: place for place, site in enumerate(view_sites(name, n_layer))}
    if name == "residual":
        places |= {Site("decoder", layer, "residual_in"): layer for layer in range(n_layer)}
        places[Site("decoder", None, "embedding")] = 0
    return places


def to_array(tensor: Tensor) -> np.ndarray:
    """Returns the values as an array on the CPU: 16-bit floats as float32, other types unchanged. A
    slice of a tensor is copied, so that it does not keep the whole tensor in memory.
    """
    narrow = tensor.dtype in (torch.bfloat16, torch.float16)
    wide = tensor.detach().float() if narrow else tensor.detach()
    return wide.contiguous().cpu().numpy()


def check_ids(model: GPT, ids: Sequence[int] | np.ndarray) -> Tensor:
    """Returns ids as a (1, T) tensor on the model's device. Raises ValueError as `ids_tensor`."""
    model = gpt_of(model)
    return ids_tensor(ids, model.config, model.wte.weight.device, model.wte.num_embeddings)


def ids_tensor(
    ids: Sequence[int] | np.ndarray,
    config: ModelConfig,
    device: torch.device,
    vocab_size: int | None = None,
) -> Tensor:
    """Returns ids as a (1, T) tensor, valid input for a model or stack with this config.
    `vocab_size`: the number of tokens, if the model has more than its config's vocabulary.

    Raises ValueError if there are none or too many, or if one is not in the vocabulary.
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
    """Returns ids as (T,) int64. Raises ValueError, with a remedy, if they are not one text's."""
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
    """Switches dropout and gradients off for a single forward pass.

    Afterwards, each module is back in its previous mode, train or eval: a module that was frozen
    in eval mode stays so.
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
    """Runs the model once on `ids` (T,) and returns the requested activations (None: all `VIEWS`).

    sites    views such as "attention", and single sites such as "decoder.3.scores"
    replace  an intervention (`core.inference.interventions`), applied before values are captured

    Dropout is off during the run; afterwards the model is back in its train or eval mode. Raises
    ValueError for an unknown site, if the request exceeds the machine's memory, and as `check_ids`
    does.
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
    """Returns the peak memory of `capture` in bytes, without the model's own.

    item      bytes per number in the model: 2 in bf16
    explicit  whether scores, masked scores or weights are replaced during the pass
    """
    views, single = _views_and_single(sites)
    looked_at = _looked_at(views, single, config.n_layer, explicit)
    held = item * numbers_held(config, looked_at, n_tokens)
    on_the_way = item * numbers_on_the_way(config, looked_at, n_tokens)
    # Afterwards, all captured tensors become fp32 arrays; logits in fp32 share their memory.
    kinds = [site.kind for view in views for site in view_sites(view, config.n_layer)]
    made = 4 * sum(site_numel(config, kind, n_tokens) for kind in kinds)
    if item != 4 and LOGITS in looked_at:
        made += item * site_numel(config, "logits", n_tokens)
    return held + max(on_the_way, made)


def _views_and_single(sites: Sequence[str | Site] | None) -> tuple[list[str], list[Site]]:
    """Splits a request into views of all layers, in the order of `VIEWS`, and single sites."""
    sites = [sites] if isinstance(sites, (str, Site)) else sites
    wanted = tuple(VIEWS) if sites is None else tuple(sites)
    views = [name for name in VIEWS if name in wanted]
    return views, [_site(name) for name in wanted if name not in VIEWS]


def _looked_at(
    views: list[str], single: list[Site], n_layer: int, explicit: bool = False
) -> set[Site]:
    """Returns the sites that a Look must record for these views and single sites.

    Fused attention returns no weights. Those of all layers are computed faster from queries and
    keys afterwards than one by one during the pass, unless a value after the queries and keys is
    replaced (`explicit`): then weights from queries and keys would miss the replacement.
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
    """Returns one view of `Activations` from the Look's recorded values; see `_looked_at`."""

    def kept(name: str) -> list[Tensor]:
        return [look.values[site][0] for site in view_sites(name, config.n_layer)]

    if name == "attention" and not explicit:
        return _attention(config, kept("queries"), kept("keys"))
    return kept(name)[0] if name == "logits" else torch.stack(kept(name))


def _attention(config: ModelConfig, queries: list[Tensor], keys: list[Tensor]) -> Tensor:
    """Returns all weights, (L, H, T, T), from each layer's queries (H, T, D) and keys (G, T, D)."""
    (H, T, _), device = queries[0].shape, queries[0].device
    weights = _room(device, config.n_layer, H, T, T)
    windows = [config.window_of(layer) for layer in range(config.n_layer)]
    visible = {window: visible_tokens(T, window, device) for window in set(windows)}
    for q, k, window, out in zip(queries, keys, windows, weights, strict=True):
        attention_weights(q.float(), repeat_heads(k, H).float(), visible[window], out=out)
    return weights


def _room(device: torch.device, *shape: int) -> Tensor:
    """Returns an empty float32 tensor; on a CPU, NumPy's huge pages are allocated faster."""
    if device.type == "cpu":
        return torch.from_numpy(np.empty(shape, dtype=np.float32))
    return torch.empty(shape, device=device)
