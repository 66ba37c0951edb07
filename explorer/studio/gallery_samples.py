"""The gallery's sheets: every widget with realistic data, in every state."""

from __future__ import annotations

import math
from collections.abc import Callable
from types import SimpleNamespace

import numpy as np

from explorer import theme
from explorer.studio.gallery_data import CODE, TOKENS, Sample, attention, causal_mask, heads
from explorer.studio.gallery_diagrams import diagrams
from explorer.studio.gallery_generation import generation
from explorer.studio.gallery_parts import controls, states
from explorer.widgets.arcs import ArcDiagram
from explorer.widgets.code_view import CodeView
from explorer.widgets.formula import FormulaView
from explorer.widgets.head_mosaic import HeadMosaic
from explorer.widgets.heat_map import HeatMap
from explorer.widgets.inspector import Inspector
from explorer.widgets.likeliest_bars import LikeliestBars, NextToken
from explorer.widgets.live_numbers import Equation, LiveNumbers, Terms
from explorer.widgets.numbers_table import NumbersTable
from explorer.widgets.plots.line_plot import LinePlot, Mark, Series
from explorer.widgets.pooling import pool_heads
from explorer.widgets.prompt_line import PromptLine
from explorer.widgets.surprise_text import SurpriseText
from explorer.widgets.token_strip import TokenStrip
from explorer.widgets.transport import TransportBar
from explorer.widgets.vector_bars import Vector, VectorBars


def _heat_maps() -> list[Sample]:
    weights = attention()
    large = HeatMap("Attention of layer 0, head 3")
    large.set_values(weights, causal_mask(14))
    large.set_labels(TOKENS, TOKENS)
    large.set_axis_titles("query (looks)", "key (is looked at)")
    large.set_highlight(13, 6)
    few = HeatMap("Few tokens")
    few.set_values(attention(5), causal_mask(5))
    few.set_labels(TOKENS[:5], TOKENS[:5])
    few.set_current(2, 1)
    signed = HeatMap("Scores")
    signed.set_values(np.random.default_rng(0).normal(0, 2, (6, 8)))
    signed.set_scale("diverging", note="fixed while playing")
    signed.set_labels(TOKENS[:6], TOKENS[:8])
    many = HeatMap("Many tokens")
    many.set_values(attention(96), causal_mask(96))
    names = [f" word{index}" for index in range(96)]
    many.set_labels(names, names)
    return [
        ("attention, 14 tokens, query 13 and key 6 framed", large, 640, 620),
        ("diverging", signed, 480, 420),
        ("5 tokens: cells with numbers", few, 420, 420),
        ("96 tokens", many, 480, 480),
    ]


def _mosaics() -> list[Sample]:
    small = HeadMosaic("4 x 4 heads")
    small.resize(theme.current().px(320), theme.current().px(320))
    small.set_pooled(pool_heads(heads(4, 4, 14), 64))
    small.set_locked((1, 2))
    scores = np.random.default_rng(2).uniform(0, 1, (4, 4))
    scored = HeadMosaic("scores")
    scored.set_pooled(pool_heads(heads(4, 4, 14), 64))
    scored.set_scores(scores, "induction")
    scored.set_filter(scores > 0.4)
    scored.set_order(np.argsort(-scores, axis=1))
    large = HeadMosaic("12 x 12 heads")
    large.set_pooled(pool_heads(heads(12, 12, 64), 22))
    large.set_locked((5, 7))
    empty = HeadMosaic("skeleton")
    empty.set_shape(4, 4)
    return [
        ("4 x 4, locked", small, 320, 320),
        ("sorted, scored, weak heads dimmed", scored, 320, 320),
        ("12 x 12", large, 320, 320),
        ("before the first maps", empty, 240, 240),
    ]


def _arcs() -> list[Sample]:
    plain, chosen, only = ArcDiagram(), ArcDiagram(), ArcDiagram()
    for one in (plain, chosen, only):
        one.set_weights(attention(), TOKENS)
    chosen.set_query(13)
    only.set_query(12, only=True)
    many = ArcDiagram()
    many.set_weights(attention(60), [f" word{i}" for i in range(60)])
    return [
        ("all arcs", plain, 600, 280),
        ("query 13 chosen", chosen, 600, 280),
        ("only query 12", only, 600, 280),
        ("60 tokens", many, 600, 280),
    ]


def _tokens() -> list[Sample]:
    def strip(cut: int = 0) -> TokenStrip:
        one = TokenStrip()
        one.set_tokens(list(range(300, 300 + len(TOKENS))), TOKENS, cut)
        return one

    plain = strip()
    plain.set_selected(4)
    weighted = strip()
    weighted.set_weights(attention()[13])
    weighted.set_selected(13)
    ids = strip()
    ids.set_show_ids(True)
    odd = TokenStrip()
    pieces = [
        "caf\u00e9".encode(),
        b"\xf0\x9f",
        b"\xaa\x81",
        b"\n",
        b"\t",
        b"  ",
        " \u65e5".encode(),
    ]
    odd.set_tokens([1, 2, 3, 4, 5, 6, 7], pieces)
    narrow = strip(cut=12)
    narrow.set_selected(9)
    prompt = PromptLine()
    prompt.set_prompt("Once upon a time Mira found a red kite. Mira found a red")
    empty = PromptLine()
    surprise = SurpriseText()
    losses = np.linspace(0, 8, len(TOKENS))[None]
    surprise.set_text([[token.encode() for token in TOKENS]], losses, 8.0)
    surprise.set_chosen(0, 6)
    likeliest = LikeliestBars()
    shares = enumerate((0.41, 0.2, 0.08, 0.02, 0.004))
    likeliest.set_tokens([NextToken(TOKENS[at].encode(), share, at == 1) for at, share in shares])
    return [
        ("tokens, one selected", plain, 900, 28),
        ("weights of the chosen query", weighted, 900, 28),
        ("with ids", ids, 900, 44),
        ("bytes, whitespace, other scripts", odd, 500, 28),
        ("too narrow, 12 tokens cut", narrow, 360, 28),
        ("prompt", prompt, 500, 28),
        ("prompt, empty", empty, 500, 28),
        ("colored by surprise", surprise, 500, 60),
        ("likeliest next tokens", likeliest, 500, 120),
    ]


def fake_step() -> SimpleNamespace:
    rng = np.random.default_rng(4)
    return SimpleNamespace(
        name="attention.scores",
        title="Add up the products: one score for each token the query may look at",
        formula=r"s_j = \sum_{d=1}^{D} q_d \, k_{j,d}",
        code="none:none#none",
        values={"scores": rng.normal(size=(1, 14)).astype(np.float32), "q": rng.normal(size=16)},
    )


def fake_source() -> SimpleNamespace:
    lines = tuple(CODE.split("\n"))
    return SimpleNamespace(
        path="core/transformer/attention.py",
        first_line=42,
        lines=lines,
        marked=2,
        function="attend",
    )


def _rows() -> list[object]:
    rng = np.random.default_rng(3)
    terms = Terms("score of \u2423red", rng.normal(size=16), rng.normal(size=16))
    return [
        terms,
        Equation("after scaling by 1/\u221a16", float((terms.left * terms.right).sum() / 4)),
    ]


def _inspectors() -> list[Sample]:
    def inspector(tab: str, pinned: bool = False) -> Inspector:
        one = Inspector()
        step = fake_step()
        one.set_tab(tab)
        cell = "\u2423red looks at \u2423kite" if pinned else None
        one.set_inspection(
            SimpleNamespace(step=step, rows=_rows(), table={}, cell=cell, pinned=pinned)
        )
        one.code.set_source(fake_source())
        return one

    folded = Inspector()
    folded.set_collapsed(True)
    return [
        ("math, a pinned cell", inspector("math", True), 400, 460),
        ("code", inspector("code"), 400, 460),
        ("numbers", inspector("numbers"), 340, 460),
        ("nothing yet", Inspector(), 400, 200),
        ("folded", folded, 36, 200),
    ]


def _math() -> list[Sample]:
    formulas = (
        r"\mathrm{softmax}\!\left(\frac{Q K^{\top}}{\sqrt{d_k}}\right) V",
        r"a_j = \frac{e^{s_j}}{\sum_{i} e^{s_i}}",
        r"o = \sum_{j} a_j v_j",
    )
    rows = LiveNumbers()
    rows.set_rows(_rows())
    code = CodeView()
    code.set_source(fake_source())
    table = NumbersTable()
    table.set_tables({"weights": attention(14), "scores": np.arange(14.0)})
    views: list[Sample] = [
        (f"formula {index + 1}", FormulaView(latex), 400, 72)
        for index, latex in enumerate(formulas)
    ]
    return [
        *views,
        ("live numbers", rows, 400, 140),
        ("numbers table", table, 400, 240),
        ("code, narrow", code, 340, 300),
    ]


class SamplePlayer:
    """The player's interface for the transport, without motion."""

    def __init__(self, position: float, live: bool = False, playing: bool = False) -> None:
        titles = [
            "Queries, keys and values",
            "Multiply q and k, dimension by dimension",
            "Add up the products",
            "Divide by \u221ad so that the softmax stays soft",
            "Hide what comes later",
            "Softmax: weights that add up to 1",
            "Weigh the values",
            "Add them up",
        ]
        length = 340 if live else len(titles)
        self.position, self.length = position, length
        self.step = math.ceil(position)
        self.playing, self.complete, self.speed = playing, True, 1.0
        self.unseen = False
        self.at_live_edge = live and position >= length - 1
        self.track = SimpleNamespace(
            is_live=live,
            length=length,
            title=lambda i: f"step {i * 10}: loss 1.93" if live else titles[i],
            marks={at: f"checkpoint, step {at * 10:,}" for at in (60, 180, 300)} if live else {},
        )


def _transports() -> list[Sample]:
    samples: list[Sample] = []
    for name, player in (
        ("between two steps", SamplePlayer(2.4, playing=True)),
        ("live edge, training", SamplePlayer(339, live=True, playing=True)),
        ("replaying a run", SamplePlayer(120, live=True)),
        ("nothing to play", None),
    ):
        bar = TransportBar()
        bar.bind(player)
        samples.append((name, bar, 880, 72))
    return samples


def _plots() -> list[Sample]:
    rng = np.random.default_rng(0)
    x = np.arange(1, 2001)
    loss = 1.2 + 5.5 * np.exp(-x / 300) + rng.normal(0, 0.12, x.size)
    held = x[99::100]
    validation = 1.35 + 5.5 * np.exp(-held / 310)

    def plot(quantity: str = "loss (nats per token)") -> LinePlot:
        one = LinePlot()
        one.set_axes("step", quantity)
        return one

    main = plot()
    main.set_smoothing(0.95)
    main.set_series(
        [
            Series("train", x, loss, 0, smoothed=True),
            Series("validation", held, validation, 1, marks=True),
        ]
    )
    main.set_cursor(800)
    main.set_marks([Mark(step, f"checkpoint, step {step:,}") for step in range(400, 2001, 400)])
    branch = plot()
    branch.set_smoothing(0.95)
    before, after = x < 800, x >= 800
    branch.set_marks([Mark(800, "branched from stories at step 800", rule=True)])
    branch.set_series(
        [
            Series("before", x[before], loss[before], "muted", smoothed=True, named=False),
            Series("stories-2", x[:1300], loss[:1300] * 1.2, 1, smoothed=True, dashed=True),
            Series("stories-at-800", x[after], loss[after] * 0.9, 0, smoothed=True),
        ]
    )
    log = plot()
    log.set_log(True)
    log.set_series(
        [Series("stories-3", x, loss, 0), Series("stories-2", x, loss * 1.2, 1, dashed=True)]
    )
    rate = plot("learning rate")
    warm = np.where(x < 200, x / 200, 0.5 + 0.5 * np.cos((x - 200) / 1800 * np.pi)) * 3e-4
    rate.set_series([Series("rate", x, warm, "accent")])
    long = plot("gradient norm")
    many = np.arange(100_000)
    walk = np.cumsum(rng.normal(0, 0.05, many.size)) + 8
    walk[40_000:46_000] = np.nan
    long.set_series([Series("norm", many, walk, 2)])
    hovered = plot()
    hovered.set_series([Series("train", x, loss, 0), Series("validation", held, validation, 1)])
    hovered._set_hover(900.0)
    empty = plot()
    return [
        ("raw and smoothed, cursor", main, 600, 280),
        ("two runs, log axis", log, 600, 280),
        ("a branch over another run", branch, 600, 280),
        ("100,000 points with a gap", long, 600, 200),
        ("schedule", rate, 380, 160),
        ("hover", hovered, 440, 220),
        ("no data", empty, 300, 160),
    ]


def _vectors() -> list[Sample]:
    rng = np.random.default_rng(6)
    q, k = rng.normal(size=16), rng.normal(size=16)
    samples: list[Sample] = []
    for progress in (0.0, 0.3, 0.7, 1.0):
        one = VectorBars()
        one.set_vectors(
            [
                Vector("q", "query", q, "q"),
                Vector("k", "key", k, "k"),
                Vector("\u00d7", "products", q * k, "attention"),
            ]
        )
        one.set_product(True)
        one.set_progress(progress)
        samples.append((f"progress {progress}", one, 600, 230))
    return samples


SHEETS: dict[str, Callable[[], list[Sample]]] = {
    "Heat maps": _heat_maps,
    "Mosaics": _mosaics,
    "Arcs": _arcs,
    "Tokens": _tokens,
    "Generation": generation,
    "Inspector": _inspectors,
    "Math": _math,
    "Transport": _transports,
    "Plots": _plots,
    "Vectors": _vectors,
    "Diagrams": diagrams,
    "States": states,
    "Controls": controls,
}
