"""The fine-tuned models on this machine."""

from __future__ import annotations

from collections.abc import Sequence
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path

from core.files import read_json
from core.finetuning.settings import FINETUNING, METHODS
from core.training.records import MANIFEST, checkpoints_of
from explorer.runs.folders import run_folders
from explorer.runs.sources import model_name

BUNDLED = "questions"  # core.load's name of the bundled model with its adapter


@dataclass(frozen=True)
class Tuned:
    """A fine-tuned model: its address, its name, and its method."""

    address: str
    name: str
    method: str = METHODS[0]


def tuned_models(runs: Path, opened: Sequence[str]) -> list[Tuned]:
    """Returns the bundled one, the newest checkpoint of each run in a folder, and those of the
    opened folders; models with a LoRA adapter come first.
    """
    found = [Tuned(BUNDLED, BUNDLED)]
    for folder in run_folders(runs):
        with suppress(ValueError, OSError, KeyError, TypeError):
            config = read_json(folder / MANIFEST)["config"]
            if config["task"] == FINETUNING and (kept := checkpoints_of(folder)):
                newest = str(kept[max(kept)])
                found.append(Tuned(newest, model_name(newest), config["settings"]["method"]))
    for address in opened:
        if (method := method_of(address)) is not None:
            found.append(Tuned(address, model_name(address), method))
    known: dict[str, Tuned] = {}
    for one in found:
        known.setdefault(one.address, one)
    return sorted(known.values(), key=lambda one: one.method != METHODS[0])


def adapters_beside(models: Sequence[Tuned], address: str) -> list[Tuned]:
    """Returns the models whose adapter can be added to the model at this address; the bundled one
    has no folder of its own.
    """
    others = (one for one in models if one.address not in (address, BUNDLED))
    return [one for one in others if one.method == METHODS[0]]


def method_of(address: str) -> str | None:
    """Returns the method that fine-tuned a folder's model, or None."""
    folder = Path(address)
    with suppress(ValueError, OSError, KeyError, TypeError):
        if (folder / "config.json").is_file():
            return str(read_json(folder / "config.json")["finetuning"]["method"])
        if (folder / "adapter_config.json").is_file():
            return METHODS[0]
    return None
