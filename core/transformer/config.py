"""ModelConfig: the shape of a transformer, and the few switches in which the papers differ.

Field names follow nanoGPT's; None means the value that the paper derives. Papers: Attention Is All
You Need (Vaswani et al. 2017), GPT-1 (Radford et al. 2018), GPT-2 (Radford et al. 2019), GPT-3
(Brown et al. 2020), LLaMA (Touvron et al. 2023).
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict, dataclass, fields
from typing import Any

from core.files import quoted, quoted_some

FORMAT = 1  # of config.json
LARGEST = 1 << 40  # of any number of a config: what is beyond it is damaged, or a slip
ARCHITECTURE = "gpt"

# Per field, what can be built today and what is known but still to come.
_CHOICES: dict[str, tuple[tuple[str, ...], tuple[str, ...]]] = {
    "norm": (("layer_norm", "rms_norm"), ()),
    "norm_placement": (("pre", "post"), ()),
    "positions": (("learned", "rope"), ("sinusoidal",)),
    "mlp": (("relu", "gelu", "gelu_tanh", "swiglu"), ()),
}


@dataclass(frozen=True, kw_only=True)
class ModelConfig:
    """The shape of a decoder-only transformer.

    vocab_size, block_size   pieces in the vocabulary; longest context, in tokens
    n_layer, n_head, n_embd  blocks; heads a block; width of the residual stream
    n_kv_head                key and value heads, each shared by n_head / n_kv_head heads (None:
                             n_head)
    head_size                dimensions a head (None: n_embd / n_head)
    n_inner                  width of the MLP's hidden layer (None: 4 n_embd, AIAYN section 3.3;
                             with "swiglu" 8/3 n_embd, as many weights in three layers as otherwise
                             in two: Shazeer 2020, section 3)
    dropout                  probability, after embedding, attention weights and each sublayer
    bias                     biases in linear layers and norms
    norm, norm_eps           "layer_norm" or "rms_norm"; added to the variance or mean square
    norm_placement           "pre": x + f(norm(x)), and a final norm (GPT-2 section 2.3);
                             "post": norm(x + f(x)), none at the end (GPT-1, AIAYN section 3.1)
    positions                "learned": a table of block_size rows (GPT-1 section 4.1); "rope":
                             queries and keys are turned (Su et al. 2021)
    rope_base                how slowly the slowest pair of dimensions turns
    mlp                      "relu", "gelu" (exact), "gelu_tanh" (the approximation that GPT-1 and
                             GPT-2 used), "swiglu" (LLaMA section 2.2)
    window                   None: every earlier token is visible; or one entry a layer, repeated
                             over the layers: (None, 128) is GPT-3's dense and locally banded
                             alternation (section 2.1)
    tie_weights              the output head is the token embedding (AIAYN section 3.4)

    Raises ValueError, with the remedy, for an impossible value, and says "not yet" for one that is
    still to be built.
    """

    vocab_size: int
    block_size: int
    n_layer: int
    n_head: int
    n_embd: int
    n_kv_head: int | None = None
    head_size: int | None = None
    n_inner: int | None = None
    dropout: float = 0.0
    bias: bool = True
    norm: str = "layer_norm"
    norm_eps: float = 1e-5
    norm_placement: str = "pre"
    positions: str = "learned"
    rope_base: float = 10_000.0
    rope_scaling: float | None = None
    mlp: str = "gelu_tanh"
    window: tuple[int | None, ...] | None = None
    embedding_scale: bool = False
    tie_weights: bool = True

    def __post_init__(self) -> None:
        if isinstance(self.window, list):  # as JSON has no tuples
            object.__setattr__(self, "window", tuple(self.window))
        self._check_sizes()
        self._check_choices()

    def _check_sizes(self) -> None:
        for name in ("vocab_size", "block_size", "n_layer", "n_head", "n_embd"):
            _positive_integer(name, getattr(self, name))
        for name in ("n_kv_head", "head_size", "n_inner"):
            if getattr(self, name) is not None:
                _positive_integer(name, getattr(self, name))
        if self.head_size is None and self.n_embd % self.n_head != 0:
            below = self.n_embd - self.n_embd % self.n_head
            raise ValueError(
                f"n_embd {self.n_embd} is not divisible by n_head {self.n_head}; "
                f"use n_embd {below or self.n_head} or {below + self.n_head}, another n_head, "
                f"or set head_size"
            )
        if not 0.0 <= self.dropout < 1.0:
            raise ValueError(
                f"dropout {self.dropout} is no probability below 1; 0.0 to 0.3 are usual"
            )
        if not 0.0 < self.norm_eps < 1.0:
            raise ValueError(f"norm_eps {self.norm_eps} must lie between 0 and 1; 1e-5 is usual")
        if self.window is not None:
            if not self.window:
                raise ValueError(
                    "window () is empty; use None, or one entry a layer such as (None, 128)"
                )
            for entry in self.window:
                if entry is not None:
                    _positive_integer("window", entry)

    def _check_choices(self) -> None:
        for name, (now, later) in _CHOICES.items():
            value, usable = getattr(self, name), " or ".join(map(repr, now))
            if value in later:
                raise ValueError(f"{name} {quoted(value)} is known but not built yet; use {usable}")
            if value not in now:
                raise ValueError(f"{name} {quoted(value)} is unknown; use {usable}")
        if self.n_head % self.kv_heads != 0:
            fitting = [n for n in range(1, self.n_head + 1) if self.n_head % n == 0]
            raise ValueError(
                f"n_kv_head {self.n_kv_head} does not divide n_head {self.n_head}; use "
                f"{' or '.join(map(str, fitting))}"
            )
        if self.positions == "rope" and self.head_width % 2 != 0:
            raise ValueError(
                f"rope turns pairs of dimensions, and a head of {self.head_width} has one left "
                f"over; use head_size {self.head_width + 1}, or positions 'learned'"
            )
        if not 1.0 < self.rope_base < float("inf"):
            raise ValueError(f"rope_base {self.rope_base} must be above 1; 10000 is usual")
        if self.rope_scaling is not None:
            raise ValueError("rope_scaling is not built yet; leave it None")
        if self.embedding_scale:
            raise ValueError("embedding_scale is not built yet; leave it False")

    @property
    def head_width(self) -> int:
        """Dimensions of one head: head_size, or n_embd / n_head."""
        return self.head_size or self.n_embd // self.n_head

    @property
    def kv_heads(self) -> int:
        """Key and value heads: n_kv_head, or n_head."""
        return self.n_kv_head or self.n_head

    @property
    def inner_width(self) -> int:
        """Width of the MLP's hidden layer: n_inner, or what the paper derives from n_embd."""
        return self.n_inner or (8 * self.n_embd // 3 if self.mlp == "swiglu" else 4 * self.n_embd)

    def window_of(self, layer: int) -> int | None:
        """How many tokens a query of this layer sees, itself included; None: all earlier ones."""
        return None if self.window is None else self.window[layer % len(self.window)]

    def to_json(self) -> dict[str, Any]:
        """What config.json holds."""
        return {"architecture": ARCHITECTURE, "format": FORMAT, **asdict(self)}

    @classmethod
    def from_json(cls, values: Mapping[str, Any]) -> ModelConfig:
        """The config that `to_json` wrote.

        Raises ValueError for another architecture, a newer format, an unknown or missing field, and
        for what the constructor refuses.
        """
        values = dict(values)
        architecture = values.pop("architecture", ARCHITECTURE)
        if architecture != ARCHITECTURE:
            raise ValueError(
                f"architecture {quoted(architecture)} cannot be opened; this version opens "
                f"{ARCHITECTURE!r}"
            )
        version = values.pop("format", FORMAT)
        if not isinstance(version, int) or version > FORMAT:
            raise ValueError(
                f"config format {quoted(version)} is newer than {FORMAT}; update LLM Explorer to "
                "open it"
            )
        known = {field.name for field in fields(cls)}
        if unknown := sorted(set(values) - known):
            raise ValueError(
                f"unknown model field {quoted_some(unknown)}; the fields are "
                f"{', '.join(sorted(known))}"
            )
        try:
            return cls(**values)
        except TypeError as error:
            raise ValueError(
                f"the model config is incomplete or has a value of the wrong type: {error}"
            ) from error


def _positive_integer(name: str, value: object) -> None:
    if isinstance(value, bool) or not isinstance(value, int) or value < 1:
        raise ValueError(f"{name} must be a whole number of at least 1, not {quoted(value)}")
    if value > LARGEST:
        raise ValueError(f"{name} {quoted(value)} is larger than any model's; choose less")
