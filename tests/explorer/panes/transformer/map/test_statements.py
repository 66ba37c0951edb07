"""Map says of every step what its numbers are: titles, shapes, cells and the inspector."""

from __future__ import annotations

import math
import re
from collections.abc import Iterator
from typing import Any

import numpy as np
import pytest
import torch

import core
from core.inference.outline_parts import axes_of
from core.numbers import format_count, format_share
from explorer.panes.transformer.map import compute, text
from explorer.panes.transformer.map.inspector import inspection
from explorer.panes.transformer.map.scene import Choice, cell_of, scene_at
from explorer.widgets.diagrams.scenes import StepsScene, flat
from tests.core.families import FAMILIES

PROMPT = "Once upon a time, Mira found a red kite. One day, Mira"
HEAD = 1
MODELS = ["stories", *FAMILIES]


def found_of(name: str) -> tuple[Any, compute.Found]:
    if name == "stories":
        lm = core.load(name)
        ids = lm.tokenizer.encode(PROMPT).ids
        return lm.model, compute.read(lm.model, ids, lambda one: f"<{lm.tokenizer.decode([one])}>")
    shape = {"vocab_size": 83, "block_size": 12, "n_layer": 2, "n_head": 2, "n_embd": 12}
    config = core.ModelConfig(**{**shape, **FAMILIES[name]})
    model = core.GPT(config, torch.Generator().manual_seed(1)).eval()
    return model, compute.read(model, [5, 7, 1, 7, 80, 9], lambda one: f"<{one}>")


def steps_of(found: compute.Found, parent: int | None = None) -> Iterator[int]:
    """Every step at every level, with its numbers; all blocks but one stay closed."""
    for at in found.trace.children(parent):
        if found.level_of(at) is None:
            found.keep(compute.looked(found, at, HEAD))
        yield at
        if found.parts[at].kind != "block" or found.parts[at].layer == 1:
            yield from steps_of(found, at)


def own_value(found: compute.Found, at: int, name: str) -> np.ndarray:
    """The trace's value, of one head: (R, C)."""
    value = found.trace[at].value(name)
    value = value[0] if value.ndim > 3 else value
    if value.ndim == 3:
        value = value[HEAD * len(value) // found.config.n_head]
    return np.atleast_2d(value)


def numbers_in(words: str) -> list[int]:
    """The whole numbers of a sentence, written out or in thousands."""
    return [int(one.replace(",", "")) for one in re.findall(r"(?<![\w.])\d[\d,]*(?![\w.%])", words)]


@pytest.fixture(scope="module", params=MODELS)
def opened(request: pytest.FixtureRequest) -> tuple[Any, compute.Found]:
    return found_of(request.param)


def test_every_size_in_a_title_is_one_of_the_steps_own_numbers(opened: Any) -> None:
    model, found = opened
    checked = 0
    for at in steps_of(found):
        part = found.parts[at]
        sizes = {size for name in part.shapes for size in found.trace[at].value(name).shape}
        if part.kind == "project":
            sizes |= {found.config.n_head, found.config.kv_heads}
        elif part.kind == "mask":
            sizes |= {(found.config.window_of(part.layer) or 0) - 1}
        elif part.kind == "block":
            sizes |= {part.layer}
        elif part.kind == "token":
            sizes |= set(model.wte.weight.shape)
        elif "MLP" in part.title or "ReLU" in part.title:
            sizes |= {0}  # negative numbers become 0
        elif part.parent is not None and found.parts[part.parent].kind == "unembed":
            sizes |= set(model.lm_head.weight.shape)  # of which the largest rows are shown
            assert len(model.lm_head.weight) in numbers_in(part.title)
        told = numbers_in(part.title)
        skipped = {1} if "sum to 1" in part.title else {0} if "GELU" in part.title else set()
        assert set(told) - skipped <= sizes, (part.title, sizes)
        checked += bool(told)
    assert checked > 5


def test_every_shape_and_picture_is_that_of_the_value(opened: Any) -> None:
    _, found = opened
    drawn = 0
    for at in steps_of(found):
        scene = scene_at(found, at, None)
        if not isinstance(scene, StepsScene):
            continue
        for node in scene.nodes:
            made = own_value(found, node.index, node.made)
            assert flat(node.shape) == made.shape
            np.testing.assert_array_equal(node.matrix.values, made.astype(np.float32))
        for name, matrix in scene.matrices.items():
            made = own_value(found, at, name)
            assert scene.shapes[name] == made.shape
            np.testing.assert_array_equal(matrix.values, made.astype(np.float32))
            drawn += 1
        if scene.columns:
            made = scene.matrices[found.parts[at].made].values
            assert len(scene.columns) == made.shape[1]
    assert drawn > 50


def test_the_inspector_computes_the_cell_that_it_names(opened: Any) -> None:
    _, found = opened
    computed = 0
    for at in steps_of(found):
        part, level = found.parts[at], found.level_of(at)
        cell = cell_of(found, at, None)
        where = text.row_words(found, at, cell), text.cell_words(found, at, cell)
        shown = inspection(found.trace[at], level.matrices[at], cell, where)
        assert shown.rows, part.name
        if (shown.cell or "").startswith(part.made + "["):
            index = [int(one) for one in re.findall(r"\d+", shown.cell.partition(":")[0])]
            value = found.trace[at].value(part.made)
            value = value if value.ndim == len(index) else own_value(found, at, part.made)
            result = str(shown.rows[0].text).split()[-1].replace("\u2212", "-")
            assert float(result) == pytest.approx(float(value[tuple(index)]), rel=0.02, abs=1e-4)
            computed += 1
    assert computed > 20


def test_a_cell_is_kept_only_where_it_means_the_same(opened: Any) -> None:
    _, found = opened
    steps = list(steps_of(found))
    kept = 0
    outer = {at for at in steps if not isinstance(scene_at(found, at, None), StepsScene)}
    for at in steps:
        if at in outer:
            continue
        rows, columns = flat(found.parts[at].shapes[found.parts[at].made])
        chosen = Choice((rows // 2, columns // 2), axes_of(found.parts, at))
        for other in steps:
            if found.level_of(other) is None:
                found.keep(compute.looked(found, other, HEAD))
            row, column = cell_of(found, other, chosen)
            values = found.level_of(other).matrices[other].get(found.parts[other].made)
            if values is None or other in outer:  # the picture is that of the last token
                assert (row, column) == cell_of(found, other, None)
                continue
            assert row < len(values.values) and column < values.values.shape[1]
            names = axes_of(found.parts, other)
            if names == chosen.axes:
                assert (row, column) == chosen.cell
                kept += 1
            elif names[1] != chosen.axes[1] and found.parts[other].kind != "rotate":
                known = np.nan_to_num(values.values[row], posinf=0.0, neginf=0.0)
                assert column == np.abs(known).argmax()
    assert kept > len(steps)


def test_softmax_and_the_next_token_name_the_likeliest(opened: Any) -> None:
    model, found = opened
    *_, softmax, following = found.trace.children()
    found.keep(compute.looked(found, softmax, HEAD))
    logits = core.capture(model, found.about["ids"], ["logits"]).logits[-1]
    answer = int(logits.argmax())
    elsewhere = Choice((2, 3), ("decoder token", "stream dimension"))
    cell = cell_of(found, softmax, elsewhere)
    assert cell == (0, answer)
    words = text.cell_words(found, softmax, cell)
    assert words == f"probabilities[{answer}]: {found.likely[0][0]}"
    share = math.exp(logits[answer]) / np.exp(logits.astype(float)).sum()
    for at in (softmax, following):
        assert text.headline(found, found.parts[at]).endswith(format_share(share))
    found.keep(compute.looked(found, following, HEAD))
    matrices = found.level_of(following).matrices[following]
    assert text.row_words(found, following, (0, 0)) is None
    told = text.sizes({name: one.values for name, one in matrices.items()}, 0)
    assert told[-1].split()[-1].replace(",", "") == str(answer)


def test_what_a_title_promises_holds_for_the_numbers(opened: Any) -> None:
    _, found = opened
    seen = set()
    for at in steps_of(found):
        part, value = found.parts[at], lambda name, at=at: own_value(found, at, name)
        seen.add(part.kind)
        match part.kind:
            case "norm.norm":  # all vectors get the same size
                size = np.sqrt((value("normed") ** 2).mean(axis=1))
                np.testing.assert_allclose(size, 1, atol=0.15)
            case "norm.center":
                np.testing.assert_allclose(value("centered").mean(axis=1), 0, atol=1e-5)
            case "mask":  # later tokens are hidden, and those far back in a window
                hidden = np.isneginf(value("masked"))
                rows, columns = np.indices(hidden.shape)
                window = found.config.window_of(part.layer) or len(hidden)
                np.testing.assert_array_equal(hidden, (columns > rows) | (columns <= rows - window))
            case "weights":
                np.testing.assert_allclose(value("weights").sum(axis=1), 1, atol=1e-5)
            case "relu":
                assert (value("hidden") >= 0).all() and (value("up") < 0).any()
            case "gelu":
                up, hidden = value("up"), value("hidden")
                assert (np.abs(hidden[up < 0]) <= np.abs(up[up < 0])).all()
            case "unembed":
                row = value("logits")[found.row]
                matrix = found.level_of(at).matrices[at]["logits"].values
                told = text.sizes({"logits": matrix}, found.row)[0]
                assert int(told.split()[-1]) == row.argmax() == found.about["likeliest"][0]
            case "product" if found.parts[part.parent].kind == "unembed":
                made, logits = value("products")[0], found.about["logits"]
                np.testing.assert_allclose(made, np.sort(logits)[::-1][: made.size], atol=1e-4)
    assert {"norm.norm", "mask", "weights", "unembed", "product"} <= seen


def test_the_words_in_a_block_count_its_own_weights_and_what_it_adds(opened: Any) -> None:
    model, found = opened
    for at in found.trace.children():
        part = found.parts[at]
        if part.kind != "block":
            continue
        block, inner = model.blocks[part.layer], found.trace.children(at)
        added = {found.parts[one].kind: one for one in inner}
        for kind, module in (("attention", block.attn), ("mlp", block.mlp)):
            size, parameters = text.inside(found.config, part, kind)
            weights = sum(
                one.numel() for name, one in module.named_parameters() if "norm" not in name
            )  # those are counted as norms
            assert parameters == f"{format_count(weights)} parameters"
            wide = module.c_fc.weight.shape if kind == "mlp" else [module.n_head]
            assert set(wide) <= set(numbers_in(size))
        outputs = {"attention": "attention_output", "mlp": "mlp_output"}
        steps = ((found.trace[added[kind]], name) for kind, name in outputs.items())
        adds = [step.value(name)[0, found.row] for step, name in steps]
        told = [float(one) for one in re.findall(r"\d+\.\d+", text.tip(found, at))]
        np.testing.assert_allclose(told, [np.linalg.norm(one) for one in adds], atol=0.005)
