"""Gallery samples: diagrams of a transformer, stacked bars, the table of bars."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import numpy as np

from core.equation import Symbol
from explorer.studio.gallery_data import Sample
from explorer.widgets.bar_table import BarRow, BarTable
from explorer.widgets.cell_map import CellMap, CellMapScene
from explorer.widgets.check_table import CheckRow, CheckTable
from explorer.widgets.diagrams.picture import DiagramPicture
from explorer.widgets.diagrams.scenes import (
    BlockScene,
    Lookup,
    Node,
    Scene,
    SpineScene,
    StepsScene,
)
from explorer.widgets.pooling import Matrix
from explorer.widgets.run_card_text import CardText
from explorer.widgets.run_row import RunRow
from explorer.widgets.spectrum import SpectrumPicture, SpectrumScene
from explorer.widgets.stacked_bars import Bar, StackedBars
from explorer.widgets.switch_grid import Switches, SwitchGrid

TOKENS = ("the", "cat", "sat", "on", "the", "mat", ".", "the")
ENDS = ("norm", "unembed", "softmax", "next")


def _spine(layers: int, ends: tuple[str, ...], *known: Any) -> SpineScene:
    kinds = ("embed", *["block"] * layers, *ends)
    steps = tuple(enumerate(kinds))
    return SpineScene(steps, (8, 64), (None,) * layers, 512, None, *known)


def _shown(scene: Scene, position: float) -> DiagramPicture:
    picture = DiagramPicture()
    picture.set_scene(scene)
    picture.set_position(position)
    return picture


def diagrams() -> list[Sample]:
    rng = np.random.default_rng(8)
    reads = rng.dirichlet(np.ones(8), size=6)
    stripes, writes = rng.normal(size=(28, 13)), rng.uniform(0.5, 4, size=(6, 2))
    likely = tuple(zip(TOKENS, (0.4, 0.2, 0.1, 0.08, 0.05, 0.04, 0.02, 0.01), strict=True))
    spine = _spine(6, ENDS, TOKENS, 7, reads, writes, stripes, likely)
    parts = ("ln_1", "attention", "add_attention", "ln_2", "mlp", "add_mlp")
    lines = dict.fromkeys(("attention", "mlp"), ("4 heads of 16", "16,384 parameters"))
    vectors = {kind: rng.normal(size=(28, 1)) for kind in ("in", *parts)}
    block = BlockScene(tuple(enumerate(parts)), True, (8, 64), lines, 4, 4.0, vectors,
                       np.tril(rng.uniform(size=(4, 8, 8))), rng.normal(size=256))  # fmt: skip
    x, weight = rng.normal(size=(4, 6)), rng.normal(size=(5, 6))
    values = {"x": x, "weight": weight, "products": x @ weight.T}
    matrices = {name: Matrix.of(one) for name, one in values.items()}
    turned = Symbol("weight", "weight", (3, -1), turned=True)
    made = Symbol("products", "products", (2, 3))
    symbols = [Symbol("x", "x", (2, -1)), Symbol("\u00b7"), turned, Symbol("="), made]
    nodes = [Node(0, "c_fc", "products", (4, 5), matrices["products"], True),
             Node(1, "gelu", "hidden", (4, 5), None, False)]  # fmt: skip
    shapes = {name: (len(one), one.shape[1]) for name, one in values.items()}
    steps = StepsScene(tuple(nodes), 0, symbols, shapes, matrices, TOKENS[:4])
    ids = (12, 90, 431, 12)
    found = {"x": Matrix.of(rng.normal(size=(512, 64))[list(ids)])}
    symbols = [Symbol("ids", "ids", (2, -1)), Symbol("\u2192"), Symbol("x", "x", (2, 3))]
    rows = Lookup(ids, (512, 64), rng.normal(size=(64, 64)))
    told = (nodes[0], nodes[0]), 0, symbols, {"ids": (1, 4), "x": (4, 64)}, found, TOKENS[:4]
    lookup = StepsScene(*told, lookup=rows)
    pair = replace(_spine(3, ENDS[1:]), source=_spine(3, ()))
    return [
        ("a model", _shown(spine, 10), 600, 380),
        ("half way, without weights", _shown(_spine(6, ENDS), 3.5), 600, 300),
        ("an encoder-decoder", _shown(pair, 5), 600, 380),
        ("a block", _shown(block, 3.5), 600, 380),
        ("ids and their rows", _shown(lookup, 0), 600, 380),
        ("steps and an equation", _shown(steps, 0), 600, 380),
        *_bars(),
    ]


def _bars() -> list[Sample]:
    bars, bright = StackedBars("Costs"), StackedBars("Costs")
    parts = ("attention", "attention", 30), ("mlp", "MLP", 60)
    for one in (bars, bright):
        one.set_scene([Bar("90 parameters", parts, str), Bar("210 FLOPs", parts[::-1], str)])
    bright.set_bright("MLP")
    table = BarTable("Models", ("parameters", "layers"), "Click to draw it")
    rows = [BarRow(f"model {at}", 10**at, (f"{10**at}", f"{at}"), "a note") for at in (1, 2, 3)]
    table.set_scene(rows)
    table.set_chosen("model 2")
    cells = CellMap("Strength")
    values = np.array([[0.1, 0.4], [np.nan, 0.2]])
    cells.set_scene(CellMapScene(["layer 0", "layer 1"], ["c_attn", "c_proj"], values, 1))
    return [
        ("bars", bars, 400, 40), ("one is meant", bright, 400, 40), ("table", table, 600, 140),
        *_choices(),
        ("a map of cells", cells, 240, 120), ("singular values", _spectrum(), 500, 90),
    ]  # fmt: skip


def _choices() -> list[Sample]:
    checks = CheckTable("Methods", ("Method", "learns", "takes"), str)
    checks.set_scene([CheckRow("LoRA", 0, True, ("24,576", "30 s")),
                      CheckRow("Full", 1, False, ("2.12 M", "32 s")),
                      CheckRow("Head", 2, False, (), "not here")])  # fmt: skip
    switches = SwitchGrid("Matrices", "Matrices", str)
    rows = ("queries", "q"), ("MLP in", "text")
    switches.set_scene(Switches(rows, 3, frozenset({(0, 0), (0, 1), (0, 2), (1, 2)})))
    run = RunRow("gallery.run")
    run.set_text(CardText("LoRA", "paused", 20, 60, buttons=("resume", "stop", "open", "dismiss")))
    run.set_said("step 20: Maya")
    return [
        ("checks", checks, 260, 96), ("switches", switches, 260, 56), ("a run", run, 520, 28),
    ]  # fmt: skip


def _spectrum() -> SpectrumPicture:
    values = np.array([3.0, 1.0, 0.4, 0.1])
    history = np.linspace(0, 1, 5)[:, None] ** 0.5 * values
    picture, steps = SpectrumPicture("Directions"), (0, 10, 20, 30, 40)
    told = "3 directions hold 99 %", "99 %", ("a direction",) * 4
    picture.set_scene(SpectrumScene(values, 3, *told, {}, steps, 30, history, "steps 0 to 40"))
    return picture
