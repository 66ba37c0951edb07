"""The bundled adapter's recipe: `python -m core.finetuning.bundled_questions` trains it again.

LoRA teaches the bundled model to answer "Who is it about?". A quarter of the training data are
stories as before, so that the model does not forget how to tell them. record.json, in the adapter's
folder, holds the recipe, the seed, and the results of all evaluations.
"""

from __future__ import annotations

import shutil
import sys
from pathlib import Path

from core.finetuning.loading import load
from core.finetuning.lora_config import LoRAConfig
from core.finetuning.run_config import finetuning_config
from core.finetuning.settings import QUESTIONS, FinetuningSettings
from core.finetuning.task import Finetuning
from core.resources import resource
from core.training import bundled_run
from core.training.checkpoints import latest_checkpoint
from core.training.config import TrainingConfig
from core.training.reader import RunReader
from core.transformer.weights import CONFIG_FILE, WEIGHTS_FILE

STEPS = 60


def recipe(steps: int, threads: int) -> TrainingConfig:
    """Returns the config of the run."""
    lora = LoRAConfig(r=8, alpha=16, target_modules=("attn.c_attn",))
    settings = FinetuningSettings(data=QUESTIONS, lora=lora, replay=0.25)
    rates = {"learning_rate": 3e-3, "min_learning_rate": 3e-4}
    changes = {"steps": steps, "evaluate_every": 5, "seed": 1337, "threads": threads}
    return finetuning_config(settings, changes | rates)


def main(arguments: list[str] | None = None) -> int:
    """Trains the adapter and stores it in the app's resources; resumes a run in `--work`."""
    about = "Trains the bundled adapter again."
    options = bundled_run.options_of(arguments, about, STEPS, resource("models") / QUESTIONS)
    config, run = recipe(options.steps, options.threads), options.work / "run"
    took = bundled_run.train(config, run, Finetuning(config))
    store(run, options.folder)
    record = {"recipe": config.to_json(), **took, "evaluations": evaluations(RunReader(run))}
    bundled_run.write_record(options.folder, load(options.folder), record)
    return 0


def evaluations(run: RunReader) -> dict[str, list[float]]:
    """Returns the results of all evaluations by name, with the step of each."""
    measured = {name: run.evaluations[name].tolist() for name in ("step", "validation")}
    measured |= {name: values[:, 1].tolist() for name, values in run.measures.items()}
    return {name: [round(value, 4) for value in values] for name, values in measured.items()}


def store(run: Path, folder: Path) -> None:
    """Copies the necessary files of a run's last checkpoint; the base provides the rest."""
    checkpoint = latest_checkpoint(run)
    assert checkpoint is not None, "a run that ended has a checkpoint"
    folder.mkdir(parents=True, exist_ok=True)
    for name in (CONFIG_FILE, WEIGHTS_FILE):
        shutil.copyfile(checkpoint / name, folder / name)


if __name__ == "__main__":
    sys.exit(main())
