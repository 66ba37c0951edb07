"""All sentences of GPT: headlines, titles of steps, notes about the example. No Qt."""

from __future__ import annotations

from core.numbers import format_number
from explorer.panes.backprop.gpt.compute import Worked
from explorer.panes.backprop.gpt.operations import Operation, copied_input, kind_of, short
from explorer.panes.backprop.gpt.track import Played

IDLE = "A text passes through a real GPT, forward and then back, one operation at a time"

NATS = (
    "A loss is \u2212log of the probability the model gave to the token that came next. "
    "With the natural logarithm, its unit is the nat."
)

# kind of operation -> its forward pass; BACKWARD has the backward pass
FORWARD = {
    "Embedding": "each token id selects a row of the embedding table",
    "Add": "the layer's output is added to the residual stream",
    "Multiply": "every score is multiplied by the same number",
    "Normalize": "each token's numbers are shifted and scaled to mean 0 and variance 1",
    "MatMul": "each number is the dot product of a row and a column",
    "Transpose": "the numbers stay the same, but the axes of the array change order",
    "Reshape": "the numbers stay the same, but the shape of the array changes",
    "Slice": "a part of the array is cut out",
    "Mask": "no token may look at the tokens after it",
    "Softmax": "each row becomes weights that sum to 1",
    "GELU": "positive inputs pass, and negative ones fade toward 0",
    "ReLU": "negative numbers become 0",
    "CrossEntropy": "the loss measures how surprised the model is by each next token, on average",
}
# the same for single operations, by name
NAMED_FORWARD = {
    "position embeddings": "each position selects a row of the embedding table",
    "residual stream": "the token and position embeddings are added",
}
BACKWARD = {
    "Embedding": "each row of the table collects the gradients of the tokens that selected it",
    "Add": "a sum passes its gradient on unchanged to both inputs, so the residual "
    "stream is a gradient highway",
    "Multiply": "the gradient is multiplied by the same number as the scores were",
    "Normalize": "the part of the gradient that would only shift or scale a token's numbers is "
    "removed",
    "MatMul": "each factor gets the upstream gradient times the other factor, transposed",
    "Transpose": "the axes of the gradient return to their original order",
    "Reshape": "the gradient returns to its original shape",
    "Slice": "the gradient goes back to the part that was cut out, and the rest gets 0",
    "Mask": "no gradient flows back to the hidden scores",
    "Softmax": "a score's gradient is its weight times how far the weight's gradient exceeds "
    "the row's weighted average gradient",
    "GELU": "the gradient is multiplied by the slope of the curve at each input",
    "ReLU": "the gradient passes only where the input was above 0",
    "CrossEntropy": "the gradient of the logits is the prediction minus the right answer, "
    "divided by the number of tokens",
}
# the same with a bias or a gain as input, which every token shares
SHARED_FORWARD = {
    "Add": "the same bias is added to the numbers of every token",
    "Multiply": "each dimension is multiplied by a learned gain, which all tokens share",
}
SHARED_BACKWARD = {
    "Add": "the input gets the gradient unchanged; for the bias it is summed over all tokens",
    "Multiply": "the input gets the gradient times the gain; the gradient of the gain is "
    "summed over all tokens",
}


def where(operation: Operation) -> str:
    """Returns an operation and its block: "block 0, softmax"."""
    group = operation.group[0]
    name = operation.name
    if group.startswith("Block"):
        return f"{group.lower()}, {name}"
    return name


def headline(worked: Worked, played: Played) -> str:
    """Returns one sentence about a step."""
    operation = worked.operations[played.operation]
    kind = kind_of(worked.graph, played.node)
    place = where(operation)
    shared = shares_a_parameter(worked, played.node)
    if played.phase == "forward":
        told = SHARED_FORWARD[kind] if shared else FORWARD.get(kind, "the value is computed")
        told = NAMED_FORWARD.get(operation.name, told)
        return f"Forward pass, {place}: {told}"
    if played.phase == "seed":
        return "The backward pass begins at the loss, whose gradient with respect to itself is 1"
    if played.phase == "backward":
        told = SHARED_BACKWARD[kind] if shared else BACKWARD.get(kind, "the gradient is passed on")
        return f"Backward pass, {place}: {told}"
    target = quoted(worked, played)
    if played.phase == "copies":
        return f"Backward pass, {place}: every token uses {target}, so its contributions add up"
    return f"Backward pass, {place}: {target} is used more than once, so its contributions add up"


def shares_a_parameter(worked: Worked, node: int) -> bool:
    """True if a node reads a bias or a gain, which all tokens share."""
    place = copied_input(worked.graph, node)
    if place is None:
        return False
    shared = worked.graph.nodes[worked.graph.nodes[node].inputs[place]]
    return not shared.inputs and shared.tensor.data.ndim > 0  # 1/√D is a plain number


def title(worked: Worked, played: Played) -> str:
    """Returns the title of a step for the scrubber."""
    operation = worked.operations[played.operation]
    place = where(operation)
    if played.phase == "seed":
        return "The backward pass begins at the loss"
    if played.phase == "forward":
        if played.input is None and played.node != operation.node:
            return f"Forward: {short(worked.graph, played.node)}"
        return f"Forward: {place}"
    if played.input is None:
        return f"Backward: {place}"
    target = quoted(worked, played)
    return {
        "backward": f"{target} gets a contribution",
        "copies": f"The contributions to {target} are summed over all tokens",
        "accumulate": f"This contribution to {target} is added to the earlier ones",
    }[played.phase]


def quoted(worked: Worked, played: Played) -> str:
    """Returns the quoted name of the input that gets a contribution."""
    name = short(worked.graph, worked.target((played.node, played.input or 0)))
    return f"\u201c{name}\u201d"


def summary(worked: Worked) -> str:
    """Returns the loss of the example, in nats."""
    loss = format_number(worked.explained.loss.item())
    T = worked.n_tokens
    which = "Loss of one token" if T == 1 else f"Average loss over {T} tokens"
    return f"{which}: {loss} nats"


def example(worked: Worked, reached: int | None) -> str:
    """Returns how much of the text is read and, for a run's model, its step; `reached` is the
    current step of the run.
    """
    count = worked.example.count
    if worked.step is not None:
        newer = reached is not None and reached > worked.step
        ahead = f" (the run is at step {reached:,})" if newer else ""
        return f"{count[0].upper()}{count[1:]}; model at step {worked.step:,}{ahead}"
    if worked.n_tokens == 1:
        return f"{count[0].upper()}{count[1:]} predicts the next"
    return f"{count[0].upper()}{count[1:]}, each predicting the next"


def agreement(worked: Worked) -> str:
    difference = format_number(worked.explained.disagreement, 2)
    return f"Largest difference from PyTorch: {difference}"
