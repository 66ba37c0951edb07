"""One rank of a run in float64, where two ways to add up differ in the last digits only."""

from __future__ import annotations

import os
import sys
from pathlib import Path

import torch

from core.files import read_json
from core.training.config import TrainingConfig
from core.training.language_modelling import LanguageModelling
from core.training.loop import train_steps
from core.training.place import Place
from core.training.ranks import Ranks
from core.training.strategies import strategy_for


class Doubled(LanguageModelling):
    """In float64, so that the order of a sum shows in the last digits only."""

    def build_model(self, generator: torch.Generator):  # type: ignore[no-untyped-def]
        return super().build_model(generator).double()


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
