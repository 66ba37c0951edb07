"""Names of the kinds of matrices in a model's layers. Knows no Qt."""

from __future__ import annotations

KINDS = {
    "attn.c_attn.q": ("queries", "q"),
    "attn.c_attn.k": ("keys", "k"),
    "attn.c_attn.v": ("values", "v"),
    "attn.c_proj": ("attention out", "text"),
    "mlp.c_fc": ("MLP in", "text"),
    "mlp.c_gate": ("MLP gate", "text"),
    "mlp.c_proj": ("MLP out", "text"),
}


def kind_words(name: str) -> tuple[str, str]:
    """Returns the name of a matrix's output and the role of its color."""
    return KINDS.get(name, (name, "text"))
