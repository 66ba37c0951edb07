"""Scaling laws: the loss of a model of N parameters after D tokens, and the best N and D.

    L(N, D) = E + A / N^alpha + B / D^beta          (Hoffmann et al. 2022, equation 2)

E is the loss that no model can go below; the other terms are the costs of too small a model and too
little text. The constants are those of Besiroglu et al. 2024, who fitted the same data again. The
original ones (approach 3 of three) do not fit it: the optimizer had stopped before it converged,
and the constants were rounded too much. They yield 93 tokens a parameter at Chinchilla's own
budget, while the other two approaches, and Chinchilla itself, have 20. The refit yields 18.

A loss is in nats per token of the data and the tokenizer that the law was fitted on (MassiveText);
another text has another loss. The trade-off between N and D carries over.
"""

from __future__ import annotations

from dataclasses import astuple, dataclass


@dataclass(frozen=True, slots=True)
class ScalingLaw:
    """The five constants of L(N, D)."""

    E: float
    A: float
    B: float
    alpha: float
    beta: float

    def loss(self, parameters: float, tokens: float) -> float:
        """L(N, D), in nats per token. Raises ValueError unless both are above 0."""
        if parameters <= 0 or tokens <= 0:
            raise ValueError("a loss needs parameters and tokens; give at least one of each")
        E, A, B, alpha, beta = astuple(self)
        N, D = parameters, tokens
        loss = E + A / N**alpha + B / D**beta  # step: loss
        return float(loss)

    def optimum(self, flops: float) -> tuple[float, float]:
        """N and D with the lowest loss for this many FLOPs, if training costs 6 N D.

        N = G (C / 6)^(beta / (alpha + beta)), D = C / (6 N), with
        G = (alpha A / (beta B))^(1 / (alpha + beta)): Hoffmann et al. 2022, equation 4. Raises
        ValueError for no FLOPs.
        """
        if flops <= 0:
            raise ValueError("a budget of no FLOPs trains nothing; give a larger one")
        beta, both = self.beta, self.alpha + self.beta
        G = (self.alpha * self.A / (beta * self.B)) ** (1 / both)
        N = G * (flops / 6) ** (beta / both)  # step: optimum
        return N, flops / (6 * N)


SMALLEST = 70e6  # parameters of the smallest models that the laws were fitted on
CHINCHILLA = ScalingLaw(E=1.8172, A=482.01, B=2085.43, alpha=0.3478, beta=0.3658)
# As published, for comparison; its flaws are described above.
HOFFMANN = ScalingLaw(E=1.69, A=406.4, B=410.7, alpha=0.34, beta=0.28)
