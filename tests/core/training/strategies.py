"""One rank of a run in float64, where two ways to add up differ in the last digits only, and a
scaler that skips.
"""

from __future__ import annotations

import os
import sys
from collections.abc import Mapping
from pathlib import Path

import torch
from torch import Tensor

from core.files import read_json
from core.training.config import TrainingConfig
from core.training.language_modelling import LanguageModelling
from core.training.loop import train_steps
from core.training.parallel import Single
from core.training.place import Place
from core.training.ranks import Ranks
from core.training.strategies import strategy_for


class Doubled(LanguageModelling):
    """In float64, so that the order of a sum shows in the last digits only."""

    def build_model(self, generator: torch.Generator):  # type: ignore[no-untyped-def]
        return super().build_model(generator).double()


class Scaling(Single):
    """A loss scaler: halved by a gradient that is not finite, doubled after `patience` steps."""

    scales = True

    def __init__(self, scale: float, patience: int = 3, floor: float = 0.0) -> None:
        super().__init__()
        self.loss_scale, self.patience, self.floor, self.good = scale, patience, floor, 0.0

    def scale(self, loss: Tensor) -> Tensor:
        return loss * self.loss_scale

    def unscale(self, optimizer: torch.optim.Optimizer) -> bool:
        gradients = [p.grad for group in optimizer.param_groups for p in group["params"]]
        finite = True
        for gradient in gradients:
            gradient.div_(self.loss_scale)
            finite = finite and bool(gradient.isfinite().all())
        return finite or self.loss_scale <= self.floor

    def stepped(self, applied: bool) -> None:
        self.good = self.good + 1 if applied else 0.0
        if not applied:
            self.loss_scale /= 2
        elif self.good == self.patience:
            self.loss_scale, self.good = self.loss_scale * 2, 0.0

    def state(self) -> dict[str, float]:
        return {"loss_scale": self.loss_scale, "good": self.good}

    def restore(self, state: Mapping[str, float]) -> None:
        self.loss_scale, self.good = state["loss_scale"], state["good"]


def main(arguments: list[str]) -> None:
    """KIND STORE RANK RANKS FOLDER: trains the run in FOLDER as one of RANKS."""
    kind, store, rank, ranks, folder = arguments
    torch.set_num_threads(1)
    os.environ["GLOO_SOCKET_IFNAME"] = "lo"
    run = Path(folder)
    config = TrainingConfig.from_json(read_json(run.parent / "config.json"))
    place = Place(int(rank), int(ranks), int(rank), int(ranks), store)
    strategy = strategy_for(config.change({"parallel": kind}), place)
    assert isinstance(strategy, Ranks)
    strategy.join()
    task = Doubled(config, run.parent / f"cache{rank}")
    resume = (run / "run.json").exists()
    strategy.wait()  # before somebody makes it
    for _ in train_steps(config, run, resume, task, strategy):
        pass
    strategy.close()
    sys.stdout.flush()
    os._exit(0)  # gloo's threads may abort while the interpreter comes down


if __name__ == "__main__":
    main(sys.argv[1:])
