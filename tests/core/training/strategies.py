"""One rank of a run in float64, where two ways to add up differ in the last digits only."""

from __future__ import annotations

import os
import sys
from collections.abc import Mapping
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


CRASH = "CRASH_IN_CHECKPOINT"  # "1 6": rank 1 dies while it writes the checkpoint of step 6


def watch_writing(strategy: Ranks) -> None:
    """No rank asks another for its tensors while a checkpoint is written; one may die there."""
    from torch.distributed.tensor.debug import CommDebugMode

    write = strategy.write

    def watched(folder: Path, files: Mapping[str, Mapping[str, torch.Tensor]]) -> None:
        asked = os.environ.get(CRASH, "").split()
        if asked and int(asked[0]) == strategy.rank and folder.name.endswith(f"{asked[1]}.part"):
            os._exit(9)
        with CommDebugMode() as exchanges:
            write(folder, files)
        counts = {str(kind): n for kind, n in exchanges.get_comm_counts().items()}
        assert not any("gather" in kind or "broadcast" in kind for kind in counts), counts

    strategy.write = watched  # type: ignore[method-assign]


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
    watch_writing(strategy)
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
