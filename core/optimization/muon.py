"""Muon: a matrix moves equally in all its directions, not most where the gradient is largest.

Momentum, made orthogonal by Newton-Schulz: Muon (Jordan et al. 2024,
kellerjordan.github.io/posts/muon). It is for the matrices of hidden layers. Vectors have no
directions to equalize, and embeddings and the output head are tables of vectors: AdamW moves these.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, NamedTuple

from core.fields import check, field
from core.optimization.adamw import SHRINK
from core.optimization.rule import Line, Rule, T, check_given

# p(x) = a x + b x^3 + c x^5: steep at 0, so that small singular values grow fast; they settle
# between about 0.7 and 1.2, not exactly at 1.
COEFFICIENTS = (3.4445, -4.7750, 2.0315)
MOST_ITERATIONS = 99


@dataclass(frozen=True, slots=True)
class MuonSettings:
    """Settings of Muon.

    momentum         share of the average gradient that remains
    iterations       number of Newton-Schulz iterations
    eps              the smallest norm to divide by
    weight_decay     decoupled, as in AdamW
    match_adamw      False: a tall matrix moves more, by sqrt(max(1, rows / columns)) (Jordan et
                     al.). True: all move by 0.2 sqrt(max(rows, columns)), as far as AdamW would
                     move them, so that AdamW's learning rate fits (Liu et al. 2025, equation 4)
    """

    learning_rate: float = field(1e-3, least=0)
    momentum: float = field(0.95, least=0, below=1, remedy="0.9 is usual")
    iterations: int = field(5, least=0, most=MOST_ITERATIONS, remedy="5 is usual")
    eps: float = field(1e-7, least=0)
    weight_decay: float = field(0.1, least=0)
    match_adamw: bool = False

    def __post_init__(self) -> None:
        check(self)


@dataclass(frozen=True, slots=True)
class MuonState:
    """The average of the gradient, of the matrix's shape, initially 0."""

    average: Any = 0.0


class Iteration(NamedTuple):
    """One iteration of Newton-Schulz: gram and poly (n, n), new (n, m), n the shorter side."""

    gram: Any
    poly: Any
    new: Any


class NewtonSchulz(NamedTuple):
    """The steps that made a matrix (n, m), n <= m, orthogonal: `unit`, which is the matrix divided
    by its norm, and the iterations that start from it.
    """

    matrix: Any
    norm: Any
    unit: Any
    iterations: tuple[Iteration, ...]


class MuonStep(NamedTuple):
    """Every intermediate: matrices of the parameter's shape; factor, ratio and scale numbers."""

    shrunk: Any
    average: Any
    ahead: Any
    direction: Any
    factor: float
    ratio: float
    scale: float
    new: Any
    iterated: NewtonSchulz


def normalize(matrix: Any, eps: float) -> tuple[Any, Any]:
    """Returns the Frobenius norm of a matrix (the root of the sum of its squares) and the matrix
    divided by it, which has no singular value above 1.
    """
    norm = (matrix * matrix).sum() ** 0.5
    unit = matrix / max(norm, eps)  # step: normalize
    return norm, unit


def iterate(matrix: Any) -> Iteration:
    """Applies p to every singular value of X: X -> a X + b (X X^T) X + c (X X^T)^2 X.

    matrix (n, m) with n <= m.
    """
    a, b, c = COEFFICIENTS
    gram = matrix @ matrix.T  # (n, n)  # step: gram
    poly = gram * b + gram @ gram * c  # (n, n)  # step: poly
    new = matrix * a + poly @ matrix  # (n, m)  # step: iterate
    return Iteration(gram, poly, new)


def orthogonalize(matrix: Any, settings: MuonSettings) -> tuple[Any, NewtonSchulz]:
    """Returns approximately U V^T for a matrix U S V^T, and the steps of its computation.

    Computes in the precision of the matrix, while Jordan's and torch's code use bfloat16.
    """
    tall = matrix.shape[0] > matrix.shape[1]
    flat = matrix.T if tall else matrix  # the products are (n, n): the shorter side first
    norm, unit = normalize(flat, settings.eps)
    iterations = []
    reached = unit
    for _ in range(settings.iterations):
        iterations.append(iterate(reached))
        reached = iterations[-1].new
    return (reached.T if tall else reached), NewtonSchulz(flat, norm, unit, tuple(iterations))


def scaling(rows: int, columns: int, match_adamw: bool) -> tuple[float, float]:
    """Returns two numbers for the scale of a matrix's step, see MuonSettings: the scale is the
    first times the root of the second.
    """
    if match_adamw:
        return 0.2, max(rows, columns)
    return 1.0, max(1.0, rows / columns)


def explain(param: Any, grad: Any, state: MuonState, step: int, settings: MuonSettings) -> MuonStep:
    """Computes one step, line by line.

    Raises ValueError for a step below 1, a gradient of another shape, or a parameter that is
    not a matrix.
    """
    check_given(param, grad, step)
    if len(param.shape) != 2:
        raise ValueError(
            f"Muon moves matrices, not an array of shape {tuple(param.shape)}; leave vectors and "
            "embeddings to AdamW"
        )
    rate, weight_decay = settings.learning_rate, settings.weight_decay
    momentum, average_before = settings.momentum, state.average
    shrunk = param * (1 - rate * weight_decay)  # step: decay
    average = average_before * momentum + grad * (1 - momentum)  # step: average
    ahead = grad * (1 - momentum) + average * momentum  # step: ahead
    direction, iterated = orthogonalize(ahead, settings)  # step: orthogonalize
    rows, columns = param.shape
    factor, ratio = scaling(rows, columns, settings.match_adamw)
    scale = factor * ratio**0.5  # step: scale
    new = shrunk - direction * (rate * scale)  # step: move
    return MuonStep(shrunk, average, ahead, direction, factor, ratio, scale, new, iterated)


def update(
    param: T, grad: T, state: MuonState, step: int, settings: MuonSettings
) -> tuple[T, MuonState]:
    """Returns the new parameter and state. Raises as `explain` does."""
    made = explain(param, grad, state, step, settings)
    return made.new, MuonState(made.average)


# The lines inside "orthogonalize": first the norm, then the other three once per iteration.
INSIDE = (
    Line(
        "normalize",
        "unit",
        "Normalize, so that no singular value is above 1",
        r"X_0 = \frac{\tilde m}{\| \tilde m \|_F}",
        function="normalize",
    ),
    Line(
        "gram",
        "gram",
        "Measure how much the rows overlap with one another",
        r"A = X X^\top",
        function="iterate",
    ),
    Line(
        "poly",
        "poly",
        "Compute the higher powers of the polynomial",
        r"B = b A + c A^2, \quad b = {-4.775}, \; c = 2.0315",
        function="iterate",
    ),
    Line(
        "iterate",
        "new",
        "Apply the polynomial: small singular values grow, large ones stay",
        r"X \leftarrow a X + B X, \quad a = 3.4445",
        function="iterate",
    ),
)

RULE = Rule(
    name="muon",
    title="Muon",
    source="Jordan et al. 2024",
    formula=(
        r"\begin{array}{l} \theta' = (1 - \eta \lambda) \, \theta, \quad"
        r" m \leftarrow \mu \, m + (1 - \mu) \, g \\"
        r" \tilde m = (1 - \mu) \, g + \mu \, m \\"
        r" d \approx U V^\top, \quad U \Sigma V^\top = \tilde m \\"
        r" \theta \leftarrow \theta' - \eta \gamma \, d \end{array}"
    ),
    settings=MuonSettings,
    state=MuonState,
    explain=explain,
    update=update,
    lines=(
        SHRINK,
        Line(
            "average",
            "average",
            "Average recent gradients to find the usual direction",
            r"m \leftarrow \mu \, m + (1 - \mu) \, g",
        ),
        Line(
            "ahead",
            "ahead",
            "Look ahead as Nesterov does: count the new gradient once more",
            r"\tilde m = (1 - \mu) \, g + \mu \, m",
        ),
        Line(
            "orthogonalize",
            "direction",
            "Keep the directions, but make them equally long (Newton-Schulz)",
            r"d \approx U V^\top, \quad U \Sigma V^\top = \tilde m",
        ),
        Line(
            "scale",
            "scale",
            "Choose a scale that fits the shape of the matrix",
            r"\gamma = \sqrt{\max(1, r / c)} \;\text{ or }\; 0.2 \sqrt{\max(r, c)}",
        ),
        Line(
            "move",
            "new",
            "Move equally far in every direction of the matrix",
            r"\theta \leftarrow \theta' - \eta \gamma \, d",
        ),
    ),
    letters={"weight_decay": "λ", "momentum": "μ"},
    matrices_only=True,
)
