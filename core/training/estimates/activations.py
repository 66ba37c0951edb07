"""The memory of this program's model during one optimizer step, byte for byte.

The forward pass saves tensors that the backward pass needs: `kept` adds them up, part by part.
`step_memory` follows the memory through a step; a device must have at least the largest of its
numbers. `core.training.estimates.memory` has the formulas of the papers, which need fewer inputs
and fit any transformer.

Letters: B sequences, T tokens, C width of the residual stream, V pieces in the vocabulary, L
layers, H heads, G key and value heads, D dimensions a head, F width of the MLP's hidden layer.
"""

from __future__ import annotations

from dataclasses import astuple, dataclass

from core.transformer.config import ModelConfig
from core.transformer.parameters import inner_matrices, parameter_count

FULL, HALF = 4, 2  # bytes of a number in fp32, in bf16 or fp16
PRECISIONS = ("fp32", "tf32", "bf16", "fp16")


@dataclass(frozen=True, slots=True)
class Kept:
    """Bytes that the forward pass of one micro-batch saves for its backward pass.

    embedding    token ids, positions, and a mask if there is dropout
    blocks       all blocks together
    final        the final norm, and the input of the output head
    loss         the logarithm of every probability (B, T, V), always in fp32
    casts        weights in half precision, which autocast makes once and caches
    """

    embedding: int
    blocks: int
    final: int
    loss: int
    casts: int

    @property
    def total(self) -> int:
        embedding, blocks, final, loss, casts = astuple(self)
        total = embedding + blocks + final + loss + casts  # step: kept
        return int(total)


def kept(
    model: ModelConfig,
    sequences: int,
    precision: str = "fp32",
    device: str = "cpu",
    recompute: bool = False,
) -> Kept:
    """Returns the bytes saved for one micro-batch of so many whole sequences, in training mode.

    precision  "fp32", "tf32" (fp32 in memory), or "bf16" and "fp16": autocast, with weights and
               residual stream in fp32
    device     "cpu" or "cuda": their kernels save different tensors
    recompute  activation checkpointing: a block saves only its input and is recomputed in the
               backward pass (Chen et al. 2016)
    """
    C, T, V = model.n_embd, model.block_size, model.vocab_size
    tokens = sequences * T
    item = number_bytes(precision)
    ids = 8 * tokens + (8 * T if model.positions == "learned" else 0)
    angles = FULL * T * model.head_width if model.positions == "rope" else 0
    mask = mask_bytes(C, FULL, device) if model.dropout else 0
    if recompute:
        blocks = model.n_layer * tokens * FULL * C
    else:
        layers = range(model.n_layer)
        blocks = sum(_block(model, layer, sequences, item, device) for layer in layers)
    last = _norm(model, device) if model.norm_placement == "pre" else 0
    return Kept(
        embedding=ids + angles + tokens * mask,
        blocks=blocks,
        final=tokens * (last + item * C),
        loss=tokens * FULL * V,
        casts=0 if item == FULL else HALF * _matrix_numbers(model),
    )


def _block(model: ModelConfig, layer: int, sequences: int, item: int, device: str) -> int:
    return sum(block_tensors(model, layer, sequences, item, device).values())


def block_parts(
    model: ModelConfig, layer: int, sequences: int, item: int, device: str
) -> dict[str, int]:
    """Returns the bytes saved by a block: attention, MLP, two norms, two dropouts after them."""
    parts = {"attention": 0, "mlp": 0, "norms": 0, "dropout": 0}
    owners = {"attn": "attention", "mlp": "mlp", "ln_1": "norms", "ln_2": "norms"}
    for name, size in block_tensors(model, layer, sequences, item, device).items():
        parts[owners.get(name.partition(".")[0], name)] += size
    return parts


def block_tensors(
    model: ModelConfig, layer: int, sequences: int, item: int, device: str
) -> dict[str, int]:
    """Returns the same bytes by the operation that needs them in backward.

    A matrix needs its input for its own gradient, and a norm's gains the numbers they multiply:
    "attn.c_attn", "ln_1.weight". The other operations need numbers to pass the gradient on to
    earlier parameters: "ln_1", "attn" (the heads), "mlp" (the activation function), "dropout".
    """
    C, F, H, D = model.n_embd, model.inner_width, model.n_head, model.head_width
    tokens = sequences * model.block_size
    heads, joined = _heads(model, layer, sequences, item, device)
    norm, gain = norm_bytes(model, device)
    bend, hidden = {"relu": (1, 0), "swiglu": (3, 1)}.get(model.mlp, (1, 1))
    # In half precision each of the gate's two layers saves a cast of their common input.
    gate = item * C if model.mlp == "swiglu" and item < FULL else 0
    return {
        "ln_1": tokens * norm,
        "ln_1.weight": tokens * gain,
        "attn.c_attn": tokens * item * C,
        "attn": heads,
        "attn.c_proj": 0 if joined else tokens * item * H * D,
        "ln_2": tokens * norm,
        "ln_2.weight": tokens * gain,
        "mlp.c_fc": tokens * item * C,
        "mlp.c_gate": tokens * gate,
        "mlp": tokens * item * bend * F,
        "mlp.c_proj": tokens * item * hidden * F,
        "dropout": tokens * 2 * mask_bytes(C, item, device) if model.dropout else 0,
    }


def _norm(model: ModelConfig, device: str) -> int:
    """Returns the bytes of a norm per token."""
    return sum(norm_bytes(model, device))


def norm_bytes(model: ModelConfig, device: str) -> tuple[int, int]:
    """Returns bytes per token: a norm saves its fp32 input, and mean and deviation of each token.

    Torch's RMS norm consists of single operations on a CPU: its gains save what they multiply.
    """
    C = model.n_embd
    if model.norm == "rms_norm":
        return FULL * (C + 1), FULL * C if device == "cpu" else 0
    return FULL * (C + 2), 0


def _heads(
    model: ModelConfig, layer: int, sequences: int, item: int, device: str
) -> tuple[int, bool]:
    """Returns the bytes of queries, keys and values, of the attention weights without a fused
    kernel, and of the heads' output; and whether that is the same tensor that `c_proj` reads.
    """
    tokens, T = sequences * model.block_size, model.block_size
    H, G, D = model.n_head, model.kv_heads, model.head_width
    shared, turned = G < H, model.positions == "rope"
    if not is_fused(model, item, device):
        # Copies of queries, keys and values, as the products need them, and weights (B, H, T, T),
        # which the softmax saves in fp32; with dropout, torch's own explicit path in fp32, which
        # also saves mask and result.
        size, square = (FULL, 3 * FULL) if model.dropout else (item, FULL + item)
        explicit = size * 3 * H * D + square * H * T
        hidden = 0 if model.dropout else T * T
        return tokens * explicit + hidden, False
    projected = 0 if turned and shared else (H + 2 * G) * D
    own = (H * D if turned else 0) + (H * D if turned or shared else 0) + (H * D if shared else 0)
    mask = FULL * T * T if model.window_of(layer) is not None else 0
    # Laid out like the queries: if these were rotated, joining the heads makes a copy.
    return tokens * (item * (projected + own + H * D) + FULL * H) + mask, not turned


def is_fused(model: ModelConfig, item: int, device: str) -> bool:
    """Returns whether attention runs in one kernel that saves no weights: see `Attention.read`."""
    return device != "cpu" or (item == FULL and not model.dropout)


def mask_bytes(numbers: int, item: int, device: str) -> int:
    """Returns a dropout mask's bytes: a CPU saves it in its input's type, a GPU as single bytes."""
    return numbers * (item if device == "cpu" else 1)


def _matrix_numbers(model: ModelConfig) -> int:
    """Returns the weights in matrix products: all layers' matrices and the output head."""
    inner = sum(rows * columns for rows, columns in inner_matrices(model))
    return model.n_layer * inner + model.vocab_size * model.n_embd


def number_bytes(precision: str) -> int:
    """Returns bytes per input of a matrix product. Raises ValueError for an unknown precision."""
    if precision not in PRECISIONS:
        raise ValueError(f"precision {precision!r} is unknown; use {' or '.join(PRECISIONS)}")
    return HALF if precision in ("bf16", "fp16") else FULL


def step_memory(
    model: ModelConfig,
    sequences: int,
    remembered: int,
    precision: str = "fp32",
    device: str = "cpu",
    recompute: bool = False,
    micro_batches: int = 1,
) -> dict[str, int]:
    """Returns the bytes of all tensors at the moments of a step where they peak, by name.

    remembered     numbers of optimizer state, for all weights together (AdamW: two each)
    micro_batches  more than one: gradients of earlier ones exist from the beginning

    Weights and optimizer state are always in memory. The backward pass frees a block's activations
    and adds its gradients, both linearly in between, so memory peaks at one of its ends. Each end
    is taken at its own largest temporary tensors.
    """
    C, V = model.n_embd, model.vocab_size
    tokens = sequences * model.block_size
    item = number_bytes(precision)
    held = kept(model, sequences, precision, device, recompute)
    count = parameter_count(model)
    table = FULL * V * C  # the output head's gradient
    always = FULL * (count + remembered)
    gradients = FULL * count
    earlier = gradients if micro_batches > 1 else 0
    start = always + earlier
    logits = tokens * FULL * V
    own = _block(model, 0, sequences, item, device)
    again = own if recompute else 0
    temporary = temporaries(model, sequences, item, device)
    # In half precision a weight's gradient is computed in it and then cast.
    cast = HALF * V * C if item < FULL else 0
    # A tied table has a gradient from the output head and one from the embedding. Autograd adds
    # them in place if the first was cast, else in a third table.
    tied = (table if item < FULL else 2 * table) if model.tie_weights else 0
    before = held.total - held.loss - held.final
    first = held.embedding + own
    head = tokens * item * V + table + cast
    return {
        "forward, last block": start + before + temporary.forward,
        "loss": start + held.total + 2 * logits,
        "backward, output head": start + before + held.final + head,
        "backward, last block": always + max(earlier, table) + before + again + temporary.backward,
        "backward, first block": always + gradients + first + temporary.backward,
        "backward, embedding": always + gradients + tied + tokens * FULL * C,
        "optimizer": always + gradients,
    }


@dataclass(frozen=True, slots=True)
class Temporaries:
    """Bytes in addition to saved tensors, at a block's largest moment in each direction."""

    forward: int
    backward: int


def temporaries(model: ModelConfig, sequences: int, item: int, device: str) -> Temporaries:
    """Returns the bytes of temporary gradients of a block's saved tensors.

    In the MLP: those of its hidden layer, before and after the activation function. GELU frees one
    before it needs the other; ReLU and the gate need both. In attention, after the MLP's are freed:
    those of queries, keys and values, and in explicit attention two of shape (B, H, T, T) in fp32;
    its forward pass holds scores, scaled ones and, in fp32, masked ones at once.
    """
    tokens = sequences * model.block_size
    residual = FULL * model.n_embd
    size = FULL if model.dropout else item
    square = 0 if is_fused(model, item, device) else model.n_head * model.block_size
    values = size * 3 * model.n_head * model.head_width
    of_mlp = item * model.inner_width * (1 if model.mlp.startswith("gelu") else 2)
    of_block = block_parts(model, 0, sequences, item, device)
    gone = _norm(model, device) + of_block["mlp"] // tokens
    backward = max(of_mlp, 2 * FULL * square + values - gone)
    return Temporaries(
        forward=tokens * ((2 * size + FULL) * square + residual - gone),
        backward=tokens * (backward + residual),
    )
