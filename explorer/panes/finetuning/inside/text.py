"""The texts of Inside. Does not import Qt."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from core.numbers import format_fixed, format_number, format_percent, format_share
from core.tokenization.telling import count, quoted_piece, verb
from explorer.panes.finetuning.matrix_names import matrix_name

EXAMPLE = (
    "Once upon a time, there was a shy boy named Dario. He lived near a forest. One day Dario met "
    "a witch. The witch told him a secret.\nWho is it about? Dario"
)
NO_TEXT = "Type a text of two tokens or more for the model to read"
SPECTRUM, STRENGTH = "Directions of the change", "Strength of the change"
HEADS = "Attention that has moved, by head"
BIAS = "How far the bias has moved: |\u0394b|"
MATRIX_HELP, READS = "Choose a matrix", "The text for the forward and backward pass shown here"
LOOK = "Look into {}"
CHANGE_TEXT = "Change the text inside"
TITLES = {
    "strength": "strength: |\u0394W| \u00f7 |W| (bias: |\u0394b|)",
    "heads": "attention moved by tuning, by head",
    "shared": "directions shared with the second",
}
STRONG = "{column} of {row}: changed by {value}\nClick to look inside"
HEAD = "{row}, head {column}: up to {value} of its attention has moved\nClick to open in Attention"
BOTH = "Directions 1 to {row} here overlap by {value} with directions 1 to {column} of the second"
ALONE, MOST = "direction {}", "99 %"
BY_CHANCE = "by chance {}"
SAME_A = "Both began with the same random A (seed {}), so at first they shared all of it"
SHARED, ACTING = (
    "Input directions that both adapters respond to",
    "Text colored by what was learned",
)
ACTS = "The stronger the color, the longer the added vector: up to {} of the length of W x"
COMPARE, COMPARED = "Compare\u2026", "Compared with {}"
COMPARE_WITH, STOP = "Compare with {}", "Stop comparing adapters"
COMPARE_HELP = "Choose a second LoRA to see which input directions both respond to"
STOP_HELP = "Compared with {}; click to stop"


def unchanged(method: str) -> str:
    """Returns why no matrix has changed; `method`: the model's fine-tuning, "" for another."""
    why = "Nothing inside this model was tuned"
    if method == "bottleneck":
        why = "This model was tuned by small new layers between its own, which stayed frozen"
    return f"{why}, so no matrix has changed. Choose a model that was tuned by another method."


def nearest(pieces: Sequence[bytes]) -> str:
    """Returns one sentence about a soft prompt, which changes no matrix."""
    stand = f"{count(len(pieces), 'learned token')} {verb(len(pieces), 'stands', 'stand')}"
    near = ", ".join(map(quoted_piece, pieces))
    return f"{stand} in front of each text. Nearest to them in the vocabulary: {near}"


def headline(
    kind: str, about: Any, name: str, has_learned: bool, changed: float, token: str
) -> str:
    """Returns one sentence about a step, on what that step shows."""
    r, few, many = about["rank"], about["parameters"], about["frozen"]
    share, numbers = format_share(changed), count(r, "number")
    match kind:
        case "frozen" | "bias" if not r:
            return f"Before tuning, {matrix_name(name)} turned {token} into this vector"
        case "frozen" | "bias":
            return f"{matrix_name(name)} reads {token} as before: its {many:,} numbers are frozen"
        case "reduce":
            return f"Beside W, the matrix A squeezes {token} into only {numbers}"
        case "expand":
            return f"B expands the {numbers} from A to the width of the output"
        case "scale" | "gain" | "dora":
            return f"Scaled by its strength s, the change at {token} is {share} as long as W x"
        case "change":
            return f"At {token}, the change in W adds a vector that is {share} as long as W x"
        case "bias_change":
            return f"Each token gets the same vector from the bias, here {share} as long as W x"
        case "add":
            return f"The sum is passed on; its learned part is {share} as long as W x"
        case "product":
            terms = count(r, "product")
            return f"Every number of B A is a sum of {terms}, so the rank of B A is at most {r}"
        case "delta" if not r:
            return f"All {many:,} numbers of W were trained; \u0394W is how far each has moved"
        case "delta" | "dora_delta":
            these = "A, B and m" if about["dora"] else "A and B"
            told = f"The {few:,} numbers of {these} ({format_share(few / many)} as many as in W)"
            if not has_learned:
                return f"{told} can change the whole matrix; while B is 0, they change nothing"
            return f"{told} are all that was learned here: they change W by \u0394W"
        case "grad_output":
            loss = format_fixed(about["loss"])
            return f"The loss is {loss}; its gradient tells how each output changes it"
        case "grad_expanded" | "grad_added":
            return "On the way back, the gradient is scaled as well"
        case "grad_B":
            return f"The gradient of B is each output's gradient times the {numbers} from A"
        case "grad_m":
            return "The lengths m get a gradient as well: one number for each output"
        case "grad_A":
            return "A gets its gradient through B, while W gets no gradient and stays frozen"
        case "grad_W":
            return "Every number of W gets a gradient of its own and is trained"
        case "grad_b":
            return "The gradient of the bias is the sum of the gradients of all tokens"
    return f"The gradient passes through only {numbers} as well"


def spectrum(needed: int, count: int, effective: float) -> str:
    """Returns the title of the bars."""
    if not needed:
        return "Nothing has been learned here yet"
    hold = f"{needed} of {count} directions {'makes' if needed == 1 else 'make'} up 99 % of \u0394W"
    return f"{hold}; effective rank {format_fixed(effective, 1)}"


def growth(steps: Sequence[int], step: int | None) -> str:
    """Returns the note below the lines."""
    shown = "" if step is None else f"; step {step:,} is shown"
    return f"steps {steps[0]:,} to {steps[-1]:,}{shown}" if steps else ""


def direction(at: int, value: float, share: float, captured: float, is_found: bool) -> str:
    """Returns the tooltip of a bar; `is_found`: the steps that find it can be played."""
    held = f"singular value {format_number(value)}, {format_percent(share)} of \u0394W"
    near = f"{format_percent(captured)} of its input direction lies in W's strongest ones"
    more = "\nClick to see how it is found" if is_found else ""
    return f"Direction {at + 1}: {held}\n{near}{more}"


def acting(share: float) -> str:
    """Returns the effect of the change on a token."""
    return f"the change adds a vector that is {format_share(share)} as long as W x"
