"""The memory of a model in training: weights, gradients, optimizer state, activations.

For any transformer, by the formulas of the papers; `core.training.estimates.activations` counts
those of this program's own model exactly. GB are 1e9 bytes, as in the papers.
"""

from __future__ import annotations

from dataclasses import asdict, astuple, dataclass, fields

from core.files import quoted
from core.optimization.optimizers import OPTIMIZERS, optimizer
from core.optimization.rule import Rule
from core.transformer.config import ModelConfig
from core.transformer.parameters import inner_matrices, parameter_count

# Bytes per parameter of weights, gradients and a master copy of the weights.
LAYOUTS = {
    "fp32": (4, 4, 0),
    # Autocast: weights stay in fp32, matrix products cast them; `precision="bf16"` in this program.
    "autocast": (4, 4, 0),
    # Micikevicius et al. 2018, section 3.1: weights and gradients in half precision, and a master
    # copy in fp32 that the optimizer updates.
    "mixed": (2, 2, 4),
}
ZERO_STAGES = (0, 1, 2, 3)
# The first ZeRO stage in which each rank holds only its shard.
SHARDED_FROM = {"weights": 3, "gradients": 2, "optimizer": 1, "master": 1}


@dataclass(frozen=True, slots=True)
class ModelState:
    """Bytes of weights, gradients, optimizer states and the master copy of the weights."""

    weights: float
    gradients: float
    optimizer: float
    master: float

    @property
    def total(self) -> float:
        weights, gradients, optimizer, master = astuple(self)
        total = weights + gradients + optimizer + master  # step: state
        return float(total)


def model_state(parameters: int, remembered: int, layout: str = "mixed") -> ModelState:
    """Returns the whole state of a model on one device.

    remembered  numbers of optimizer state in fp32, for all parameters together; Adam has two for
                each, momentum one, SGD none: see `numbers_remembered`

    Mixed precision with Adam takes 2 + 2 + 8 + 4 = 16 bytes per parameter (Rajbhandari et al. 2020,
    section 3.1); so does fp32 with Adam, 4 + 4 + 8. Raises ValueError for an unknown layout.
    """
    if layout not in LAYOUTS:
        raise ValueError(f"layout {quoted(layout)} is unknown; use {' or '.join(LAYOUTS)}")
    weight_bytes, gradient_bytes, master_bytes = LAYOUTS[layout]
    weights = weight_bytes * parameters  # step: weights
    gradients = gradient_bytes * parameters  # step: gradients
    optimizer = 4 * remembered  # step: optimizer
    master = master_bytes * parameters  # step: master
    return ModelState(weights, gradients, optimizer, master)


def numbers_remembered(model: ModelConfig, name: str) -> int:
    """Returns how many numbers of state an optimizer has for all of a model's weights together.

    An optimizer for matrices only leaves the other parameters, tables and vectors, to AdamW. Raises
    ValueError for an unknown optimizer.
    """
    rule = optimizer(name)
    inner = model.n_layer * sum(rows * columns for rows, columns in inner_matrices(model))
    others = OPTIMIZERS["adamw"] if rule.matrices_only else rule
    return _kept(rule) * inner + _kept(others) * (parameter_count(model) - inner)


def _kept(rule: Rule) -> int:
    """Returns how many numbers of state a rule has for each weight."""
    return len(fields(rule.state))


def shard(state: ModelState, stage: int, ranks: int) -> ModelState:
    """Returns the state on each of N data-parallel ranks (ZeRO; Rajbhandari et al. 2020, figure 1).

    stage 0  everything (DDP): with Adam in mixed precision 16 bytes a parameter
          1  its 1/N of optimizer states and master weights: 4 + 12 / N
          2  and of the gradients: 2 + 14 / N
          3  and of the weights (FSDP): 16 / N

    Raises ValueError for another stage, and for less than one rank.
    """
    if stage not in ZERO_STAGES:
        raise ValueError(f"ZeRO has no stage {stage}; use 0 (none), 1, 2 or 3")
    if ranks < 1:
        raise ValueError(f"{ranks} ranks cannot share a model; use at least 1")
    return ModelState(
        *(
            _share(size, ranks) if stage >= SHARDED_FROM[name] else size
            for name, size in asdict(state).items()
        )
    )


def stage_state(state: ModelState, stages: int) -> ModelState:
    """Returns the state on one stage of a pipeline, assuming that all have equal shares of it."""
    return ModelState(*(_share(size, stages) for size in astuple(state)))


def _share(size: float, ranks: int) -> float:
    share = size / ranks  # step: share
    return share


RECOMPUTATIONS = ("none", "selective", "full")


def activations(
    model: ModelConfig,
    sequences: int,
    recompute: str = "none",
    item: int = 2,
    layers: float | None = None,
) -> float:
    """Returns the bytes that a forward pass saves: `layer_activations` of all layers, and outside
    them the embedding's dropout mask, the final norm, the output head and its logits in fp32
    (Korthikanti et al. 2022, section 4.3). Pass `layers` if a device saves a different number.
    """
    around = around_activations(model, sequences, item)
    layer = layer_activations(model, sequences, recompute, item)
    layers = model.n_layer if layers is None else layers
    kept = layers * layer + around  # step: activations
    return kept


def around_activations(model: ModelConfig, sequences: int, item: int = 2) -> float:
    """Returns the bytes saved outside the layers."""
    tokens = model.block_size * sequences
    return tokens * (model.n_embd * (1 + 2 * item) + 4 * model.vocab_size)


def layer_activations(
    model: ModelConfig, sequences: int, recompute: str = "none", item: int = 2
) -> float:
    """Returns a layer's bytes, for s tokens, b sequences, width h, a heads, in half precision:

    none       s b h (34 + 5 a s / h): all of it, including attention weights and dropout masks
    selective  34 s b h: attention is recomputed (flash attention saves as little)
    full       2 s b h: only the layer's input is saved

    Korthikanti et al. 2022, equation 2 and sections 5 and 6. 34 stands for 16 numbers of 2 bytes
    and two 1-byte masks, 5 for two attention weights and a mask; `item` is the bytes per number.
    The paper's layer has an MLP four times as wide as the model, a key and a value head for every
    query head, and dropout. Raises ValueError for another kind of recomputation.
    """
    s, h = model.block_size, model.n_embd
    factor = kept_bytes(model, recompute, item)
    kept = s * sequences * h * factor  # step: layer
    return float(kept)


def kept_bytes(model: ModelConfig, recompute: str, item: int = 2) -> float:
    """Returns bytes saved per layer and number of the residual stream: see `layer_activations`."""
    if recompute not in RECOMPUTATIONS:
        raise ValueError(
            f"recomputation {quoted(recompute)} is unknown; use {' or '.join(RECOMPUTATIONS)}"
        )
    s, h, a = model.block_size, model.n_embd, model.n_head
    weights = (2 * item + 1) * a * s / h
    return {"none": 16 * item + 2 + weights, "selective": 16 * item + 2, "full": item}[recompute]
