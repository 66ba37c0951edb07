"""Every sentence of GPT: the headlines, the titles of steps, what is said of the example. No Qt."""

from __future__ import annotations

from core.numbers import format_number
from explorer.panes.backprop.gpt.compute import Worked
from explorer.panes.backprop.gpt.operations import Operation, copied_input, kind_of, short
from explorer.panes.backprop.gpt.track import Played

IDLE = "One text through a real GPT, forward and then back, operation by operation"

# kind of operation -> what it does forward, and what its backward does
FORWARD = {
    "Embedding": "each token id picks its row of the table",
    "Add": "the layer's output is added to the stream, number by number",
    "Multiply": "every score is multiplied by the same number",
    "Normalize": "each token's numbers get mean 0 and variance 1",
    "MatMul": "each number is a row times a column",
    "Transpose": "the same numbers, with axes in another order",
    "Reshape": "the same numbers in another shape",
    "Slice": "a part of the numbers is cut out",
    "Mask": "no token may look at those after it",
    "Softmax": "each row becomes weights that sum to 1",
    "GELU": "negative inputs fade out, positive ones pass",
    "ReLU": "negative numbers become 0",
    "CrossEntropy": "how surprised the model is by what came next, on average",
}
# The same of single operations, by their name.
NAMED_FORWARD = {
    "position embeddings": "each position picks its row of the table",
    "residual stream": "token and position embeddings are added, number by number",
}
BACKWARD = {
    "Embedding": "each row of the table collects the gradients of the tokens that picked it",
    "Add": "a sum passes its gradient on unchanged to both inputs: the highway",
    "Multiply": "each score gets the gradient times that same number",
    "Normalize": "the part that would only shift or stretch a token's numbers is removed",
    "MatMul": "each factor gets the gradient times the other one, transposed",
    "Transpose": "the gradient's axes go back to their old order",
    "Reshape": "the gradient gets its old shape back",
    "Slice": "the gradient goes where the numbers came from, and 0 elsewhere",
    "Mask": "nothing flows back to what was hidden",
    "Softmax": "each score gets its weight times how far the weight's gradient is above the "
    "row's weighted average",
    "GELU": "the gradient passes where the curve is steep",
    "ReLU": "the gradient passes where the input was above 0",
    "CrossEntropy": "the gradient of the logits is the prediction minus the right answer",
}
# The same where one input is a bias or a gain, which every token shares.
SHARED_FORWARD = {
    "Add": "the same bias is added for every token",
    "Multiply": "each number is scaled by its gain, the same one for every token",
}
SHARED_BACKWARD = {
    "Add": "the gradient passes on unchanged; the bias gets it summed over all tokens",
    "Multiply": "the gradient is multiplied by the gain and passed on; the gain's "
    "gradient is summed over all tokens",
}


def where(operation: Operation) -> str:
    """An operation and its block: "block 0, softmax"."""
    group = operation.group[0]
    name = operation.name
    if group.startswith("Block"):
        return f"{group.lower()}, {name}"
    return name


def headline(worked: Worked, played: Played) -> str:
    """What happens in a step, in one sentence."""
    operation = worked.operations[played.operation]
    kind = kind_of(worked.graph, played.node)
    place = where(operation)
    shared = shares_a_parameter(worked, played.node)
    if played.phase == "forward":
        told = SHARED_FORWARD[kind] if shared else FORWARD.get(kind, "its value is computed")
        told = NAMED_FORWARD.get(operation.name, told)
        return f"Forward, {place}: {told}"
    if played.phase == "seed":
        return "Backward begins at the loss: its gradient with respect to itself is 1"
    if played.phase == "backward":
        told = SHARED_BACKWARD[kind] if shared else BACKWARD.get(kind, "its gradient is passed on")
        return f"Backward, {place}: {told}"
    target = quoted(worked, played)
    if played.phase == "copies":
        return f"Backward, {place}: {target} is used for every token, so the contributions add up"
    return f"Backward, {place}: {target} is used more than once, so the contributions add up"


def shares_a_parameter(worked: Worked, node: int) -> bool:
    """Whether a node reads a bias or a gain, which all tokens share."""
    place = copied_input(worked.graph, node)
    if place is None:
        return False
    shared = worked.graph.nodes[worked.graph.nodes[node].inputs[place]]
    return not shared.inputs and shared.tensor.data.ndim > 0  # 1/√D is a plain number


def title(worked: Worked, played: Played) -> str:
    """A step in a few words, for the scrubber."""
    operation = worked.operations[played.operation]
    place = where(operation)
    if played.phase == "seed":
        return "Backward begins at the loss"
    if played.phase == "forward":
        if played.input is None and played.node != operation.node:
            return f"Forward: {short(worked.graph, played.node)}"
        return f"Forward: {place}"
    if played.input is None:
        return f"Backward: {place}"
    target = quoted(worked, played)
    return {
        "backward": f"{target} gets its contribution",
        "copies": f"{target}: the contributions of all its copies add up",
        "accumulate": f"{target}: added to what came from other uses",
    }[played.phase]


def quoted(worked: Worked, played: Played) -> str:
    """The input that gets a share, its name in quotes, for a sentence."""
    name = short(worked.graph, worked.target((played.node, played.input or 0)))
    return f"\u201c{name}\u201d"


def summary(worked: Worked) -> str:
    """The loss of the example."""
    loss = format_number(worked.explained.loss.item())
    T = worked.n_tokens
    which = "Loss of one token" if T == 1 else f"Average loss over {T} tokens"
    return f"{which}: {loss} (natural log)"


def example(worked: Worked, reached: int | None) -> str:
    """How much of the text is read, and of a run's model which step it is of; `reached` is the
    step that the run has come to.
    """
    count = worked.example.count
    if worked.step is not None:
        newer = reached is not None and reached > worked.step
        ahead = f"; the run is at step {reached:,}" if newer else ""
        return f"Model of step {worked.step:,}{ahead}; {count}"
    if worked.n_tokens == 1:
        return f"{count[0].upper()}{count[1:]} predicts the next"
    return f"{count[0].upper()}{count[1:]}, each predicting the next"


def agreement(worked: Worked) -> str:
    difference = format_number(worked.explained.disagreement, 2)
    return f"Largest difference from torch\u2019s gradients: {difference}"
