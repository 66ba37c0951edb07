"""Tune's text about each method, its line of code, and its color. Does not import Qt."""

from __future__ import annotations

from dataclasses import dataclass

LEARNS = r"\theta \leftarrow \theta - \eta\, \hat{g}"
SELECT = "core.finetuning.selection:select#learn"


@dataclass(frozen=True)
class MethodText:
    """`code`: the line that computes a method or trains it; `formula` of that line, "" for none."""

    title: str  # in rows, and the name of its runs
    phrase: str  # in a sentence
    trains: str  # the parameters that the phrase trains
    color: int | str  # of a series; methods that are often compared differ most
    formula: str = LEARNS
    code: str = SELECT


METHOD_TEXTS = {
    "lora": MethodText(
        "LoRA", "LoRA",
        "two thin matrices beside each chosen matrix W; their product B A is added to W", 0,
        r"y = W x + \frac{\alpha}{r} B A x", "core.finetuning.lora:low_rank_output#expand",
    ),
    "full": MethodText("Full", "full fine-tuning", "every parameter of the model", 1),
    "last-layers": MethodText(
        "Last layers", "tuning the last layers", "only them and the norm after them", 5
    ),
    "head": MethodText(
        "Head", "tuning the head",
        "only the output head: the matrix that turns the last vector into logits", 4,
        r"z = W_U h",
    ),
    "bitfit": MethodText(
        "BitFit", "BitFit",
        "only the biases; a model without biases gets new ones, which start at 0", 2,
        r"y = W x + b",
    ),
    "bottleneck": MethodText(
        "Bottleneck", "a bottleneck adapter", "small new layers between the model's own", 3, ""
    ),
    "prompt": MethodText(
        "Prompt", "prompt tuning",
        "only a few new tokens in front of each text; the model does not change", "text",
        r"[p_1, \ldots, p_P, x_1, \ldots, x_T]", "core.finetuning.soft_prompt:put_in_front#front",
    ),
}  # fmt: skip
