"""A pane and models small enough for a test of the shell."""

from __future__ import annotations

import shutil
from pathlib import Path

import numpy as np
from PySide6.QtWidgets import QLineEdit

from core.trace import Step, Trace
from explorer.panes.base import Inspection, Pane, PaneSpec
from explorer.state.actions import Action
from explorer.state.tracks import TraceTrack
from explorer.widgets.base import Picture
from tests.explorer.waiting import HANGS


class DemoPicture(Picture):
    def displayed(self):
        return {"weights": np.arange(6.0).reshape(2, 3)}


def demo_trace():
    trace = Trace({"layer": 0})
    code = "core.transformer.attention:attend#scores"
    for number in range(3):
        values = {"scores": np.full((1, 2), float(number))}
        trace.append(Step(f"demo.{number}", f"title {number}", "s = q", code, values))
    return trace.finish()


class DemoPane(Pane):
    extra_input_height = 0

    def __init__(self, context, name="demo"):
        super().__init__(context, name)
        self.picture = DemoPicture("Demo picture", self)
        self.picture.resize(200, 100)
        self.inputs = QLineEdit(self)
        self.cancelled = False
        self.marks = []
        self.player.set_track(TraceTrack(demo_trace()))
        self.player.stepChanged.connect(
            lambda step: self.inspection.emit(Inspection(self.player.track.item(step)))
        )
        self.set_headline(f"This is {name}.")

    def input_strip(self):
        return self.inputs

    def state(self):
        return {"version": 1, "text": self.inputs.text()}

    def restore(self, state):
        self.inputs.setText(state["text"])

    def actions(self):
        name = self.objectName()
        mark = Action(f"{name}.mark", f"Mark {name}", lambda: self.marks.append(1), menu="Edit")
        return [mark]

    def pictures(self):
        return {"picture": self.picture}

    def views(self):
        return {"start": self.player.start, "end": self.player.end}

    def cancel(self):
        if self.cancelled:
            return super().cancel()
        self.cancelled = True
        return True


def spec(name="demo", title="Demo"):
    def create(context):
        return DemoPane(context, name)

    return PaneSpec(name, title, "attention", "how a test works", create)


def broken_spec():
    def create(context):
        raise ValueError("this pane cannot be; choose another")

    return PaneSpec("broken", "Broken", "attention", "nothing", create)


def eager_runs(engine, folder):
    """Runs whose trainers step back behind nobody: beside busy processes one that does gets 5 % of
    a core, and a test waits for it.
    """
    from explorer.runs.live import Runs

    runs = Runs(engine, folder)
    runs.process_launcher.niceness = 0
    return runs


async def close(runs):
    """The end of the window, and of the trainers that would go on without it."""
    await runs.close(HANGS)
    for folder in runs.going_on:
        runs.process_launcher.kill(folder)


def save_tiny_model(folder: Path, **changes) -> Path:
    """A checkpoint folder with random weights and the bundled tokenizer."""
    import torch

    from core.resources import resource
    from core.tokenization import open_tokenizer
    from core.transformer.config import ModelConfig
    from core.transformer.gpt import GPT
    from core.transformer.weights import save_model

    folder.mkdir(parents=True, exist_ok=True)
    tokenizer = resource("models", "stories", "tokenizer.json")
    shutil.copy(tokenizer, folder / "tokenizer.json")
    shape = {"block_size": 64, "n_layer": 2, "n_head": 2, "n_embd": 16, **changes}
    size = open_tokenizer(tokenizer).vocab_size
    config = ModelConfig(vocab_size=size, **shape)
    save_model(folder, GPT(config, torch.Generator().manual_seed(0)))
    return folder


def tiny_training(steps=6, **changes):
    from core.training import TrainingConfig
    from core.transformer.config import ModelConfig

    shape = ModelConfig(vocab_size=1, block_size=32, n_layer=2, n_head=2, n_embd=16)
    settings = {
        "batch_size": 2,
        "warmup_steps": 1,
        "evaluate_every": 0,
        "evaluate_batches": 1,
        "sample_every": 0,
        "checkpoint_every": 0,
        "probe_every": 2,
    }
    return TrainingConfig(model=shape, steps=steps, **{**settings, **changes})
