"""Frames of the pictures: 12 x 12 heads at T = 256, and a run of 100,000 steps."""

import os
import statistics

import numpy as np

from tests.benchmarks.frames import application
from tests.benchmarks.harness import Report, timed

FRAME = 16.0  # ms


def _median(times: list[float]) -> float:
    return statistics.median(times) * 1000


def fast(report: Report) -> None:
    os.environ.setdefault("QT_QPA_PLATFORM", "offscreen")
    from PySide6.QtGui import QImage

    from explorer.widgets.arcs import ArcDiagram
    from explorer.widgets.head_mosaic import HeadMosaic
    from explorer.widgets.heat_map import HeatMap
    from explorer.widgets.plots.line_plot import LinePlot, Series
    from explorer.widgets.pooling import pool_heads

    application()

    def painter_of(widget, width: int, height: int):
        widget.resize(width, height)
        image = QImage(width, height, QImage.Format.Format_RGB32)
        return lambda: widget.render(image)

    rng = np.random.default_rng(0)
    maps = rng.integers(0, 256, (12, 12, 256, 256), dtype=np.uint8)
    mosaic = HeadMosaic()
    draw_mosaic = painter_of(mosaic, 320, 320)
    mosaic.set_shape(12, 12)
    report.tell("mosaic 12x12, T=256: pooling (engine)", _pooling(maps, mosaic), "ms")
    pooled = pool_heads(maps, mosaic.cell_pixels)

    def update_mosaic() -> None:
        mosaic.set_pooled(pooled)
        draw_mosaic()

    report.at_most(
        "mosaic 12x12, T=256: update and paint", _median(timed(update_mosaic, 30)), FRAME, "ms"
    )
    report.tell("mosaic 12x12: repaint unchanged", _median(timed(draw_mosaic, 30)), "ms")

    steps = np.arange(100_000)
    loss = np.cumsum(rng.normal(0, 0.01, steps.size)) + 8
    plot = LinePlot()
    plot.set_axes("step", "loss")
    plot.set_smoothing(0.98)
    draw_plot = painter_of(plot, 800, 300)

    def update_plot() -> None:
        plot.set_series([Series("train", steps, loss, 0, smoothed=True)])
        draw_plot()

    report.at_most(
        "run of 100,000 steps: plot update and paint", _median(timed(update_plot, 30)), FRAME, "ms"
    )
    report.tell("run of 100,000 steps: repaint unchanged", _median(timed(draw_plot, 30)), "ms")

    weights = np.tril(rng.random((32, 32), dtype=np.float32))
    heat = HeatMap()
    heat.set_labels([f"t{i}" for i in range(32)], [f"t{i}" for i in range(32)])
    draw_heat = painter_of(heat, 700, 700)

    def update_heat() -> None:
        heat.set_values(weights, np.triu(np.ones((32, 32), dtype=bool), 1))
        draw_heat()

    report.tell("heat map, 32 tokens: update and paint", _median(timed(update_heat, 30)), "ms")
    arcs = ArcDiagram()
    arcs.set_weights(weights, [f"t{i}" for i in range(32)])
    report.tell("250 arcs: paint", _median(timed(painter_of(arcs, 700, 320), 30)), "ms")


def _pooling(maps: np.ndarray, mosaic) -> float:
    from explorer.widgets.pooling import pool_heads

    return _median(timed(lambda: pool_heads(maps, mosaic.cell_pixels), 20))
