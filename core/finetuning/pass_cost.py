"""What one pass of fine-tuning keeps in memory and computes, from configs alone.

A frozen matrix needs no gradient, so its input is not kept. But the gradient passes through it to
everything trainable before it: it is multiplied by the transpose, and heads, norms and
nonlinearities keep their numbers. Layers before the first trainable one keep nothing and have no
backward pass. So a method that trains few numbers saves the optimizer's memory, and less of the
rest.

Letters: C width of the residual stream, V vocabulary size, H heads, D dimensions a head, F width of
the MLP's hidden layer, r a rank, m the width of a bottleneck.
"""

from __future__ import annotations

from dataclasses import dataclass, field, replace

from core.finetuning.trainable_parameters import Shapes
from core.training.estimates.activations import (
    FULL,
    HALF,
    block_tensors,
    is_fused,
    mask_bytes,
    norm_bytes,
    number_bytes,
)
from core.transformer.config import ModelConfig
from core.transformer.parameters import inner_matrices

# Extra work as the time of this many bytes moved: per number of a matrix in NF4, of an output that
# LoRA adds to, of a matrix whose rows DoRA measures. Fitted, as in `estimates.pass_seconds`.
WRITTEN_OUT = 3.1
ADDED_TO = 6.6
MEASURED = 1.1


@dataclass(slots=True)
class Work:
    """The cost of one forward and backward pass over a micro-batch.

    kept   bytes that forward keeps until backward, without the `loss`
    loss   bytes of the probabilities of all tokens
    forward, backward
           multiplications and additions in matrix products
    moved  bytes of activations written between the products
    """

    kept: int = 0
    loss: int = 0
    forward: float = 0.0
    backward: float = 0.0
    moved: float = 0.0


def work_of(
    config: ModelConfig,
    shapes: Shapes,
    sequences: int,
    tokens: int,
    *,
    precision: str = "fp32",
    device: str = "cpu",
    recompute: bool = False,
    quantized: bool = False,
    dropout: float = 0.0,
) -> Work:
    """Returns the work for `sequences` texts of `tokens` tokens.

    shapes     the trainable parameters: `trainable_shapes`
    quantized  whether the layers' matrices are in NF4, and dequantized in both directions
    dropout    LoRA's
    """
    walk = _Walk(
        replace(config, block_size=tokens),
        shapes,
        sequences,
        item=number_bytes(precision),
        device=device,
        recompute=recompute,
        quantized=quantized,
        dropout=dropout,
    )
    return walk.to_the_end()


@dataclass
class _Walk:
    """Walks from the embedding to the loss.

    item    bytes of a number in a matrix product
    stream  whether a gradient flows back into the residual stream here
    branch  whether one flows back into the output of the sublayer so far
    """

    config: ModelConfig
    shapes: Shapes
    sequences: int
    item: int
    device: str
    recompute: bool
    quantized: bool
    dropout: float
    work: Work = field(default_factory=Work)
    stream: bool = False
    branch: bool = False

    @property
    def tokens(self) -> int:
        """Tokens of all sequences together."""
        return self.sequences * self.config.block_size

    def to_the_end(self) -> Work:
        self._embedding()
        for layer in range(self.config.n_layer):
            self._block(layer)
        self._head()
        return self.work

    # -- what learns ------------------------------------------------------------------------------

    def _learns(self, module: str) -> bool:
        return any(name.startswith(f"{module}.") for name in self.shapes)

    def _updates(self, module: str) -> list[tuple[tuple[int, ...], tuple[int, ...], bool]]:
        """Returns, per part of a matrix that LoRA adapts: shapes of A and B; whether it is DoRA."""
        found = []
        for name, shape in self.shapes.items():
            if name.startswith(f"{module}.") and name.endswith(".A"):
                part = name.removesuffix(".A")
                found.append((shape, self.shapes[f"{part}.B"], f"{part}.magnitude" in self.shapes))
        return found

    # -- parts ------------------------------------------------------------------------------------

    def _embedding(self) -> None:
        C, T = self.config.n_embd, self.config.block_size
        for module, rows in (("wte", self.tokens), ("wpe", T)):
            if self._learns(module):
                self.work.kept += 8 * rows
                self.stream = True
        for A, B, _ in self._updates("wte"):
            self.work.kept += FULL * self.tokens * A[0]
            self.work.forward += 2 * self.tokens * A[0] * B[0]
            self.work.backward += 4 * self.tokens * A[0] * B[0]
        if self.stream and self.config.dropout:
            self.work.kept += self.tokens * mask_bytes(C, FULL, self.device)
        if self.config.positions == "rope" and self._anything_before("h"):
            self.work.kept += FULL * T * self.config.head_width

    def _anything_before(self, module: str) -> bool:
        """Returns True if a module or any before it learns, so that backward reaches its heads."""
        return self.stream or self._learns(module)

    def _block(self, layer: int) -> None:
        config, at = self.config, f"h.{layer}"
        kept = block_tensors(config, layer, self.sequences, self.item, self.device)
        self.work.moved += sum(kept.values()) / 3
        before = self.work.kept
        attention, qkv = self.tokens * config.n_head * config.head_width, inner_matrices(config)[0]
        hidden, out = (config.inner_width, config.n_embd), (config.n_embd, config.inner_width)
        is_pre = config.norm_placement == "pre"

        self.branch = self.stream
        if is_pre:
            self._norm(f"{at}.ln_1", kept["ln_1"], kept["ln_1.weight"])
        self._matrix(f"{at}.attn.c_attn", qkv)
        self.work.forward += 4 * attention * config.block_size
        if self.branch:
            self.work.kept += kept["attn"]
            self.work.backward += 8 * attention * config.block_size
        is_shared = is_fused(config, self.item, self.device) and config.positions != "rope"
        self._matrix(
            f"{at}.attn.c_proj", inner_matrices(config)[1], is_kept=self.branch and is_shared
        )
        self._join(kept["dropout"] // 2)
        if not is_pre:
            self._norm(f"{at}.ln_1", kept["ln_1"], kept["ln_1.weight"])
            self.stream = self.branch

        self.branch = self.stream
        if is_pre:
            self._norm(f"{at}.ln_2", kept["ln_2"], kept["ln_2.weight"])
        entered = self.branch
        is_read = self._matrix(f"{at}.mlp.c_fc", hidden)
        share = float(self.branch)
        if config.mlp == "swiglu":
            widened, self.branch = self.branch, entered
            self._matrix(f"{at}.mlp.c_gate", hidden, is_kept=is_read and self.item == FULL)
            # The gate is kept for the tensor it multiplies; the other two tensors for the gate.
            share = (widened + 2 * self.branch) / 3
            self.branch = self.branch or widened
        self.work.kept += round(share * kept["mlp"])
        self._matrix(f"{at}.mlp.c_proj", out, is_kept=self.branch and config.mlp == "relu")
        self._join(kept["dropout"] // 2)
        if not is_pre:
            self._norm(f"{at}.ln_2", kept["ln_2"], kept["ln_2.weight"])
            self.stream = self.branch
        self.work.moved += 2 * (self.work.kept - before) / 3
        if self.recompute and self.stream:
            self.work.kept = before + self.tokens * FULL * config.n_embd

    def _join(self, mask: int) -> None:
        """Adds the output of a sublayer to the stream."""
        if self.branch:
            self.work.kept += mask
        self.stream = self.branch = self.stream or self.branch

    def _norm(self, module: str, size: int, gain: int) -> None:
        self.branch = self.branch or self._learns(module)
        if self.branch:
            self.work.kept += size
        if f"{module}.weight" in self.shapes:
            self.work.kept += gain

    def _matrix(self, module: str, shape: tuple[int, int], *, is_kept: bool = False) -> bool:
        """Counts a matrix (out, in) and the method's additions to it; `is_kept`: its input is
        already kept for another reason. Returns whether it is kept now.
        """
        (out, width), tokens, item = shape, self.tokens, self.item
        product = 2.0 * tokens * out * width
        needs, learns = self.branch, f"{module}.weight" in self.shapes
        self.work.forward += product
        self.work.backward += product * (needs + learns)
        if self.quantized and module != "lm_head":
            self.work.moved += WRITTEN_OUT * out * width * (1 + needs)
        elif item < FULL and needs:
            self.work.kept += HALF * out * width  # the cast copy that was multiplied
        reads = learns
        if learns and not is_kept:
            self.work.kept += tokens * item * width
        for A, B, is_dora in self._updates(module):
            r, rows = A[0], B[0]
            if self.dropout:
                self.work.kept += tokens * item * width
                self.work.kept += tokens * mask_bytes(width, FULL, self.device) if needs else 0
            elif item < FULL or not (reads or is_kept):
                self.work.kept += tokens * item * width
                reads = True
            self.work.kept += tokens * item * r
            if item < FULL:
                self.work.kept += HALF * r * (width + rows)
            self.work.forward += 2.0 * tokens * r * (width + rows)
            self.work.backward += 2.0 * tokens * r * ((1 + needs) * width + 2 * rows)
            self.work.moved += ADDED_TO * tokens * rows
            if is_dora:
                self.work.kept += tokens * (FULL + item) * rows
                self.work.forward += 2.0 * r * rows * width
                self.work.moved += MEASURED * rows * width
        narrow = self.shapes.get(f"{module}.down")
        if narrow is not None:
            m = narrow[0]
            self.work.kept += tokens * item * (out + 2 * m)
            self.work.forward += 4.0 * tokens * m * out
            self.work.backward += 2.0 * tokens * m * out * (3 + needs)
            self.work.moved += tokens * FULL * 2 * out
            if item < FULL:
                self.work.kept += HALF * 2 * m * out
        self.branch = self.branch or self._learns(module)
        return reads or is_kept

    def _head(self) -> None:
        config = self.config
        C, V = config.n_embd, config.vocab_size
        self.branch = self.stream
        if config.norm_placement == "pre":
            sizes = [self.tokens * size for size in norm_bytes(config, self.device)]
            self._norm("ln_f", *sizes)
        tied = "wte.weight" in self.shapes and config.tie_weights
        if tied:
            self.shapes = {**self.shapes, "lm_head.weight": (V, C)}
        self._matrix("lm_head", (V, C))
        self.work.loss = self.tokens * (FULL * V + 8)
        self.work.moved += self.work.loss
