"""Random changes of each draft are undone and done again, bit for bit."""

from __future__ import annotations

import asyncio
import json
import random
from collections.abc import Callable
from typing import Any

import pytest

from core.optimization.optimizers import OPTIMIZERS
from core.optimization.schedules import SCHEDULES
from core.optimization.surfaces import SURFACES
from explorer.panes.backprop.expression.presets import EXAMPLES
from explorer.panes.backprop.network.presets import PRESETS
from explorer.panes.tokenizers.train.algorithms import ALGORITHMS
from explorer.panes.tokenizers.train.draft import Lane

CHANGES = (60, pytest.param(200, marks=pytest.mark.full))  # of each draft
FORMULAS = (
    "a*b + c",
    "w = 0.5\nsum(w * [1, -2, 3])",
    "tanh(x*w",
    "(y - w*x)**2",
    "relu(a - b)",
    "",
)

Act = Callable[[random.Random], object]


def expression(mode: Any) -> list[Act]:
    def move(chance: random.Random) -> None:
        if mode.computed is not None and mode.computed.leaves:
            leaf = chance.choice(list(mode.computed.leaves))
            mode.move_leaf(leaf, 0, chance.choice((-0.0, 0.0, 1 / 3, chance.gauss(0, 2), 1e-300)))

    return [
        lambda chance: mode.set_text(chance.choice(FORMULAS)),
        lambda chance: mode.show_example(chance.choice(EXAMPLES[:6]).id),
        move,
        move,
        lambda _: mode.step_downhill(),
        lambda _: mode.reset_steps(),
        lambda chance: mode.set_rate(10 ** chance.uniform(-4, 2)),
        lambda chance: mode.set_fixed(chance.choice("abwx"), chance.random() < 0.5),
        lambda _: mode.toggle_check(),
    ]


def network(mode: Any) -> list[Act]:
    change = mode.change_field

    def neurons(more: int) -> None:
        if mode.draft.value.hidden:
            mode.view.neuronsRequested.emit(0, more)

    def layers(_: random.Random) -> None:
        mode.view.layersRequested.emit(1 if len(mode.draft.value.hidden) < 3 else -1)

    return [
        lambda chance: change("noise", chance.uniform(0, 1)),
        lambda chance: change("learning_rate", 10 ** chance.uniform(-5, 1)),
        lambda chance: change("points", chance.randint(2, 300)),
        lambda chance: change("optimizer", chance.choice(list(OPTIMIZERS))),
        lambda chance: change("data", chance.choice(("moons", "xor", "own", "hills"))),
        lambda chance: mode.add_point(chance.gauss(0, 1), chance.gauss(0, 1)),
        lambda chance: neurons(chance.choice((-1, 1))),
        layers,
        lambda chance: mode.show_preset(chance.choice(PRESETS).id),
        lambda chance: mode.reset(chance.random() < 0.5),
    ]


def optimizers(mode: Any) -> list[Act]:
    names = list(OPTIMIZERS)
    return [
        lambda chance: mode.set_surface(chance.choice(list(SURFACES))),
        lambda chance: mode.set_text(chance.choice(("x**2 + y**2", "x*y", "sin(x"))),
        lambda chance: mode.set_start(chance.gauss(0, 1), -0.0),
        lambda chance: mode.set_races(chance.choice(names), chance.random() < 0.5),
        lambda chance: mode.set_rate(chance.choice(names), 10 ** chance.uniform(-4, 0)),
        lambda chance: mode.set_value("adam", "beta1", chance.random()),
        lambda chance: mode.set_usual(chance.choice(names)),
        lambda chance: mode.set_schedule(chance.choice(list(SCHEDULES))),
        lambda chance: mode.set_steps(chance.randint(1, 60)),
        lambda chance: mode.set_warmup(chance.randint(0, 30)),
        lambda _: mode.set_other_noise(),
        lambda _: mode.reset(),
    ]


def compare(mode: Any) -> list[Act]:
    names = ("model", "known:gpt2", "file:/nowhere/tokenizer.json")

    def choose(chance: random.Random) -> None:
        chosen = tuple(chance.sample(names, chance.randint(1, 3)))
        mode.draft.change({"tokenizers": chosen}, "Compare others")

    return [
        lambda chance: mode.set_text(f"a \u00a0kite {chance.random()}"),
        lambda _: mode.set_text(""),
        lambda _: mode.shown_ones.remove(0),
        choose,
    ]


def train(mode: Any) -> list[Act]:
    change = mode.change
    lanes = [Lane(one.kind, variant.id) for one in ALGORITHMS for variant in one.variants]
    return [
        lambda chance: change("kilobytes", str(chance.randint(1, 400))),
        lambda chance: change("vocab_size", chance.choice(("many", "1,000", "512", ""))),
        lambda chance: change("sample", f"kites {chance.random()}"),
        lambda chance: change("lanes", tuple(chance.sample(lanes, chance.randint(1, 4)))),
    ]


def inside(mode: Any) -> list[Act]:
    return [
        lambda chance: mode.set_text(f"unbelievably {chance.random()}"),
        lambda chance: mode.draft.change({"alpha": chance.uniform(0, 3)}, "Alpha"),
        lambda chance: mode.draft.change({"dropout": chance.random()}, "Dropout"),
        lambda chance: mode.draft.change({"seed": chance.randint(0, 9)}, "Draw another way"),
    ]


def training(mode: Any) -> list[Act]:
    change = mode.setup.change
    return [
        lambda chance: change("size", chance.choice(("tiny", "small", "large"))),
        lambda chance: change("n_layer", str(chance.randint(1, 9))),
        lambda chance: change("steps", chance.choice(("300", "1,200", "none", "77"))),
        lambda chance: change("learning_rate", f"{10 ** chance.uniform(-5, -2):.3g}"),
        lambda chance: change("warmup_steps", str(chance.randint(0, 90))),
        lambda chance: change("optimizer", chance.choice(list(OPTIMIZERS))),
        lambda chance: change("sample_prompt", chance.choice(("", "A kite", "Mira"))),
    ]


@pytest.mark.parametrize("changes", CHANGES)
@pytest.mark.parametrize(
    ("pane", "mode", "path", "acts"),
    [
        ("backprop", "expression", "backprop.expression", expression),
        ("backprop", "network", "backprop.network", network),
        ("backprop", "optimizers", "backprop.optimizers", optimizers),
        ("tokenizers", "compare", "tokenizers.compare", compare),
        ("tokenizers", "train", "tokenizers.train", train),
        ("tokenizers", "inside", "tokenizers.inside", inside),
        ("training", "run", "training.options", training),
    ],
)
def test_random_changes_are_undone_and_redone_bit_for_bit(sit, pane, mode, path, acts, changes):
    chance = random.Random(path)

    async def body(session: Any) -> None:
        shown, workspace = session.window.show_pane(pane), session.workspace
        await shown.settled()
        face = shown.modes[mode] if mode else shown
        doing = acts(face)

        def state() -> str:
            return json.dumps(workspace.value(path), sort_keys=True)

        kept = [state()]
        while len(kept) <= changes:
            await asyncio.sleep(0)
            chance.choice(doing)(chance)
            workspace.end_merge()
            if state() != kept[-1]:
                kept.append(state())
        for turn in range(changes, 0, -1):
            assert state() == kept[turn]
            await asyncio.sleep(0)
            workspace.undo()
        assert state() == kept[0] and not workspace.undo_text
        for turn in range(1, changes + 1):
            await asyncio.sleep(0)
            workspace.redo()
            assert state() == kept[turn]
        assert not workspace.redo_text
        await shown.settled()

    sit(body, computing=False)
