"""A network of layers (multi-layer perceptron): weighted sums, each followed by an activation.

Letters in shapes: N examples, n inputs of a layer, m outputs.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass

import numpy as np

from core.autograd import functional as F
from core.autograd.initialization import GAINS, INITIALIZATIONS
from core.autograd.operation import Array
from core.autograd.tensor import Tensor, constant
from core.fields import check, field
from core.trace import Step

ACTIVATIONS: dict[str, Callable[[Tensor], Tensor]] = {
    "tanh": F.tanh,
    "relu": F.relu,
    "sigmoid": F.sigmoid,
    "gelu": F.gelu,
    "linear": lambda x: x,
}
NORMS = ("none", "layer", "batch")
FRESH = 0.1  # share of the latest batch in the running mean and variance; torch's "momentum"


@dataclass(frozen=True, slots=True)
class MLPConfig:
    """sizes: inputs, each hidden layer, outputs. The last layer has neither norm nor activation."""

    sizes: tuple[int, ...] = field(
        (2, 8, 8, 1), least=1, shortest=2, remedy="give inputs, hidden layers and outputs"
    )
    activation: str = field("tanh", choices=ACTIVATIONS)
    initialization: str = field("kaiming", choices=INITIALIZATIONS)
    norm: str = field("none", choices=NORMS)
    scale: float = 1.0  # factor of all initial weights, in addition to the initialization

    def __post_init__(self) -> None:
        check(self)


@dataclass(slots=True)
class Layer:
    """The tensors (N, m) of one layer: weighted sums, the sums after any norm, and the output."""

    sums: Tensor
    normed: Tensor
    out: Tensor


@dataclass
class MLP:
    """The network: `parameters` by name ("0.weight" (n, m), "0.bias" (m), "0.gain" (m)).

    `MLP.start` makes one. To change weights, assign new `data` to a parameter.

    running  for batch norm, running averages "0.mean" and "0.variance" (m) of the sums of training
             batches; outside training, examples are normalized by these (Ioffe & Szegedy 2015,
             algorithm 2)
    """

    config: MLPConfig
    parameters: dict[str, Tensor] = field(factory=dict)
    running: dict[str, Array] = field(factory=dict)

    @classmethod
    def start(cls, config: MLPConfig, generator: np.random.Generator) -> MLP:
        """Returns a new network; the same generator state gives the same weights."""
        initial = INITIALIZATIONS[config.initialization]
        last = len(config.sizes) - 2
        parameters: dict[str, Tensor] = {}
        running: dict[str, Array] = {}
        for number, (n, m) in enumerate(zip(config.sizes, config.sizes[1:], strict=False)):
            gain = GAINS[config.activation if number < last else "linear"]
            weights = initial(n, m, gain, generator) * config.scale
            parameters[f"{number}.weight"] = Tensor(weights)
            parameters[f"{number}.bias"] = Tensor(np.zeros(m))
            if config.norm != "none" and number < last:
                parameters[f"{number}.gain"] = Tensor(np.ones(m))
            if config.norm == "batch" and number < last:
                running |= {f"{number}.mean": np.zeros(m), f"{number}.variance": np.ones(m)}
        for name, tensor in parameters.items():
            tensor.name = name
        return cls(config, parameters, running)

    @property
    def n_layers(self) -> int:
        """The number of layers with weights."""
        return len(self.config.sizes) - 1

    @property
    def n_parameters(self) -> int:
        """The number of learned parameters."""
        return sum(tensor.data.size for tensor in self.parameters.values())

    def layers(self, x: Tensor | Array, learning: bool = False) -> list[Layer]:
        """Returns the tensors of each layer for examples x (N, inputs).

        If `learning`, batch norm uses the mean and variance of these examples; else the running
        ones, so that no example changes the output of another. Raises ValueError for examples of
        another shape.
        """
        x = constant(x)
        if x.ndim != 2 or x.shape[1] != self.config.sizes[0]:
            raise ValueError(
                f"examples have shape {x.shape}; this network reads (N, {self.config.sizes[0]})"
            )
        ran: list[Layer] = []
        for number in range(self.n_layers):
            ran.append(self._layer(number, x, learning))
            x = ran[-1].out
        return ran

    def __call__(self, x: Tensor | Array) -> Tensor:
        """Returns the outputs (N, outputs) for examples (N, inputs), each independent of others."""
        return self.layers(x)[-1].out

    def remember(self, layers: list[Layer]) -> None:
        """Moves the running mean and variance towards those of a training batch."""
        if self.config.norm != "batch":
            return
        for number, layer in enumerate(layers[:-1]):
            sums = layer.sums.data  # (N, m)
            unbiased = int(
                len(sums) > 1
            )  # as torch does, since the mean is that of the batch, not the true one
            latest = {"mean": sums.mean(0), "variance": sums.var(0, ddof=unbiased)}
            for kind, new in latest.items():
                name = f"{number}.{kind}"
                self.running[name] = (1 - FRESH) * self.running[name] + FRESH * new

    def _layer(self, number: int, x: Tensor, learning: bool) -> Layer:
        weight, bias = self.parameters[f"{number}.weight"], self.parameters[f"{number}.bias"]
        last = number == self.n_layers - 1
        if last or self.config.norm == "none":  # (N, n) @ (n, m) -> (N, m)
            sums = x @ weight + bias  # step: sums
            normed = sums
        else:  # the norm would cancel this bias and has its own
            sums = x @ weight  # step: product
            normed = self._normed(number, sums, learning)
        out = normed if last else ACTIVATIONS[self.config.activation](normed)
        return Layer(sums, normed, out)

    def _normed(self, number: int, sums: Tensor, learning: bool) -> Tensor:
        gain, bias = self.parameters[f"{number}.gain"], self.parameters[f"{number}.bias"]
        if self.config.norm == "layer":
            return F.layer_norm(sums, gain, bias)
        if learning:
            return F.batch_norm(sums, gain, bias)
        mean, variance = self.running[f"{number}.mean"], self.running[f"{number}.variance"]
        return F.fixed_norm(sums, mean, variance, gain, bias)

    def detached(self) -> MLP:
        """Returns a network with the same numbers that requires no gradients, for evaluation."""
        still = {
            name: Tensor(tensor.data, requires_grad=False)
            for name, tensor in self.parameters.items()
        }
        return MLP(self.config, still, dict(self.running))

    def resized(self, config: MLPConfig, generator: np.random.Generator) -> MLP:
        """Returns a network of another shape that keeps every number that fits in it."""
        new = MLP.start(config, generator)
        for name, tensor in new.parameters.items():
            if name in self.parameters:
                _keep(self.parameters[name].data, tensor.data)
        for name, numbers in new.running.items():
            if name in self.running:
                _keep(self.running[name], numbers)
        return new


def sums_step(values: Mapping[str, Array], normed: bool) -> Step:
    """Returns the Step of the weighted sums of a layer.

    values  sums (N, m), x (N, n), weight (n, m), bias (m)
    normed  whether a norm follows, so that the layer adds no bias
    """
    line, formula = "sums", r"z = \sum_i w_i \, x_i + b"
    if normed:
        line, formula = "product", r"s = \sum_i w_i \, x_i"
        values = {name: value for name, value in values.items() if name != "bias"}
    title = "Each neuron adds up its inputs times its weights"
    return Step("network.sums", title, formula, f"core.autograd.mlp:MLP._layer#{line}", values)


def _keep(old: Array, new: Array) -> None:
    """Copies the overlapping part of the old array into the new one, of as many axes."""
    shared = tuple(slice(min(sizes)) for sizes in zip(old.shape, new.shape, strict=True))
    new[shared] = old[shared]
