"""Numbers and pictures as bytes of a file. Knows no widget, so that it may run off the GUI thread.

Every file is written to a temporary file next to it and renamed: if the disk is full, OSError is
raised and the older file is unchanged.
"""

from __future__ import annotations

import csv
import io
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path

import numpy as np
from PIL import Image
from PySide6.QtCore import QBuffer, QIODevice
from PySide6.QtGui import QImage

from core.files import replacing
from explorer.widgets.base import Columns

VALUES_AT_ONCE = 4096  # numbers converted to Python's per call, which holds the GIL


def csv_rows(
    arrays: Mapping[str, np.ndarray], about: Mapping[str, object] | None = None
) -> Iterator[Sequence[object]]:
    """Yields every number with its name and indices; values are exact, not rounded as on screen.

    Columns of one table become rows below their names; masked values are empty. `about` describes
    the numbers in columns before the others, the same in every row.
    """
    rows = _rows(arrays)
    if about:
        yield [*about, *next(rows)]
        rows = ([*about.values(), *row] for row in rows)
    yield from rows


def _rows(arrays: Mapping[str, np.ndarray]) -> Iterator[Sequence[object]]:
    if isinstance(arrays, Columns):
        yield list(arrays)
        columns = list(arrays.values())
        for start in range(0, len(columns[0]) if columns else 0, VALUES_AT_ONCE):
            part = [column[start : start + VALUES_AT_ONCE].tolist() for column in columns]
            yield from zip(*part, strict=True)
        return
    whole = {name: np.asarray(array) for name, array in arrays.items()}
    deepest = max((array.ndim for array in whole.values()), default=0)
    yield ["name", *[f"index_{axis}" for axis in range(deepest)], "value"]
    for name, array in whole.items():
        padding = [""] * (deepest - array.ndim)
        flat, indices = array.reshape(-1), np.ndindex(array.shape)
        for start in range(0, flat.size, VALUES_AT_ONCE):
            values = flat[start : start + VALUES_AT_ONCE].tolist()
            for value, index in zip(values, indices, strict=False):
                yield [name, *index, *padding, value]


def as_csv(arrays: Mapping[str, np.ndarray], about: Mapping[str, object] | None = None) -> str:
    out = io.StringIO()
    csv.writer(out).writerows(csv_rows(arrays, about))
    return out.getvalue()


def write_csv(
    path: Path, arrays: Mapping[str, np.ndarray], about: Mapping[str, object] | None = None
) -> None:
    """Writes row by row: the text of a long run's numbers is never in memory at once."""
    with replacing(path) as part, part.open("w", encoding="utf-8", newline="") as file:
        csv.writer(file).writerows(csv_rows(arrays, about))


def write_png(path: Path, image: QImage) -> None:
    buffer = QBuffer()
    buffer.open(QIODevice.OpenModeFlag.WriteOnly)
    image.save(buffer, "PNG")
    with replacing(path) as part:
        part.write_bytes(buffer.data().data())


def gif_frame(image: QImage) -> Image.Image:
    """Returns a frame with a palette of 256 colors, a quarter of the picture's bytes."""
    image = image.convertToFormat(QImage.Format.Format_RGB888)
    size = (image.width(), image.height())
    data = bytes(image.constBits())
    whole = Image.frombytes("RGB", size, data, "raw", "RGB", image.bytesPerLine())
    return whole.convert("P", palette=Image.Palette.ADAPTIVE)


def write_gif(path: Path, frames: Sequence[Image.Image], durations: Sequence[int]) -> None:
    """Writes an endless animation; `durations` are the milliseconds of each frame."""
    with replacing(path) as part:
        frames[0].save(
            part,
            "GIF",
            save_all=True,
            append_images=frames[1:],
            duration=list(durations),
            loop=0,
        )
